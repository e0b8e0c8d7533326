"""Grad-CAM maps by pytorch-grad-cam 1.5.7 on two small nets (torch 2.11.0): a classifier with class targets and
an autoencoder with an area target. Writes fixture.safetensors; `python make.py` re-makes it.

.../cam, before, after: finished maps; .../raw/…: the weighted sum of one layer's channels, at the layer's own size,
neither rectified nor normalised (its rectified form is its positive part)."""
from collections import OrderedDict
from pathlib import Path

import torch
from pytorch_grad_cam import GradCAM, HiResCAM
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
out = {}


class Area:
    """Sum over channels and the pixels of a box of the output picture."""

    def __init__(self, x, y, w, h):
        self.box = (x, y, w, h)

    def __call__(self, picture):
        x, y, w, h = self.box
        return picture[:, y : y + h, x : x + w].sum()


class Logit:
    def __init__(self, k):
        self.k = k

    def __call__(self, logits):
        return logits[self.k]


class Kept(GradCAM):
    """Keeps the map of the last layer as it is before everything else is done to it."""

    def get_cam_image(self, *args):
        self.raw = super().get_cam_image(*args)
        return self.raw


def maps(net, layers, x, targets, name, raw=None):
    cam = Kept(model=net, target_layers=layers)
    out[name] = torch.from_numpy(cam(input_tensor=x, targets=targets).copy())
    if raw:
        out[raw] = torch.from_numpy(cam.raw.copy()).float()
        assert out[raw].min() < 0 < out[raw].max(), raw


classifier = nn.Sequential(
    OrderedDict(
        conv1=nn.Conv2d(3, 8, 3, padding=1), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 12, 3, padding=1), relu2=nn.ReLU(), conv3=nn.Conv2d(12, 16, 3, stride=2, padding=1),
        relu3=nn.ReLU(), gap=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(16, 10),
    )
).eval()
classifier.bn1.running_mean.normal_(0, 0.2)
classifier.bn1.running_var.uniform_(0.5, 2)
x = torch.randn(2, 3, 32, 40)
out["classifier/x"] = x
out.update({f"classifier/net/{k}": v.float() for k, v in classifier.state_dict().items() if "tracked" not in k})
for layer in ["conv1", "relu1", "pool1", "relu2", "conv3", "relu3"]:
    one = [getattr(classifier, layer)]
    maps(classifier, one, x, [Logit(3), Logit(7)], f"classifier/cam/{layer}", f"classifier/raw/{layer}")
maps(classifier, [classifier.relu2, classifier.relu3], x, [Logit(3), Logit(7)], "classifier/cam/relu2+relu3")
maps(classifier, [classifier.relu3], x, None, "classifier/cam/top")

encoder = nn.Sequential(
    OrderedDict(conv1=nn.Conv2d(3, 8, 4, 2, 1), relu1=nn.ReLU(), conv2=nn.Conv2d(8, 16, 4, 2, 1), relu2=nn.ReLU())
)
decoder = nn.Sequential(
    OrderedDict(up1=nn.ConvTranspose2d(16, 8, 4, 2, 1), relu1=nn.ReLU(), up2=nn.ConvTranspose2d(8, 3, 4, 2, 1))
)
with torch.no_grad():
    decoder.up2.weight *= 40  # so that the sigmoid saturates and both kinds of target differ
raw = nn.Sequential(OrderedDict(enc=encoder, dec=decoder)).eval()
full = nn.Sequential(OrderedDict(enc=encoder, dec=decoder, sigmoid=nn.Sigmoid())).eval()
x = torch.randn(2, 3, 32, 32)
out["autoencoder/x"] = x
out.update({f"autoencoder/net/{k}": v for k, v in raw.state_dict().items()})
area = Area(5, 8, 10, 7)
for name, layer in [("enc.relu1", encoder.relu1), ("enc.conv2", encoder.conv2), ("dec.relu1", decoder.relu1)]:
    maps(raw, [layer], x, [area, area], f"autoencoder/before/{name}", f"autoencoder/raw/before/{name}")
    maps(full, [layer], x, [area, area], f"autoencoder/after/{name}", f"autoencoder/raw/after/{name}")

def others(net, layers, x, targets, prefix):
    """The finished maps of the other methods, as prefix/method/layer."""
    for name, method in dict(hires_cam=HiResCAM).items():
        for layer, module in layers.items():
            cam = method(model=net, target_layers=[module])
            out[f"{prefix}/{name}/{layer}"] = torch.from_numpy(cam(input_tensor=x, targets=targets).copy())


others(classifier, {"relu1": classifier.relu1, "conv3": classifier.conv3}, out["classifier/x"], [Logit(3), Logit(7)], "classifier")
others(raw, {"enc.conv2": encoder.conv2, "dec.relu1": decoder.relu1}, x, [area, area], "autoencoder")

differ = (out["autoencoder/before/enc.conv2"] - out["autoencoder/after/enc.conv2"]).abs().max()
assert differ > 0.01, differ
assert all(v.abs().max() > 0.1 for k, v in out.items() if "/cam/" in k or "/before/" in k)
folder = Path(__file__).parent
save_file({k: v.detach().contiguous() for k, v in out.items()}, folder / "fixture.safetensors")
print({k: (tuple(v.shape), float(v.mean())) for k, v in out.items() if "net" not in k})
