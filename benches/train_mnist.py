"""One epoch of the quick start's network (MNIST, batch 64, Adam, then the test digits), against the same in PyTorch
with torchvision's MNIST and a DataLoader of 0 (its default), 1 and 2 workers: rounds in one run, the second epoch of
each process counts, so both are warm.

    python benches/train_mnist.py [ROUNDS] [--device cpu|cuda] [--threads N]

needs a Python with torch 2.11.0 and torchvision 0.26.0, the binary built by ./cs385, and data/mnist (cs385 data get).
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"


def theirs(workers, device, threads):
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    sets = [MNIST(os.environ["MNIST_ROOT"], train=train, transform=ToTensor()) for train in (True, False)]
    options = dict(batch_size=64, num_workers=workers, pin_memory=device == "cuda", persistent_workers=workers > 0)
    train, test = DataLoader(sets[0], shuffle=True, **options), DataLoader(sets[1], **options)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.25), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(device)  # fmt: skip
    optimizer, loss_of = torch.optim.Adam(net.parameters()), nn.CrossEntropyLoss()

    def epoch():
        total, right = torch.zeros((), device=device), torch.zeros((), device=device)
        net.train()
        for x, y in train:
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            out = net(x)
            loss = loss_of(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x)
            right += (out.argmax(1) == y).sum()
        net.eval()
        hits = torch.zeros((), device=device)
        with torch.no_grad():
            for x, y in test:
                out = net(x.to(device, non_blocking=True))
                hits += (out.argmax(1) == y.to(device, non_blocking=True)).sum()
        return float(total) / 60000, float(right) / 60000, float(hits) / 10000

    epoch()
    begin = time.perf_counter()
    accuracy = epoch()[2]
    print(time.perf_counter() - begin, accuracy)


def ours(device, threads, folder):
    command = [binary, "run", root / "benches/train_mnist.rhai", "--device", device, "--threads", threads, "--seed", 0]
    command += ["--out", folder]
    done = subprocess.run(list(map(str, command)), check=True, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open(next(Path(folder).rglob("history.csv"))) as file:
        return float(list(csv.DictReader(file))[-1]["seconds"]), float(done.stdout.split()[-1])


parser = argparse.ArgumentParser()
parser.add_argument("rounds", nargs="?", type=int, default=3)
parser.add_argument("--device", default="cpu")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--theirs", type=int, help="one PyTorch run with this many workers, for this script itself")
a = parser.parse_args()
if a.theirs is not None:
    theirs(a.theirs, a.device, a.threads)
    sys.exit()
with tempfile.TemporaryDirectory() as scratch:
    Path(scratch, "MNIST").mkdir()
    Path(scratch, "MNIST/raw").symlink_to(root / "data/mnist")
    env = dict(os.environ, MNIST_ROOT=scratch)
    rows = []
    for i in range(a.rounds):
        row = {"cs385": ours(a.device, a.threads, Path(scratch, f"run{i}"))}
        for workers in (0, 1, 2):
            command = [sys.executable, __file__, "--theirs", workers, "--device", a.device, "--threads", a.threads]
            done = subprocess.run(list(map(str, command)), check=True, env=env, stdout=subprocess.PIPE)
            row[f"{workers} workers"] = tuple(map(float, done.stdout.split()))
        rows.append(row)
        print("  ".join(f"{k} {s:.2f} s ({acc:.4f})" for k, (s, acc) in row.items()), flush=True)
best = statistics.median(r["cs385"][0] / min(r[f"{w} workers"][0] for w in (0, 1, 2)) for r in rows)
usual = statistics.median(r["cs385"][0] / r["0 workers"][0] for r in rows)
print(f"ratio to the best number of workers {best:.2f}, to the default {usual:.2f} ({a.rounds} rounds, {a.device})")
