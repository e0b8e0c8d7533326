"""Networks that draw masks, with cs385's names of layers: FCNs on torchvision's encoders, U-Net. For make.py and
benches/segment.py."""
from collections import OrderedDict

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F


def fit(x, like, begin=0):
    """From row and column `begin` (which may lie before the first) on; the edge repeated where there is nothing."""
    rows, columns = (torch.arange(n).add(begin).clamp(0, m - 1) for n, m in zip(like.shape[2:], x.shape[2:]))
    return x[:, :, rows][:, :, :, columns]


# Where cell 0 of a stage has the middle of its receptive field, in pixels, at strides 8, 16 and 32.
MIDDLES = {"alexnet": {8: 7, 16: 15, 32: 31}, "resnet18": {8: 0, 16: 0, 32: 0}, "vgg16": {8: 3.5, 16: 7.5, 32: 15.5}}


class Up(nn.Module):
    """Shelhamer's deconvolution from one stride to another; fixed: each channel by itself. A tent of `side` puts cell i at
    `factor * i + (side - 1) / 2`; of what it gives the finer stage begins where that is what it should be."""

    def __init__(self, encoder, classes, fine, coarse, learned, shift=0):
        super().__init__()
        middle = MIDDLES[encoder.removesuffix("_bn")]
        self.factor, self.groups = coarse // fine, 1 if learned else classes
        # Of cell 0, in cells of the finer stage.
        at = (middle[coarse] + shift * coarse - (middle[fine] if fine > 1 else 0)) / fine
        side = 2 * self.factor - (fine > 1 and float(at).is_integer())
        self.begin = int(np.ceil((side - 1) / 2 - at)) if encoder == "resnet18" else int(np.floor((side - 1) / 2 - at))
        self.weight = nn.Parameter(torch.zeros(classes, classes // self.groups, side, side))

    def forward(self, x, like):
        y = F.conv_transpose2d(x, self.weight, stride=self.factor, groups=self.groups)
        return fit(y, like, self.begin)


def stages(encoder):
    if encoder == "resnet18":
        net = torchvision.models.resnet18()
        layers = [(n, m) for n, m in net.named_children() if n not in ("avgpool", "fc")]
        ends, widths = (5, 6), (128, 256, 512)
    else:
        layers = list(getattr(torchvision.models, encoder)().features.named_children())
        pools = [i for i, (_, m) in enumerate(layers) if isinstance(m, nn.MaxPool2d)]
        ends, widths = pools[-3:-1], (64, 192, 256) if encoder == "alexnet" else (256, 512, 512)
    parts = layers[: ends[0] + 1], layers[ends[0] + 1 : ends[1] + 1], layers[ends[1] + 1 :]
    return [nn.Sequential(OrderedDict(p)) for p in parts], widths


class FCN(nn.Module):
    def __init__(self, encoder, decoder, classes=3, hidden=8, learned=True):
        super().__init__()
        (self.stage_8, self.stage_16, self.stage_32), (a, b, c) = stages(encoder)
        self.wide, self.step = decoder.endswith("s"), int(decoder.strip("fcn_s"))
        shift = 0.5 if self.wide and encoder == "alexnet" else 0  # a window of six has its middle between two cells
        if self.wide:
            side = 6 if encoder == "alexnet" else 7
            self.fc6, self.fc7 = nn.Conv2d(c, hidden, side, padding="same"), nn.Conv2d(hidden, hidden, 1)
            c = hidden
        names = ["score_fr", "upscore2", "score_pool4", "upscore_pool4", "score_pool3", f"upscore{self.step}"]
        self.names = names if self.wide else ["score_32", "up_16", "score_16", "up_8", "score_8", "up_1"]
        top, up2, skip2, up3, skip3, last = self.names
        self.add_module(top, nn.Conv2d(c, classes, 1))
        if self.step < 32:
            self.add_module(up2, Up(encoder, classes, 16, 32, learned, shift))
            self.add_module(skip2, nn.Conv2d(b, classes, 1))
        if self.step < 16:
            self.add_module(up3, Up(encoder, classes, 8, 16, learned))
            self.add_module(skip3, nn.Conv2d(a, classes, 1))
        self.add_module(last, Up(encoder, classes, 1, self.step, learned, shift if self.step == 32 else 0))

    def forward(self, x):
        top, up2, skip2, up3, skip3, last = (getattr(self, n, None) for n in self.names)
        eighth = self.stage_8(x)
        sixteenth = self.stage_16(eighth)
        y = self.stage_32(sixteenth)
        if self.wide:
            y = F.relu(self.fc7(F.relu(self.fc6(y))))
        y = top(y)
        if self.step < 32:
            y = up2(y, sixteenth) + skip2(sixteenth)
        if self.step < 16:
            y = up3(y, eighth) + skip3(eighth)
        return last(y, x)


def double(i, o, norm):
    layers = []
    for i in (i, o):
        layers += [nn.Conv2d(i, o, 3, padding=1, bias=not norm), *([nn.BatchNorm2d(o)] if norm else []), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, classes, width, depth, norm):
        super().__init__()
        self.depth = depth
        for n in range(1, depth + 1):
            self.add_module(f"enc{n}", double(3 if n == 1 else width << (n - 2), width << (n - 1), norm))
            self.add_module(f"up{n}", nn.ConvTranspose2d(width << n, width << (n - 1), 2, 2))
            self.add_module(f"dec{n}", double(width << n, width << (n - 1), norm))
        self.mid = double(width << (depth - 1), width << depth, norm)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        seen = []
        for n in range(1, self.depth + 1):
            x = getattr(self, f"enc{n}")(x)
            seen.append(x)
            x = F.max_pool2d(x, 2)
        x = self.mid(x)
        for n in range(self.depth, 0, -1):
            beside = seen.pop()
            x = getattr(self, f"dec{n}")(torch.cat([beside, fit(getattr(self, f"up{n}")(x), beside)], 1))
        return self.head(x)
