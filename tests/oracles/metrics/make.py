"""Measures of a classifier by scikit-learn and torchmetrics (calibration), on 200 random outputs for 7 classes, one
of which has no pictures and one is never predicted; sharpness and Fréchet distance by SciPy. Writes fixture.safetensors and cases.json."""
import sys
from pathlib import Path

import numpy as np
import torch
from scipy import linalg, ndimage
from sklearn import metrics as M
from torchmetrics.functional.classification import multiclass_calibration_error

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from common import Fixture

f = Fixture(__file__, "measures of a classifier")
torch.manual_seed(0)
n, c = 200, 7
target = torch.randint(0, c - 1, (n,))
output = torch.randn(n, c) * 1.5
output[torch.arange(n), target] += 1.0
output[:, 2] -= 20
f["output"], f["target"] = output, target
labels = list(range(c))
taken, p = output.argmax(1), output.softmax(1)
f["confusion"] = torch.from_numpy(M.confusion_matrix(target, taken, labels=labels))
for k in (1, 2, 3):
    f.case(f"top_{k}", value=float(M.top_k_accuracy_score(target, p, k=k, labels=labels)))
report = M.classification_report(target, taken, labels=labels, output_dict=True, zero_division=0)
report.pop("accuracy", None)
report.pop("micro avg", None)
f.case("report", rows=[[v["precision"], v["recall"], v["f1-score"], v["support"]] for v in report.values()])
for bins in (5, 15):
    for norm, name in (("l1", "ece"), ("max", "mce")):
        v = multiclass_calibration_error(p.double(), target, c, n_bins=bins, norm=norm)
        f.case(f"{name}_{bins}", value=float(v))
losses = torch.nn.functional.cross_entropy(output, target, reduction="none")
worst = losses.topk(5)
f.case("top_losses", index=worst.indices.tolist(), loss=worst.values.tolist())

pictures = torch.rand(3, 3, 7, 9)
f["pictures"] = pictures
inner = [ndimage.laplace(p.double().mean(0).numpy())[1:-1, 1:-1] for p in pictures]
f.case("sharpness", value=[float(i.var()) for i in inner])
a, b = torch.randn(40, 6), torch.randn(25, 6) @ torch.randn(6, 6) + 0.5
b[:, 5] = b[:, 4]  # a covariance without an inverse
f["a"], f["b"] = a, b
m, s = zip(*((x.double().mean(0).numpy(), np.cov(x.double().numpy(), rowvar=False)) for x in (a, b)))
root = linalg.sqrtm(s[0] @ s[1]).real
f.case("frechet_distance", value=float(((m[0] - m[1]) ** 2).sum() + np.trace(s[0] + s[1] - 2 * root)))
f.save()
