"""Measures of maps: ROAD, drop and increase by pytorch-grad-cam 1.5.7, deletion and insertion by torchcam 0.5.0's own
formula (DeletionInsertionMetric of its main branch where the package lacks it), max sensitivity by captum 0.9.0.

net/…: weights by our names; x: pictures [2, 3, 16, 20]; map: [2, 16, 20] in 0..1; classes 3 and 7 after softmax.
road/most, road/least: gains [N, percentiles] without noise; noisy/…: with noise of ones times 0.01."""
import os
import sys
from collections import OrderedDict

import numpy as np
import torch
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence, IncreaseInConfidence
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import Fixture  # noqa: E402

torch.manual_seed(4)
f = Fixture(__file__, "measures of maps")
net = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), pool=nn.MaxPool2d(2), conv2=nn.Conv2d(6, 8, 3, padding=1),
    relu2=nn.ReLU(), gap=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten(), fc=nn.Linear(32, 10))).eval()
with torch.no_grad():
    net.fc.weight *= 8
for k, v in net.state_dict().items():
    f[f"net/{k}"] = v
x = torch.randn(2, 3, 16, 20).cumsum(3) / 2
cam = torch.nn.functional.interpolate(torch.rand(2, 1, 4, 5), (16, 20), mode="bilinear")[:, 0]
cam = (cam - cam.amin((1, 2), True)) / (cam.amax((1, 2), True) - cam.amin((1, 2), True))
f["x"], f["map"] = x, cam
targets = [ClassifierOutputSoftmaxTarget(3), ClassifierOutputSoftmaxTarget(7)]
P = [10, 20, 30, 40, 50, 60, 70, 80, 90]


def gains(kind):
    with torch.no_grad():
        return torch.from_numpy(np.stack([kind(p)(x, cam.numpy(), targets, net) for p in P], 1))


road.torch.randn_like = lambda t: torch.zeros(t.shape)
f["road/most"], f["road/least"] = gains(road.ROADMostRelevantFirst), gains(road.ROADLeastRelevantFirst)
f["road/combined"] = torch.from_numpy(road.ROADCombined(P)(x, cam.numpy(), targets, net))
road.torch.randn_like = lambda t: torch.full(t.shape, 1.0)
f["noisy/most"] = gains(road.ROADMostRelevantFirst)
f["drop"] = torch.from_numpy(DropInConfidence()(x, cam.numpy()[:, None], targets, net))
f["increase"] = torch.from_numpy(IncreaseInConfidence()(x, cam.numpy()[:, None], targets, net))

try:
    from torchcam.metrics import DeletionInsertionMetric

    class Given:
        def __init__(self):
            self.model = net

        def __call__(self, *args, **kwargs):
            return [cam]

        def fuse_cams(self, cams):
            return cams[0]

        def _hooks_off(self):
            import contextlib
            return contextlib.nullcontext()

    deletion, insertion = [], []
    for i, k in enumerate([3, 7]):
        given = Given()
        given.__class__.__call__ = lambda self, *a, i=i, **kw: [cam[i : i + 1]]
        m = DeletionInsertionMetric(given, lambda t: t.softmax(1), steps=12)
        m.update(x[i : i + 1], k)
        s = m.summary()
        print(s)
        deletion.append(s["deletion_auc" if "deletion_auc" in s else "deletion"])
        insertion.append(s["insertion_auc" if "insertion_auc" in s else "insertion"])
    f["deletion"], f["insertion"] = torch.tensor(deletion).float(), torch.tensor(insertion).float()
except ImportError as e:
    raise SystemExit(e)
print({k: v for k, v in f.tensors.items() if v.numel() < 20 and not k.startswith("net")})
f.save()
