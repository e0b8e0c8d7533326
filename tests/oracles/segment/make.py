"""Networks that draw masks by torch and torchvision, and measures of masks by scikit-learn and SciPy.

fixture.safetensors: `ENCODER/DECODER` (and `/fixed`, kernels that are not learned), `unet/…`: every third row and column of
the output, in evaluation mode, of a network whose tensors are `filled` by their names (common.py), for the picture
`filled("input", [1, 3, 70, 101])`; classes 3, fc6 and fc7 of 8 channels. `output`, `target`: logits and classes of five
kinds, of which one is in the prediction alone, one in neither, and a tenth does not count; cases.json has their measures."""
import sys
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from sklearn import metrics as M
from torch.nn import functional as F

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]
from common import Fixture, fill, filled
from networks import FCN, UNet

f = Fixture(__file__, "networks that draw masks, measures of masks")
picture = filled("input", (1, 3, 70, 101))
with torch.no_grad():
    for encoder in ("alexnet", "vgg16", "vgg16_bn", "resnet18"):
        for decoder in ("fcn_8", "fcn_32", "fcn_8s", "fcn_16s", "fcn_32s"):
            light = not decoder.endswith("s")
            if light or encoder == "alexnet" or (encoder == "vgg16" and decoder == "fcn_8s"):
                f[f"{encoder}/{decoder}"] = fill(FCN(encoder, decoder))(picture)[:, :, 1::3, 1::3]
    f["alexnet/fcn_8/fixed"] = fill(FCN("alexnet", "fcn_8", learned=False))(picture)[:, :, 1::3, 1::3]
    for norm in (True, False):
        f[f"unet/{str(norm).lower()}"] = fill(UNet(3, 4, 3, norm))(picture)[:, :, 1::3, 1::3]

# Classes in patches, so that there are outlines; class 3 is only predicted, class 4 nowhere.
torch.manual_seed(0)
coarse = torch.randint(0, 3, (4, 5, 7))
target = coarse.repeat_interleave(9, 1).repeat_interleave(6, 2)
wrong = torch.randint(0, 4, (4, 15, 14)).repeat_interleave(3, 1).repeat_interleave(3, 2)
said = torch.where(torch.rand(4, 15, 14).repeat_interleave(3, 1).repeat_interleave(3, 2) < 0.25, wrong, target)
output = F.one_hot(said, 5).permute(0, 3, 1, 2).float() * 3 + torch.rand(4, 5, 45, 42)
target = target.masked_fill(torch.rand(target.shape) < 0.1, -100)
f["output"], f["target"] = output, target


def measures(said, target, classes):
    keep = target != -100
    y, p, labels = target[keep].numpy(), said[keep].numpy(), list(range(classes))
    iou = M.jaccard_score(y, p, labels=labels, average=None, zero_division=0)
    dice = M.f1_score(y, p, labels=labels, average=None, zero_division=0)
    recall = M.recall_score(y, p, labels=labels, average=None, zero_division=0)
    in_y = np.isin(labels, y)
    there = in_y | np.isin(labels, p)
    share = np.array([(y == k).mean() for k in labels])
    nan = lambda v, ok: [float(a) if b else None for a, b in zip(v, ok)]
    return dict(
        pixel_accuracy=float(M.accuracy_score(y, p)), mean_accuracy=float(M.recall_score(y, p, labels=np.unique(y), average="macro")),
        mean_iou=float(iou[there].mean()), foreground_iou=float(iou[1:][there[1:]].mean()),
        frequency_weighted_iou=float((share * iou).sum()), mean_dice=float(dice[there].mean()),
        iou=nan(iou, there), dice=nan(dice, there), accuracy=nan(recall, in_y),
        confusion=M.confusion_matrix(y, p, labels=labels).tolist())


def boundary(said, target, classes, tolerance):
    def one(p, y, keep):
        scores = []
        for k in range(1, classes):
            a, b = (p == k) & keep, (y == k) & keep
            if not (a.any() or b.any()):
                continue
            edge = lambda m: m & ~ndimage.binary_erosion(m, border_value=1)
            ea, eb = edge(a), edge(b)
            close = lambda e, other: (ndimage.distance_transform_edt(~other)[e] <= tolerance).mean() if e.any() and other.any() else 0.0
            precision, recall = close(ea, eb), close(eb, ea)
            scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
        return np.mean(scores)

    return float(np.mean([one(p, y, y != -100) for p, y in zip(said.numpy(), target.numpy())]))


said = output.argmax(1)
f.case("five", **measures(said, target, 5))
f.case("one picture", **measures(said[:1], target[:1], 5))
f.case("two", **measures(said.clamp(max=1), target.clamp(max=1), 2))
for tolerance in (1.0, 2.3):
    f.case(f"boundary {tolerance}", tolerance=tolerance, value=boundary(said, target, 5, tolerance))
f.save()
