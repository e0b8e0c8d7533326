"""torchvision 0.26.0's models: what their tensors and layers are called, what they give, how they start.

keys.txt: a block a model, at its usual size: its name, then a line a tensor (`name shape`), then, behind `--`, a line
a layer (`name Class`, dropout with its p), in torchvision's order. EfficientNet-Lite0 and the two small networks,
which torchvision has not, are written below.
fixture.safetensors: `NAME/output` [2, classes], in evaluation mode, of a model whose every tensor is `filled` by a
formula of its name and places (tests/models.rs has the same), for the picture `filled("input", [2, C, S, S])`;
`NAME/start` [tensors, 4], float64: first and last value, mean and deviation of every tensor after manual_seed(0).
small_*.pth, tiny_*.pth: the plain CNN, width 4 or 2 and 3 classes, filled, as training scripts save it."""
import sys
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.ops import Conv2dNormActivation

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from common import fill, filled  # noqa: E402

torch.set_num_threads(2)
HERE = Path(__file__).parent


class PlainCNN(nn.Module):
    def __init__(self, num_classes=10, width=32, bn_dropout=False):
        super().__init__()
        i, o, self.order = 3, width, []
        for n in "1234":
            self.add("conv" + n, nn.Conv2d(i, o, 3, padding=1))
            if bn_dropout:
                self.add("bn" + n, nn.BatchNorm2d(o))
            self.add("relu" + n, nn.ReLU())
            self.add("pool" + n, nn.MaxPool2d(2))
            i, o = o, 2 * o
        self.add("gap", nn.AdaptiveAvgPool2d(1))
        if bn_dropout:
            self.add("dropout", nn.Dropout(0.5))
        self.add("fc", nn.Linear(i, num_classes))

    def add(self, name, layer):
        self.add_module(name, layer)
        self.order.append(name)

    def forward(self, x):
        for name in self.order[:-1]:
            x = getattr(self, name)(x)
        return self.fc(x.flatten(1))


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1, self.relu1, self.pool1 = nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.relu2, self.pool2 = nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
        self.fc1, self.relu3, self.fc2, self.relu4 = nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x):
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x))).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class SameConv(nn.Conv2d):
    """TensorFlow's "SAME"."""

    def forward(self, x):
        (s, _), k, sizes = self.stride, self.weight.shape[-1], x.shape[-2:]
        (h, w) = (max((-(-n // s) - 1) * s + k - n, 0) for n in sizes)
        return self._conv_forward(F.pad(x, [w // 2, w - w // 2, h // 2, h - h // 2]), self.weight, self.bias)


class Lite(Conv2dNormActivation):
    def __init__(self, i, o, k, s=1, groups=1, act=True):
        layers = [SameConv(i, o, k, s, groups=groups, bias=False), nn.BatchNorm2d(o, eps=1e-3, momentum=0.01)]
        nn.Sequential.__init__(self, *layers, *([nn.ReLU6()] if act else []))


class MBConv(nn.Module):
    def __init__(self, i, o, k, s, e):
        super().__init__()
        expand = [Lite(i, i * e, 1)] if e > 1 else []
        self.block = nn.Sequential(*expand, Lite(i * e, i * e, k, s, i * e), Lite(i * e, o, 1, act=False))
        self.detour = s == 1 and i == o

    def forward(self, x):
        return x + self.block(x) if self.detour else self.block(x)


class EfficientNet(nn.Module):
    """Lite0, table of the authors' lite/efficientnet_lite_builder.py; layers named as in torchvision's B0."""

    def __init__(self, num_classes=1000):
        super().__init__()
        stages, i = [Lite(3, 32, 3, 2)], 32
        for n, k, s, e, o in [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
                              (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]:
            blocks = []
            for b in range(n):
                blocks.append(MBConv(i, o, k, s if b == 0 else 1, e))
                i = o
            stages.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(*stages, Lite(320, 1280, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, num_classes))
        for m in self.modules():  # torchvision's EfficientNet
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")
            elif isinstance(m, nn.Linear):
                nn.init.uniform_(m.weight, -m.out_features**-0.5, m.out_features**-0.5)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        x = ((x * std + mean) * 255 - 127) / 128
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


OURS = {"plain_cnn": PlainCNN, "lenet": LeNet, "efficientnet_lite0": EfficientNet,
        "plain_cnn_bn": lambda **k: PlainCNN(bn_dropout=True, **k)}
VGG = [f"vgg{n}{b}" for n in (11, 13, 16, 19) for b in ("", "_bn")]
NAMES = [*OURS, "alexnet", *VGG, "resnet18", "resnet34", "resnet50", "squeezenet1_1", "mobilenet_v2"]


def build(name, **options):
    return OURS[name](**options) if name in OURS else getattr(torchvision.models, name)(**options)


def kind(m):
    name = {"SameConv": "Conv2d", "Lite": "Conv2dNormActivation"}.get(type(m).__name__, type(m).__name__)
    return f"{name}(p={m.p})" if name == "Dropout" else name


lines, out = [], {}
for name in NAMES:
    with torch.device("meta"):
        net = build(name)
    shape = lambda t: "x".join(map(str, t.shape)) or "-"
    lines += [f"# {name}", *(f"{k} {shape(t)}" for k, t in net.state_dict().items())]
    lines += ["--", *(f"{k} {kind(m)}" for k, m in net.named_modules() if k)]

    # Four classes, and in VGG and AlexNet eight units where 4,096 would be: the small files stay small.
    torch.manual_seed(0)
    net = build(name, num_classes=4)
    if name in (*VGG, "alexnet"):
        lin = [k for k, m in net.classifier.named_children() if isinstance(m, nn.Linear)]
        sizes = [net.classifier[int(lin[0])].in_features, 8, 8, 4]
        for k, i, o in zip(lin, sizes, sizes[1:]):
            net.classifier[int(k)] = nn.Linear(i, o)
    c, s = (1, 28) if name == "lenet" else (3, 64)
    with torch.no_grad():
        out[f"{name}/output"] = fill(net)(filled("input", (2, c, s, s))).clone()

    # AlexNet and VGG11 at their full size; the larger VGG start by the same code.
    if name not in VGG or name == "vgg11_bn":
        torch.manual_seed(0)
        state = build(name).state_dict()
        number = lambda t: [t.flatten()[0], t.flatten()[-1], t.double().mean(), t.double().std(correction=0)]
        out[f"{name}/start"] = torch.tensor([[float(v) for v in number(t)] for t in state.values()], dtype=torch.float64)
    print(name, out[f"{name}/output"][0].tolist(), flush=True)

(HERE / "keys.txt").write_text("\n".join(lines) + "\n")
save_file(out, HERE / "fixture.safetensors")

small = fill(PlainCNN(3, 4)).state_dict()
wrapped = {f"module.{k}": v.half() for k, v in small.items()}
torch.save({"epoch": 3, "state_dict": wrapped, "optimizer": {"lr": 0.1}}, HERE / "small_wrapped_half.pth")
brain = {k: v.bfloat16() for k, v in small.items()}
torch.save({"model": brain}, HERE / "small_legacy_bfloat16.pth", _use_new_zipfile_serialization=False)

# Every way weights are saved: an OrderedDict as it comes, and combinations of the rest.
tiny = fill(PlainCNN(3, 2)).state_dict()
spread = lambda kind: type(tiny)((f"module.{k}", v.to(kind)) for k, v in tiny.items())
torch.save(tiny, HERE / "tiny_ordered.pth")
torch.save(spread(torch.half), HERE / "tiny_legacy_module_half.pth", _use_new_zipfile_serialization=False)
torch.save({"model": spread(torch.bfloat16)}, HERE / "tiny_model_module_bfloat16.pth")
torch.save({"state_dict": tiny, "epoch": 3}, HERE / "tiny_legacy_state_dict.pth", _use_new_zipfile_serialization=False)
