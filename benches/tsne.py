"""t-SNE of MNIST (5,000 x 50) and Fashion-MNIST (10,000, 20,000, 60,000 x 50) against openTSNE, scikit-learn and the
crate manifolds-rs, in pairs: from the features to the map, two threads each, OpenMP passive. One yardstick outside all
of them: KL with exact neighbours and all pairs, and how many of the ten nearest are among the ten nearest in the map.

    python benches/tsne.py [--sizes 5000,10000] [--dims 2] [--pairs 1] [--peers opentsne,sklearn,manifolds]

needs a Python with scikit-learn 1.9.1 and openTSNE 1.0.4, the binary built by ./cs385, and both data sets
(cs385 data get mnist fashion_mnist); the peer `manifolds` (every mode, default learning rate and n, 2-D only) also the
program built by `cargo build --release --manifest-path benches/manifolds/Cargo.toml` (MANIFOLDS names another). A row:
wall seconds, KL, neighbours kept, MB above an idle process.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", RAYON_NUM_THREADS="2", OMP_WAIT_POLICY="passive")
root = Path(__file__).resolve().parent.parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"
data = Path(os.environ.get("CS385_DATA", Path.home() / ".local/share/cs385/data"))
manifolds = Path(os.environ.get("MANIFOLDS", root / "benches/manifolds/target/release/manifolds"))
# Every setting that changes speed and KL: how repulsion is computed, the learning rate.
SETTINGS = [f"manifolds {mode} {rate}" for mode in ("bh", "qd", "fft", "fft_3k") for rate in ("default", "n")]


def features(n):
    import numpy as np
    from sklearn.decomposition import PCA

    name = "mnist" if n <= 5000 else "fashion_mnist"
    raw = np.fromfile(data / name / "train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 784)[:n]
    return PCA(50, svd_solver="covariance_eigh").fit_transform(raw.astype(np.float32) / 255).astype(np.float32)


def peer(kind, path, dims):
    """In a process of its own: one JSON line of seconds, and the map beside the features."""
    import numpy as np

    x = np.load(path)

    def fit(x):
        if kind == "sklearn":
            from sklearn.manifold import TSNE

            return TSNE(dims, n_jobs=2, random_state=1).fit_transform(x)
        from openTSNE import TSNE

        method = {"opentsne-bh": "bh", "opentsne-fft": "fft"}[kind]
        return TSNE(dims, n_jobs=2, random_state=1, negative_gradient_method=method).fit(x)

    import openTSNE  # noqa: F401
    import sklearn.manifold  # noqa: F401

    idle = peak()
    fit(x[:1000])
    began = time.perf_counter()
    y = np.asarray(fit(x), dtype=np.float32)
    seconds = time.perf_counter() - began
    np.save(path.with_name("peer.npy"), y)
    print(json.dumps([seconds, peak() - idle]))


def ours(path, dims):
    """Seconds of the map alone, as the script's clock has them; the map; MB above a process with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "idle.rhai").write_text(f'embed::pca(tensor::load("{path}"));')
        idle = run([binary, "run", "idle.rhai", "--quiet"], folder)[1]
        command = [binary, "run", root / "benches/tsne.rhai", "--quiet", "--threads", "2", "--set", f"features={path}"]
        out, most = run([*command, "--set", f"dims={dims}"], folder)
        import numpy as np

        return float(out.split()[0]), np.load(Path(folder) / "outputs/tsne/latest/map.npy"), most - idle


def peak(pid="self"):
    """MB that a process has held at most (ru_maxrss would count its parent's too)."""
    with open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0.0)


def run(command, folder):
    """Standard output, and the most memory seen while it ran."""
    most = 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as p:
        while p.poll() is None:
            most = max(most, peak(p.pid))
            time.sleep(0.02)
        assert p.returncode == 0, command
        return p.stdout.read(), most


class Yardstick:
    def __init__(self, x, n_neighbours=90):
        import numpy as np
        from openTSNE.affinity import PerplexityBasedNN
        from sklearn.neighbors import NearestNeighbors

        self.np, self.Nearest = np, NearestNeighbors
        self.p = PerplexityBasedNN(x, perplexity=30, method="exact", n_jobs=2).P.tocoo()
        self.some = np.random.default_rng(0).choice(len(x), min(2000, len(x)), replace=False)
        self.near = self.nearest(x)

    def nearest(self, x):
        found = self.Nearest(n_neighbors=11, algorithm="brute", n_jobs=2).fit(x).kneighbors(x[self.some])[1]
        return [set(row[row != i][:10]) for i, row in zip(self.some, found)]

    def __call__(self, y):
        np, p = self.np, self.p
        y = y.astype(np.float64)
        z = -float(len(y))
        squares = (y**2).sum(1)
        for a in range(0, len(y), 500):
            d = squares[a : a + 500, None] + squares - 2 * y[a : a + 500] @ y.T
            z += (1 / (1 + np.maximum(d, 0))).sum()
        d = ((y[p.row] - y[p.col]) ** 2).sum(1)
        kl = (p.data * (np.log(p.data) + np.log1p(d) + np.log(z))).sum()
        kept = sum(len(a & b) for a, b in zip(self.near, self.nearest(y))) / (10 * len(self.near))
        return kl, kept


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--sizes", default="5000,10000,20000,60000")
    a.add_argument("--dims", type=int, default=2)
    a.add_argument("--pairs", type=int, default=1)
    a.add_argument("--peers", default="opentsne,sklearn")
    a.add_argument("--peer", nargs=3)
    a = a.parse_args()
    if a.peer:
        return peer(a.peer[0], Path(a.peer[1]), int(a.peer[2]))
    import numpy as np

    for n in map(int, a.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.npy"
            x = features(n)
            np.save(path, x)
            measure = Yardstick(x)
            best = "opentsne-bh" if n <= 10000 or a.dims == 3 else "opentsne-fft"
            named = {"opentsne": [best], "manifolds": SETTINGS if a.dims == 2 else []}
            peers = [kind for p in a.peers.split(",") if p for kind in named.get(p, [p])]
            for _ in range(a.pairs):
                own, y, memory = ours(path, a.dims)
                kl, kept = measure(y)
                print(f"{n} x {a.dims}-D  cs385 {own:.2f} s  KL {kl:.4f}  kept {kept:.4f}  {memory:.0f} MB", flush=True)
                for kind in peers:
                    if kind.startswith("manifolds"):
                        line = [manifolds, path, path.with_name("peer.npy"), *kind.split()[1:]]
                    else:
                        line = [sys.executable, __file__, "--peer", kind, str(path), str(a.dims)]
                    seconds, memory = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
                    kl, kept = measure(np.load(path.with_name("peer.npy")))
                    print(f"    {kind} {seconds:.2f} s  KL {kl:.4f}  kept {kept:.4f}  {memory:.0f} MB"
                          f"  ratio {own / seconds:.3f}", flush=True)  # fmt: skip


main()
