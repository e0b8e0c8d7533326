"""CAMs against pytorch-grad-cam on the same network and sizes (torch 2.11.0, grad-cam 1.5.7): the rounds of both take
turns in one run, one thread, both warmed up, batches of 16 rows.

    python benches/cam.py [NET] [ROUNDS] [METHOD,METHOD…]      # the binary built by ./cs385
"""
import contextlib
import io
import os
import statistics
import subprocess
import sys
import time
from collections import OrderedDict
from pathlib import Path

import pytorch_grad_cam as pgc
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

root = Path(__file__).resolve().parent.parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"
name = sys.argv[1] if len(sys.argv) > 1 else "plain"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
methods = dict(grad_cam=pgc.GradCAM, grad_cam_pp=pgc.GradCAMPlusPlus, layer_cam=pgc.LayerCAM, eigen_cam=pgc.EigenCAM,
               full_grad=pgc.FullGrad, score_cam=pgc.ScoreCAM, ablation_cam=pgc.AblationCAM)
chosen = sys.argv[3].split(",") if len(sys.argv) > 3 else list(methods)
torch.set_num_threads(1)


def plain():
    layers = OrderedDict()
    for i, (a, b) in enumerate([(3, 32), (32, 64), (64, 128), (128, 256)], 1):
        layers |= {f"conv{i}": nn.Conv2d(a, b, 3, 2, 1), f"bn{i}": nn.BatchNorm2d(b), f"relu{i}": nn.ReLU()}
    layers |= dict(gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(256, 100))
    return nn.Sequential(layers).eval(), "relu4"


net, layer = {"plain": plain}[name]()
x = torch.rand(1, 3, 224, 224)


def ours(method, n):
    command = [binary, "run", root / "benches/cam.rhai", "--threads", "1"]
    for pair in [f"method={method}", f"rounds={n}", f"net={name}", f"layer={layer}"]:
        command += ["--set", pair]
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return statistics.median(map(float, done.stdout.split()))


def theirs(method, n):
    seconds = []
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        cam = methods[method](net, [] if method == "full_grad" else [net.get_submodule(layer)])
        cam.batch_size = 16
        for _ in range(n + 1):
            begin = time.perf_counter()
            cam(x, [ClassifierOutputTarget(7)])
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


print(f"{name}, {layer}, 1 picture of 224 x 224, one thread, {rounds} pairs")
for method in chosen:
    n = 1 if method in ("score_cam", "ablation_cam") else 20
    rows = [(ours(method, n), theirs(method, n)) for _ in range(rounds)]
    mine, peer = (statistics.median(r[i] for r in rows) for i in (0, 1))
    ratio = statistics.median(a / b for a, b in rows)
    print(f"{method:13} cs385 {mine * 1000:8.1f} ms, pytorch-grad-cam {peer * 1000:8.1f} ms, ratio {ratio:.3f}", flush=True)
