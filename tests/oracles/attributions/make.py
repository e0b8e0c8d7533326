"""Attributions of captum 0.9.0 and, for nets with batch norm and sums, zennit 0.5.1, on a small VGG-like net (`vgg`) and a
small ResNet of torchvision's blocks (`res`), both with class targets 3 and 7.

vgg/…, res/…: what each method gives, [N, C, H, W] ([N, 1, H, W] where it is one number a place); …/net/…: weights by our
names; …/x: pictures; …/delta/…: convergence deltas, [N]; noise: [samples, N, C, H, W]; …/lrp/COMPOSITE: relevances that
start from the logit; `deprocess`: pytorch-grad-cam's uint8 of vgg/integrated_gradients."""
import os
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from captum.attr import (
    LRP, GuidedGradCam, InputXGradient, IntegratedGradients, NoiseTunnel, Occlusion, Saliency,
)
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule
from captum.metrics import sensitivity_max
from pytorch_grad_cam.utils.image import deprocess_image
from torch import nn
from torchvision.models.resnet import BasicBlock
from zennit.attribution import Gradient
from zennit.composites import EpsilonAlpha2Beta1, EpsilonGammaBox, EpsilonPlus
from zennit.rules import Epsilon
from zennit.composites import LayerMapComposite, layer_map_base
from zennit.torchvision import ResNetCanonizer
from zennit.types import Convolution, Linear

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import Fixture  # noqa: E402

torch.manual_seed(3)
f = Fixture(__file__, "attributions by captum and zennit")
TARGET = [3, 7]


class Vgg(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 10))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


vgg = Vgg().eval()
with torch.no_grad():
    for p in vgg.parameters():  # so that logits differ from their biases
        if p.dim() > 1:
            p *= 1.5
x = torch.randn(2, 3, 16, 20)
f["vgg/x"] = x
for k, v in vgg.state_dict().items():
    f[f"vgg/net/{k}"] = v
f["vgg/input_x_gradient"] = InputXGradient(vgg).attribute(x.clone(), target=TARGET)
base = torch.full_like(x, 0.3)
for rule in ["gausslegendre", "riemann_left", "riemann_right", "riemann_middle"]:
    a, delta = IntegratedGradients(vgg).attribute(
        x, base, target=TARGET, method=rule, n_steps=20, return_convergence_delta=True)
    ours = rule.replace("gausslegendre", "gauss_legendre")
    f[f"vgg/integrated_gradients/{ours}"], f[f"vgg/delta/{ours}"] = a, delta.float()
a = IntegratedGradients(vgg).attribute(x, target=TARGET)
f["vgg/integrated_gradients/plain"] = a
f["deprocess"] = torch.from_numpy(deprocess_image(a[0].permute(1, 2, 0).numpy())).permute(2, 0, 1)
for mode in ["bilinear", "nearest"]:
    f[f"vgg/guided_grad_cam/{mode}"] = GuidedGradCam(vgg, vgg.features[6]).attribute(
        x.clone(), target=TARGET, interpolate_mode=mode)

noise = 0.3 * torch.randn(5, 2, 3, 16, 20)
f["vgg/noise"] = noise
normal = torch.normal
torch.normal = lambda mean, std: noise.transpose(0, 1).reshape(std.shape)  # captum: picture by picture
for ours, kind in [("smooth_grad", "smoothgrad"), ("smooth_grad_squared", "smoothgrad_sq"), ("var_grad", "vargrad")]:
    f[f"vgg/{ours}"] = NoiseTunnel(Saliency(vgg)).attribute(
        x, nt_type=kind, nt_samples=5, stdevs=1.0, target=TARGET, abs=False)
torch.normal = normal

for name, window, stride in [("4x4", (3, 4, 4), (3, 2, 2)), ("5x6", (3, 5, 6), (3, 3, 4))]:
    f[f"vgg/occlusion/{name}"] = Occlusion(vgg).attribute(
        x, window, stride, baselines=0.2, target=TARGET)[:, :1]
ball = 0.02 * (2 * torch.rand(4, 2, 3, 16, 20) - 1)
f["vgg/ball"] = ball
f["vgg/sensitivity_max"] = sensitivity_max(
    Saliency(vgg).attribute, x, lambda t, r: t + ball.transpose(0, 1).reshape(t.shape), n_perturb_samples=4, target=TARGET)

