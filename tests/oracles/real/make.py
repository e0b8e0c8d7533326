"""Maps and attributions of a plain CNN, a ResNet18 and a VGG16 (torchvision 0.26.0) with random weights, by
pytorch-grad-cam 1.5.7, torchcam 0.5.0, captum 0.9.0 and zennit 0.5.1. `python make.py [plain resnet18 vgg16]`.

Nothing is stored that both sides can draw: weights, pictures and noise are normal numbers of libtorch's generator,
seeded with SEED, the pictures first and then the tensors of the network in the order of their names (`fill`).
tests/real.rs does the same.

NET.safetensors: `cam/METHOD+OPTION/LAYERS/TARGET`, finished maps [3, H, W], every fifth row and column of them;
`attrib/METHOD/TARGET`, [3, C, H, W] likewise, with `…/total`, the sum of each picture's magnitudes; `metric/…`.
Targets: `top`, the logit of each picture's highest class; `soft`, the probability, `second`, the logit of the class
after it; `rest`, pytorch-grad-cam's ReST of the highest. `classes` and `others` hold these classes, to be sure.

Where a reference is wrong, what is asked for here is what the paper says: the first principal component has the sign
with which it grows with the sum of the channels (LAPACK leaves it open); Smooth Grad-CAM++ is made by its formula
(torchcam takes the last sample's gradient and sums A · D3); ReLUs are not in place, and each runs once (torchvision's
blocks run one twice, which captum's hooks do not tell apart); a batch norm's epsilon lies in its variance (zennit's
canonizer leaves it behind when it merges, so that it acts twice: outputs move by 5e-5, ReLUs flip, relevances by 2 %).

Score-, SS- and IS-CAM look at an early layer, of fewer channels, for a pass a channel takes its time. The epsilon of
zennit's epsilon rule is 0.01: with its own 1e-6 places near 0 decide, and its numbers of single precision are 8e-4 off
those of double. Integrated gradients are taken in double precision: on the way from black some ReLU of VGG16 is so near
0 that another processor's sums open it, and the numbers of single precision are 4e-3 off."""
import copy
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytorch_grad_cam as pgc
import torch
import torchvision
from captum.attr import (
    LRP, Deconvolution, GuidedBackprop, InputXGradient, IntegratedGradients, Occlusion, Saliency,
)
from captum.attr._utils.lrp_rules import EpsilonRule
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.utils.model_targets import (
    ClassifierOutputReST, ClassifierOutputSoftmaxTarget, ClassifierOutputTarget,
)
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchcam import methods as tcm
from torchcam.metrics import DeletionInsertionMetric
from zennit.attribution import Gradient
from zennit.composites import EpsilonAlpha2Beta1, EpsilonGammaBox, EpsilonPlus, LayerMapComposite, layer_map_base
from zennit.rules import Epsilon
from zennit.torchvision import ResNetCanonizer
from zennit.types import Convolution, Linear

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from peers import by_torchcam, fix_signs, smooth_grad_cam_pp  # noqa: E402

torch.set_num_threads(1)
fix_signs()
SEED = 5


class Plain(nn.Sequential):
    """Flat before the last layer; captum's LRP has no rule for nn.Flatten."""

    def forward(self, x):
        for layer in list(self)[:-1]:
            x = layer(x)
        return self.fc(x.flatten(1))


def plain():
    layers, channels = OrderedDict(), 3
    for i, width in enumerate([16, 32, 64, 128], 1):
        layers |= {f"conv{i}": nn.Conv2d(channels, width, 3, padding=1), f"relu{i}": nn.ReLU(), f"pool{i}": nn.MaxPool2d(2)}
        channels = width
    return Plain(layers | dict(gap=nn.AdaptiveAvgPool2d(1), fc=nn.Linear(128, 10)))


class Once(nn.Module):
    """A BasicBlock whose second ReLU is a layer of its own."""

    def __init__(self, block):
        super().__init__()
        for name, child in block.named_children():
            setattr(self, name, child)
        self.relu_out, self.down = nn.ReLU(), "downsample" in dict(block.named_children())

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu_out(y + (self.downsample(x) if self.down else x))


@torch.no_grad()
def fill(net):
    """The weights, in the order of their names."""
    for name, t in sorted(net.state_dict().items()):
        if name.endswith("tracked"):
            continue
        draw = torch.randn(t.shape)
        if name.endswith("running_var"):
            draw = 1 + 0.3 * draw.tanh()
        elif name.endswith(("running_mean", "bias")):
            draw = 0.1 * draw
        elif t.dim() == 1:
            draw = 1 + 0.2 * draw
        else:
            draw = draw * (2 / t[0].numel()) ** 0.5
        t.copy_(draw)


def vgg16():
    """With linear layers of 512 in place of 4096: they are nine tenths of the network's time here."""
    net = torchvision.models.vgg16()
    net.classifier[0], net.classifier[3], net.classifier[6] = nn.Linear(25088, 512), nn.Linear(512, 512), nn.Linear(512, 1000)
    return net


