"""Maps of every CAM by pytorch-grad-cam 1.5.7 and torchcam 0.5.0 (torch 2.11.0) on a small net with a residual block.
Writes fixture.safetensors; `python make.py` re-makes it.

Keys: `method/layers/target` with layers joined by `+` and target `logit` (of classes 3, 7, 1) or `soft` (probability of
class 2), finished maps at the input's size; `method+option/…`; `net/…`, `x`, `noise/…`.

Where a reference leaves a sign to LAPACK (every first principal component but Seg-Eigen-CAM's) the sign is set here to
the one with which the component grows with the sum over the channels."""
import sys
from collections import OrderedDict
from pathlib import Path

import pytorch_grad_cam as pgc
import torch
from pytorch_grad_cam.utils.model_targets import (
    ClassifierOutputReST, ClassifierOutputSoftmaxTarget, ClassifierOutputTarget,
)
from safetensors.torch import save_file
from torch import nn
from torchcam import methods as tcm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from peers import by_torchcam, fix_signs, smooth_grad_cam_pp  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(1)
out = {}


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x) + x


net = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(3, 8, 3, padding=1), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
    block=Residual(nn.Sequential(OrderedDict(
        conv_a=nn.Conv2d(8, 8, 3, padding=1), relu_a=nn.ReLU(), conv_b=nn.Conv2d(8, 8, 3, padding=1)))),
    relu2=nn.ReLU(), conv3=nn.Conv2d(8, 24, 3, stride=2, padding=1), relu3=nn.ReLU(),
    gap=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(24, 10))).eval()
net.bn1.running_mean.normal_(0, 0.2)
net.bn1.running_var.uniform_(0.5, 2)
with torch.no_grad():
    net.bn1.bias.normal_(0, 0.2)
    net.bn1.weight.uniform_(0.5, 1.5)
    net.fc.weight *= 6  # so that classes and probabilities differ
    net.fc.bias += 2  # logits above 0: pytorch-grad-cam's Ablation-CAM divides by them with their sign
x = torch.randn(3, 3, 16, 20)
out["x"] = x
out.update({f"net/{k}": v.float() for k, v in net.state_dict().items() if "tracked" not in k})
layers = {"relu1": net.relu1, "block.body.relu_a": net.block.body.relu_a, "relu2": net.relu2, "relu3": net.relu3}
classes = [3, 7, 1]
targets = {"logit": [ClassifierOutputTarget(k) for k in classes], "soft": [ClassifierOutputSoftmaxTarget(2)] * 3}
assert (net(x)[range(3), classes] > 0.2).all() and net(x).softmax(1)[:, 2].min() > 1e-4, net(x)


fix_signs()


def keep(name, maps):
    maps = torch.as_tensor(maps).float()
    assert maps.shape == (3, 16, 20) and maps.isfinite().all() and (maps.amax((1, 2)) > 0.3).sum() >= 2, (name, maps.amax((1, 2)))
    out[name] = maps


def ours(name, method, where, kinds=("logit", "soft"), option=None, **how):
    for layer in where:
        modules = [layers[one] for one in layer.split("+")]
        for kind in kinds:
            maps = method(net, modules)(x, targets[kind], **how)
            keep(f"{name}{'+' + option if option else ''}/{layer}/{kind}", maps)


for name, method in dict(
    grad_cam=pgc.GradCAM, grad_cam_elementwise=pgc.GradCAMElementWise, grad_cam_pp=pgc.GradCAMPlusPlus,
    xgrad_cam=pgc.XGradCAM, layer_cam=pgc.LayerCAM, eigen_grad_cam=pgc.EigenGradCAM, seg_eigen_cam=pgc.SegEigenCAM,
    score_cam=pgc.ScoreCAM, ablation_cam=pgc.AblationCAM,
).items():
    ours(name, method, ["relu2", "relu3"])
ours("ablation_cam", pgc.AblationCAM, ["relu1", "block.body.relu_a"], ["logit"])
for name, method in dict(eigen_cam=pgc.EigenCAM, fem=pgc.FEM, kpca_cam=pgc.KPCA_CAM).items():
    ours(name, method, ["relu1", "relu3"], ["logit"])
ours("layer_cam", pgc.LayerCAM, ["relu1+relu2+relu3"], ["logit"])
ours("refine_cam", pgc.RefineCAM, ["relu2+relu3"])
ours("grad_cam", pgc.GradCAM, ["relu2"], ["logit"], option="eigen_smooth", eigen_smooth=True)
ours("layer_cam", pgc.LayerCAM, ["relu3"], ["soft"], option="eigen_smooth", eigen_smooth=True)
ours("grad_cam", pgc.GradCAM, ["relu2"], ["logit"], option="aug_smooth", aug_smooth=True)
ours("hires_cam", pgc.HiResCAM, ["relu2+relu3"], ["soft"], option="aug_smooth", aug_smooth=True)
for kind in targets:
    keep(f"full_grad/-/{kind}", pgc.FullGrad(net, [])(x, targets[kind]))

targets["rest"] = [ClassifierOutputReST(k) for k in [4, 4, 4]]
ours("shapley_cam", pgc.ShapleyCAM, ["relu1", "relu3"], ["rest", "logit"])
difference = out["shapley_cam/relu3/rest"] - torch.as_tensor(pgc.GradCAM(net, [net.relu3])(x, targets["rest"]))
assert difference.abs().max() > 0.01, "the curvature does something"

keep("finer_cam/relu2/top", pgc.FinerCAM(net, [net.relu2])(x))
keep("finer_cam/relu3/class4", pgc.FinerCAM(net, [net.relu3])(x, target_idx=4))
keep("finer_cam/relu3/other", pgc.FinerCAM(net, [net.relu3], base_method=pgc.LayerCAM)(
    x, alpha=0.6, comparison_categories=[1, 4]))


noise = {"ss_cam": 2 * torch.randn(3, 1, 1, 16, 20), "smooth_grad_cam_pp": 0.3 * torch.randn(3, 1, 3, 16, 20)}
out.update({f"noise/{k}": v for k, v in noise.items()})
for layer in ["relu2", "relu3"]:
    def theirs(method, noise=None, **how):
        return by_torchcam(method, net, layer, x, classes, noise, **how)

    keep(f"is_cam/{layer}/logit", theirs(tcm.ISCAM))
    keep(f"ss_cam/{layer}/logit", theirs(tcm.SSCAM, noise["ss_cam"], num_samples=3))
    smooth = smooth_grad_cam_pp(net, layers[layer], x, classes, noise["smooth_grad_cam_pp"])
    keep(f"smooth_grad_cam_pp/{layer}/logit", smooth)

save_file({k: v.detach().contiguous() for k, v in out.items()}, Path(__file__).parent / "fixture.safetensors")
print(len(out), "tensors", sum(v.numel() * 4 for v in out.values()) // 1000, "kB")