masks = (torch.rand(12, 16, 20) > 0.5).float()
f["vgg/masks"] = masks
with torch.no_grad():
    maps = []
    for i, k in enumerate(TARGET):  # RISE's own formula, masks given
        s = vgg(x[i : i + 1] * masks.unsqueeze(1)).softmax(1)[:, k]
        maps.append((s.view(-1, 1, 1) * masks).sum(0) / (12 * 0.5))
f["vgg/rise"] = torch.stack(maps).unsqueeze(1)


def captum_lrp(conv, linear):
    for m in vgg.modules():
        if isinstance(m, nn.Conv2d):
            m.rule = conv()
        elif isinstance(m, (nn.Linear, nn.MaxPool2d, nn.AdaptiveAvgPool2d)):
            m.rule = linear()
    return LRP(vgg).attribute(x.clone(), target=TARGET)


f["vgg/lrp/epsilon"] = captum_lrp(EpsilonRule, EpsilonRule)


def zennit_lrp(net, x, composite):
    def start(out):
        return out * torch.eye(10)[TARGET]

    with Gradient(model=net, composite=composite) as attributor:
        out, relevance = attributor(x.clone().requires_grad_(), start)
    f.last = float((relevance.sum((1, 2, 3)) / out[range(2), TARGET]).detach().sub(1).abs().max())
    return relevance


def composites(canonizers, low, high):
    yield "epsilon", LayerMapComposite([*layer_map_base(1e-9), (Convolution, Epsilon(1e-6)), (Linear, Epsilon(1e-6))], canonizers=canonizers)
    yield "epsilon_plus", EpsilonPlus(canonizers=canonizers)
    yield "alpha_beta", EpsilonAlpha2Beta1(canonizers=canonizers)
    yield "epsilon_gamma_box", EpsilonGammaBox(low=low, high=high, canonizers=canonizers)


low, high = torch.full_like(x, -3.0), torch.full_like(x, 3.5)
for name, composite in composites([], low, high):
    f[f"vgg/lrp_zennit/{name}"] = zennit_lrp(vgg, x, composite)
for name, composite in [("free/epsilon_plus", EpsilonPlus(zero_params="bias")), ("free/alpha_beta", EpsilonAlpha2Beta1(zero_params="bias")),
                        ("free/epsilon_gamma_box", EpsilonGammaBox(low=low, high=high, zero_params="bias"))]:
    f[f"vgg/lrp_zennit/{name}"] = zennit_lrp(vgg, x, composite)
    print("vgg", name, "not conserved:", f.last)


class Res(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = BasicBlock(6, 6)
        down = nn.Sequential(nn.Conv2d(6, 8, 1, stride=2, bias=False), nn.BatchNorm2d(8))
        self.layer2 = BasicBlock(6, 8, stride=2, downsample=down)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(8, 10)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(x))), 1))


res = Res().eval()
with torch.no_grad():
    for m in res.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1), m.running_var.uniform_(0.5, 2), m.weight.uniform_(0.5, 1.5), m.bias.normal_(0, 0.1)
    res.fc.weight *= 4


def ours(name):
    """conv1, bn1, relu, maxpool, layer1 (sequential: block, relu), layer2, avgpool, flatten, fc."""
    top, _, rest = name.partition(".")
    if not top.startswith("layer"):
        return name
    if rest.startswith("downsample."):
        return f"{top}.block.shortcut.{rest.removeprefix('downsample.')}"
    return f"{top}.block.body.{rest}"


f["res/x"] = x
for k, v in res.state_dict().items():
    if "tracked" not in k:
        f[f"res/net/{ours(k)}"] = v
f["res/integrated_gradients"] = IntegratedGradients(res).attribute(x, target=TARGET)
for name, composite in composites([ResNetCanonizer()], low, high):
    f[f"res/lrp/{name}"] = zennit_lrp(res, x, composite)
    print("res", name, "not conserved:", f.last)
f["res/lrp/free/epsilon_plus"] = zennit_lrp(res, x, EpsilonPlus(canonizers=[ResNetCanonizer()], zero_params="bias"))
print("res free", f.last)
f.save()
