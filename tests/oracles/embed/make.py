"""PCA, trustworthiness and silhouette of scikit-learn 1.9.1, affinities of openTSNE 1.0.4 (exact neighbours).

Keys: x [60, 6] and wide [12, 30]: points; labels [60]; map [60, 2]: any map of x.
pca/…, wide/…: components, variance, ratio, scores. p/NAME: joint affinities [60, 60] at perplexity 10 (euclidean,
cosine), and the mean of those at 4 and 12 over the same 36 neighbours (mixture; openTSNE's own MultiscaleMixture
gives those of 4 alone). measures: trustworthiness of map at 5 neighbours, silhouette of x.
Writes fixture.safetensors; `python make.py` re-makes it."""
import sys
from pathlib import Path

import numpy as np
import torch
from openTSNE.affinity import PerplexityBasedNN
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import Fixture  # noqa: E402

out = Fixture(__file__, "scikit-learn 1.9.1, openTSNE 1.0.4")
rng = np.random.default_rng(0)
labels = np.arange(60) % 3
x = (rng.normal(size=(60, 6)) * [3, 2, 1, 1, 0.5, 0.1] + labels[:, None] * 2 + 5).astype(np.float32)
wide = rng.normal(size=(12, 30)).astype(np.float32)
y = rng.normal(size=(60, 2)).astype(np.float32) + x[:, :2]
for key, v in (("x", x), ("wide", wide), ("map", y), ("labels", labels)):
    out[key] = torch.from_numpy(np.asarray(v))
for key, data in (("pca", x), ("wide_pca", wide)):
    fit = PCA(3, svd_solver="full").fit(data.astype(np.float64))
    out[f"{key}/components"] = torch.from_numpy(fit.components_)
    out[f"{key}/variance"] = torch.from_numpy(fit.explained_variance_)
    out[f"{key}/ratio"] = torch.from_numpy(fit.explained_variance_ratio_)
    out[f"{key}/scores"] = torch.from_numpy(fit.transform(data.astype(np.float64)))
x64 = x.astype(np.float64)
for metric in ("euclidean", "cosine"):
    p = PerplexityBasedNN(x64, perplexity=10, method="exact", metric=metric).P
    out[f"p/{metric}"] = torch.from_numpy(p.toarray())
both = [PerplexityBasedNN(x64, perplexity=p, k_neighbors=36, method="exact").P.toarray() for p in (4, 12)]
out["p/mixture"] = torch.from_numpy(sum(both) / 2)
out["measures"] = torch.tensor([trustworthiness(x64, y.astype(np.float64), n_neighbors=5), silhouette_score(x64, labels)])
out.save()
