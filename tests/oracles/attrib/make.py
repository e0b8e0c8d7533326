"""Saliency, guided backpropagation and deconvnet of captum 0.9.0, on a small classifier with max pool and residual
block (class targets 3 and 7), and on an autoencoder with an area of its output, before and after the sigmoid.

classifier/…, autoencoder/before/…, autoencoder/after/…: the attribution of each method, [N, C, H, W]; …/net/…: weights
by our names; …/x: the pictures."""
from collections import OrderedDict
from pathlib import Path

import torch
from captum.attr import Deconvolution, GuidedBackprop, Saliency
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
out = {}


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x) + x


class Area(nn.Module):
    """Sum over channels and the pixels of a box of the output picture, [N, 1]."""

    def __init__(self, net, x, y, w, h):
        super().__init__()
        self.net, self.box = net, (x, y, w, h)

    def forward(self, x):
        (left, top, w, h), picture = self.box, self.net(x)
        return picture[:, :, top : top + h, left : left + w].sum((1, 2, 3)).unsqueeze(1)


def methods(name, net, x, target):
    out[f"{name}/saliency"] = Saliency(net).attribute(x.clone(), target=target, abs=True)
    out[f"{name}/gradient"] = Saliency(net).attribute(x.clone(), target=target, abs=False)
    out[f"{name}/guided_backprop"] = GuidedBackprop(net).attribute(x.clone(), target=target)
    out[f"{name}/deconvnet"] = Deconvolution(net).attribute(x.clone(), target=target)
    kinds = ["gradient", "guided_backprop", "deconvnet"]
    for a, b in zip(kinds, kinds[1:] + kinds[:1]):
        assert (out[f"{name}/{a}"] - out[f"{name}/{b}"]).abs().max() > 0.01 * out[f"{name}/{a}"].abs().max(), (name, a, b)


body = nn.Sequential(
    OrderedDict(conv_a=nn.Conv2d(8, 8, 3, padding=1), relu_a=nn.ReLU(), conv_b=nn.Conv2d(8, 8, 3, padding=1))
)
classifier = nn.Sequential(
    OrderedDict(
        conv1=nn.Conv2d(3, 8, 3, padding=1), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        block=Residual(body), relu2=nn.ReLU(), conv3=nn.Conv2d(8, 12, 3, stride=2, padding=1), relu3=nn.ReLU(),
        gap=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(12, 10),
    )
).eval()
classifier.bn1.running_mean.normal_(0, 0.2)
classifier.bn1.running_var.uniform_(0.5, 2)
x = torch.randn(2, 3, 16, 20)
out["classifier/x"] = x
out.update({f"classifier/net/{k}": v.float() for k, v in classifier.state_dict().items() if "tracked" not in k})
methods("classifier", classifier, x, [3, 7])

half = dict(kernel_size=4, stride=2, padding=1)
encoder = nn.Sequential(
    OrderedDict(conv1=nn.Conv2d(3, 8, **half), relu1=nn.ReLU(), conv2=nn.Conv2d(8, 12, **half), relu2=nn.ReLU())
)
decoder = nn.Sequential(
    OrderedDict(up1=nn.ConvTranspose2d(12, 8, **half), relu1=nn.ReLU(), up2=nn.ConvTranspose2d(8, 3, **half))
)
with torch.no_grad():
    decoder.up2.weight *= 20  # so that the sigmoid matters
raw = nn.Sequential(OrderedDict(enc=encoder, dec=decoder)).eval()
full = nn.Sequential(OrderedDict(enc=encoder, dec=decoder, sigmoid=nn.Sigmoid())).eval()
x = torch.randn(2, 3, 16, 16)
out["autoencoder/x"] = x
out.update({f"autoencoder/net/{k}": v for k, v in raw.state_dict().items()})
methods("autoencoder/before", Area(raw, 5, 8, 7, 4), x, 0)
methods("autoencoder/after", Area(full, 5, 8, 7, 4), x, 0)

save_file(
    {k: v.detach().contiguous() for k, v in out.items()}, Path(__file__).parent / "fixture.safetensors"
)
print({k: (tuple(v.shape), float(v.abs().max())) for k, v in out.items() if "/net/" not in k})