NETS = dict(
    plain=(plain, 64, ["relu3", "relu4"], "relu2"),
    resnet18=(lambda: torchvision.models.resnet18(), 80, ["layer3", "layer4"], "layer1"),
    vgg16=(vgg16, 48, ["features.22", "features.29"], "features.3"),
)


def make(which):
    build, size, deep, early = NETS[which]
    net = build().eval()
    for m in net.modules():
        if isinstance(m, nn.ReLU):
            m.inplace = False
    torch.manual_seed(SEED)
    x = F.interpolate(torch.randn(3, 3, 8, 8), (size, size), mode="bilinear") + 0.2 * torch.randn(3, 3, size, size)
    fill(net)
    half = 32 if which == "vgg16" else size  # of the pictures for methods that look at them often
    part = x[:, :, :half, :half].contiguous()
    noise = {"ss_cam": 2 * torch.randn(2, 3, 1, half, half), "smooth_grad_cam_pp": 0.3 * torch.randn(3, 3, 3, size, size)}
    with torch.no_grad():
        y = net(x)
        order = y.argsort(1, descending=True)
        top, other = order[:, 0].tolist(), order[:, 1].tolist()
        best = y.sort(1, descending=True)[0]
        print(which, "logits", best[:, :4], "deviation", y.std(1), "p", best.softmax(1)[:, :2], "classes", top, other, flush=True)
        part_top = net(part).argmax(1).tolist()
    assert (best[:, 0] > 0.2).all() and (best[:, :2] - best[:, 1:3]).min() > 1e-3
    out = dict(classes=torch.tensor(top), others=torch.tensor(other), part_classes=torch.tensor(part_top), logits=y)
    targets = dict(top=None, soft=[ClassifierOutputSoftmaxTarget(k) for k in other],
                   second=[ClassifierOutputTarget(k) for k in other], rest=[ClassifierOutputReST(k) for k in top])
    dark = []

    def keep(key, maps):
        maps = torch.as_tensor(np.asarray(maps.detach() if torch.is_tensor(maps) else maps)).float()
        assert maps.isfinite().all(), key
        if (maps.amax((1, 2)) > 0.3).sum() < 2:
            dark.append(key)
            return
        out[f"cam/{key}"] = maps[:, ::5, ::5].clone()

    def by_pgc(name, method, where, kinds=("top", "soft"), pictures=x, option="", **how):
        for layers in where:
            modules = [net.get_submodule(one) for one in layers.split("+")]
            for kind in kinds:
                keep(f"{name}{option}/{layers}/{kind}", method(net, modules)(pictures, targets[kind], **how))

    both = "+".join(deep)
    for name, method in dict(
        grad_cam=pgc.GradCAM, hires_cam=pgc.HiResCAM, grad_cam_elementwise=pgc.GradCAMElementWise,
        grad_cam_pp=pgc.GradCAMPlusPlus, xgrad_cam=pgc.XGradCAM, layer_cam=pgc.LayerCAM,
        eigen_grad_cam=pgc.EigenGradCAM, seg_eigen_cam=pgc.SegEigenCAM,
    ).items():
        by_pgc(name, method, deep)
    for name, method in dict(eigen_cam=pgc.EigenCAM, fem=pgc.FEM, kpca_cam=pgc.KPCA_CAM).items():
        by_pgc(name, method, deep, ["top"])
    by_pgc("layer_cam", pgc.LayerCAM, [both])
    by_pgc("refine_cam", pgc.RefineCAM, [both])
    by_pgc("shapley_cam", pgc.ShapleyCAM, deep[1:], ["top", "rest"])
    by_pgc("grad_cam", pgc.GradCAM, deep[:1], option="+eigen_smooth", eigen_smooth=True)
    by_pgc("hires_cam", pgc.HiResCAM, deep[:1], option="+aug_smooth", aug_smooth=True)
    for layer in deep:
        keep(f"finer_cam/{layer}/top", pgc.FinerCAM(net, [net.get_submodule(layer)])(x))
    for kind in ["top", "soft"]:
        keep(f"full_grad/-/{kind}", pgc.FullGrad(net, [])(x, targets[kind]))
    keep(f"smooth_grad_cam_pp/{deep[0]}/top", smooth_grad_cam_pp(net, net.get_submodule(deep[0]), x, top, noise["smooth_grad_cam_pp"]))
    print("gradients done", flush=True)
    by_pgc("score_cam", pgc.ScoreCAM, [early], ["top", "soft"], part, "+part")
    with torch.no_grad():
        keep(f"is_cam+part/{early}/top", by_torchcam(tcm.ISCAM, net, early, part, part_top, num_samples=2))
        keep(f"ss_cam+part/{early}/top", by_torchcam(tcm.SSCAM, net, early, part, part_top, noise["ss_cam"], num_samples=2))
    print("score done", flush=True)
    by_pgc("ablation_cam", pgc.AblationCAM, deep[1:], ["top", "soft", "second"])
    print("ablation done, dark:", dark, flush=True)
    print({k: v.amax((1, 2)).tolist() for k, v in out.items() if k.startswith("cam/")})

    merged = copy.deepcopy(net)
    for m in merged.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_var.add_(m.eps)
            m.eps = 1e-12
    if which == "resnet18":
        for stage in [net.layer1, net.layer2, net.layer3, net.layer4]:
            for i, b in enumerate(stage):
                stage[i] = Once(b)
        net.eval()
        assert torch.equal(net(x), y)

    def number(key, a):
        a = a.detach().float()
        assert a.isfinite().all() and a.abs().max() > 0, key
        out[f"attrib/{key}"] = a[:, :, ::5, ::5].clone()
        out[f"attrib/{key}/total"] = a.abs().sum((1, 2, 3))

    wide = copy.deepcopy(net).double()
    for kind, k in [("top", top), ("second", other)]:
        number(f"saliency/{kind}", Saliency(net).attribute(x.clone(), target=k))
        number(f"input_x_gradient/{kind}", InputXGradient(net).attribute(x.clone(), target=k))
        number(f"guided_backprop/{kind}", GuidedBackprop(net).attribute(x.clone(), target=k))
        number(f"deconvnet/{kind}", Deconvolution(net).attribute(x.clone(), target=k))
        number(f"integrated_gradients/{kind}", IntegratedGradients(wide).attribute(x.double(), target=k, n_steps=8))
        with torch.no_grad():
            number(f"occlusion/{kind}", Occlusion(net).attribute(x, (3, 24, 24), (3, 20, 20), target=k)[:, :1])
        if which == "resnet18":
            by_zennit(merged, x, k, kind, number)
        else:
            for m in net.modules():
                if isinstance(m, (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AdaptiveAvgPool2d)):
                    m.rule = EpsilonRule()
            number(f"lrp/{kind}", LRP(net).attribute(x.clone(), target=k))
            for m in net.modules():
                m.__dict__.pop("rule", None)
    if which == "resnet18":
        measures(net, x, top, out)
    save_file({k: v.contiguous() for k, v in out.items()}, Path(__file__).parent / f"{which}.safetensors")
    print(which, len(out), "tensors", sum(v.numel() * 4 for v in out.values()) // 1000, "kB", flush=True)


def by_zennit(net, x, k, kind, number):
    def start(y):
        return y * torch.eye(y.shape[1])[k]

    low, high = torch.full_like(x, -4.0), torch.full_like(x, 4.0)

    def canonizers():
        return [ResNetCanonizer()]

    for name, composite in [
        ("epsilon", lambda: LayerMapComposite(
            [*layer_map_base(1e-9), (Convolution, Epsilon(0.01)), (Linear, Epsilon(0.01))], canonizers=canonizers())),
        ("epsilon_plus", lambda: EpsilonPlus(canonizers=canonizers())),
        ("alpha_beta", lambda: EpsilonAlpha2Beta1(canonizers=canonizers())),
        ("epsilon_gamma_box", lambda: EpsilonGammaBox(low=low, high=high, canonizers=canonizers())),
        ("free/epsilon_plus", lambda: EpsilonPlus(canonizers=canonizers(), zero_params="bias")),
    ]:
        with Gradient(model=net, composite=composite()) as attributor:
            y, relevance = attributor(x.clone().requires_grad_(), start)
        number(f"lrp/{name}/{kind}", relevance)
        share = (relevance.sum((1, 2, 3)) / y[range(len(x)), k]).detach()
        print("zennit", name, kind, "share of the score", share)


def measures(net, x, k, out):
    """ROAD without noise, insertion and deletion of the Layer-CAM map, probability of the highest class."""
    targets = [ClassifierOutputSoftmaxTarget(one) for one in k]
    cam = torch.from_numpy(pgc.LayerCAM(net, [net.layer3])(x, None))
    road.torch.randn_like = lambda t: torch.zeros(t.shape)
    P = [20, 40, 60, 80]
    with torch.no_grad():
        for name, kind in [("most", road.ROADMostRelevantFirst), ("least", road.ROADLeastRelevantFirst)]:
            out[f"metric/road/{name}"] = torch.from_numpy(np.stack([kind(p)(x, cam.numpy(), targets, net) for p in P], 1))

    class Mine:
        model = net

        def __init__(self, map):
            self.map = map

        def __call__(self, *args, **kwargs):
            return [self.map]

        def fuse_cams(self, cams):
            return cams[0]

        def _hooks_off(self):
            import contextlib
            return contextlib.nullcontext()

    both = {"deletion": [], "insertion": []}
    for i, one in enumerate(k):
        metric = DeletionInsertionMetric(Mine(cam[i : i + 1]), lambda t: t.softmax(1), steps=12)
        metric.update(x[i : i + 1], one)
        for name, value in metric.summary().items():
            both[name.removesuffix("_auc")].append(value)
    for name, values in both.items():
        out[f"metric/{name}"] = torch.tensor(values).float()
    print({n: t for n, t in out.items() if n.startswith("metric")})


for which in sys.argv[1:] or NETS:
    with torch.inference_mode(False):
        make(which)
