"""Deep feature factorization by pytorch-grad-cam 1.5.7 over scikit-learn's NMF (coordinate descent), with NNDSVD of an
exact SVD as its start where the reference draws a random one. Writes fixture.safetensors.

`x`, `net/…`; for `relu` (post-ReLU) and `conv` (both signs): `k`/maps (0 to 1 in each map, at the input's size), `k`/concepts
(times the concept's largest coefficient, less and plus the channels' least value), `k`/error, `k`/rounds, `k`/scores."""
from collections import OrderedDict

import numpy as np
import sklearn.decomposition._nmf as nmf
import torch
from pytorch_grad_cam import DeepFeatureFactorization
from pytorch_grad_cam.feature_factorization import deep_feature_factorization as reference
from safetensors.torch import save_file
from sklearn.decomposition import NMF
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(5)
kept = {}


def exact(x, k, **_):
    u, s, v = np.linalg.svd(x, full_matrices=False)
    return u[:, :k], s[:k], v[:k]


nmf._randomized_svd = exact
nmf.randomized_svd = exact


class Kept(NMF):
    def __init__(self, n_components, init, random_state):
        super().__init__(n_components=n_components, init="nndsvd", solver="cd")

    def fit_transform(self, x, *args, **kwargs):
        w = super().fit_transform(x.astype(np.float64), *args, **kwargs)
        kept.update(h=self.components_.copy(), rounds=self.n_iter_, error=self.reconstruction_err_ / np.linalg.norm(x))
        return w


reference.NMF = Kept
net = nn.Sequential(OrderedDict(
    conv=nn.Conv2d(3, 12, 3, padding=1), relu=nn.ReLU(), gap=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),
    fc=nn.Linear(12, 6))).eval()
x = torch.rand(3, 3, 10, 12)
out = {"x": x} | {f"net/{k}": v for k, v in net.state_dict().items()}
for layer in ["relu", "conv"]:
    for k in [1, 4]:
        concepts, maps = DeepFeatureFactorization(net, getattr(net, layer))(x, k)
        with torch.no_grad():
            low = net.conv(x) if layer == "conv" else net.relu(net.conv(x))
        low = low.transpose(0, 1).flatten(1).amin(1).numpy()[:, None]
        # Where the concept is strongest: times its largest coefficient, before the least value is added again.
        concepts = torch.tensor((concepts - low) * kept["h"].max(1) + low).float().T.contiguous()
        key = f"{layer}/{k}"
        out[f"{key}/maps"] = torch.tensor(np.stack(maps)).float()
        out[f"{key}/concepts"] = concepts
        out[f"{key}/error"] = torch.tensor([kept["error"]])
        out[f"{key}/rounds"] = torch.tensor([kept["rounds"]])
        behind = nn.Sequential(net.gap, net.flatten, net.fc) if layer == "relu" else net[1:]
        with torch.no_grad():
            out[f"{key}/scores"] = behind(concepts[:, :, None, None])
        print(key, kept["rounds"], kept["error"])
save_file({k: v.contiguous() for k, v in out.items()}, __file__.replace("make.py", "fixture.safetensors"))
