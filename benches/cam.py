"""CAMs against pytorch-grad-cam on the same network, weights and picture (torch 2.11.0, torchvision 0.26.0, grad-cam 1.5.7):
the rounds of both take turns in one run, one thread, both warmed up, batches of 16 rows. `five` is five gradient methods,
here in one call of cam::together.

    python benches/cam.py [plain|resnet18|vgg16] [ROUNDS] [METHOD,METHOD…]      # the binary built by ./cs385

CS385 names another binary. Each line says how many times pytorch-grad-cam's seconds this one takes and whether that keeps
the mark that was set for the method. Score-CAM's passes of VGG16 take minutes.
"""
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

import pytorch_grad_cam as pgc
import torch
import torchvision
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file
from torch import nn

root = Path(__file__).resolve().parent.parent
binary = os.environ.get("CS385", Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385")
name = sys.argv[1] if len(sys.argv) > 1 else "plain"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
FIVE = ["grad_cam", "hires_cam", "grad_cam_pp", "xgrad_cam", "layer_cam"]
MARKS = dict(five=0.3, eigen_grad_cam=0.3, ablation_cam=0.05, score_cam=0.75) | dict.fromkeys(
    [*FIVE, "grad_cam_elementwise", "full_grad"], 1.0)
methods = dict(grad_cam=pgc.GradCAM, hires_cam=pgc.HiResCAM, grad_cam_elementwise=pgc.GradCAMElementWise,
               grad_cam_pp=pgc.GradCAMPlusPlus, xgrad_cam=pgc.XGradCAM, layer_cam=pgc.LayerCAM, five=None,
               eigen_cam=pgc.EigenCAM, eigen_grad_cam=pgc.EigenGradCAM, full_grad=pgc.FullGrad, ablation_cam=pgc.AblationCAM,
               score_cam=pgc.ScoreCAM)
chosen = sys.argv[3].split(",") if len(sys.argv) > 3 else list(methods)
torch.set_num_threads(1)


def plain():
    layers = OrderedDict()
    for i, (a, b) in enumerate([(3, 32), (32, 64), (64, 128), (128, 256)], 1):
        layers |= {f"conv{i}": nn.Conv2d(a, b, 3, 2, 1), f"bn{i}": nn.BatchNorm2d(b), f"relu{i}": nn.ReLU()}
    layers |= dict(gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(256, 100))
    return nn.Sequential(layers).eval(), "relu4"


nets = {"plain": plain, "resnet18": lambda: (torchvision.models.resnet18().eval(), "layer4"),
        "vgg16": lambda: (torchvision.models.vgg16().eval(), "features.29")}
net, layer = nets[name]()
x = torch.rand(1, 3, 224, 224)
folder = tempfile.TemporaryDirectory()
weights = Path(folder.name) / "weights.safetensors"
save_file({k: v for k, v in net.state_dict().items() if not k.endswith("tracked")}, weights)
save_file({"x": x}, Path(folder.name) / "x.safetensors")


def ours(method, n):
    command = [binary, "run", root / "benches/cam.rhai", "--threads", "1"]
    for pair in [f"method={method}", f"rounds={n}", f"net={name}", f"layer={layer}", f"folder={folder.name}"]:
        command += ["--set", pair]
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return statistics.median(map(float, done.stdout.split()))


def theirs(method, n):
    seconds = []
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        for _ in range(n + 1):
            total = 0.0
            for one in FIVE if method == "five" else [method]:
                cam = methods[one](net, [] if one == "full_grad" else [net.get_submodule(layer)])
                cam.batch_size = 16
                begin = time.perf_counter()
                cam(x, [ClassifierOutputTarget(7)])
                total += time.perf_counter() - begin
                cam.activations_and_grads.release()
            seconds.append(total)
    return statistics.median(seconds[1:])


print(f"{name}, {layer}, 1 picture of 224 x 224, one thread, {rounds} pairs")
for method in chosen:
    n = 1 if method in ("score_cam", "ablation_cam") else 20 if name == "plain" else 5
    rows = [(ours(method, n), theirs(method, n)) for _ in range(rounds)]
    mine, peer = (statistics.median(r[i] for r in rows) for i in (0, 1))
    ratio = statistics.median(a / b for a, b in rows)
    mark = MARKS.get(method)
    verdict = "no mark" if mark is None else f"at most {mark}: {'kept' if ratio <= mark else 'MISSED'}"
    print(f"{method:20} cs385 {mine * 1000:9.1f} ms, pytorch-grad-cam {peer * 1000:9.1f} ms, ratio {ratio:.3f} ({verdict})", flush=True)
