"""Seconds of an epoch of a network that learns masks, two threads: cs385 (benches/segment.rhai, drawn animals) in float32 and
bf16 against PyTorch in float32; by turns, the second epoch counts.

    python benches/segment.py [--encoder vgg16] [--decoder fcn_8] [--px 128] [--n 48] [--rounds 3]

PyTorch has noise of the same size in memory as tensors; both take batches of 8, cross-entropy over pixels, Adam. Needs a
Python with torch and torchvision, and the binary built by ./cs385. That bf16 learns as well is measured by
segment_table.rhai, with --set precision=bf16 and without.
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
binary = Path(os.environ.get("CS385", Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"))
sys.path.insert(0, str(root / "tests/oracles/segment"))
p = argparse.ArgumentParser()
p.add_argument("--encoder", default="vgg16")
p.add_argument("--decoder", default="fcn_8")
p.add_argument("--px", type=int, default=128)
p.add_argument("--n", type=int, default=48)
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--threads", type=int, default=2)
a = p.parse_args()
MARKS = dict(PyTorch=1.02, float32=0.6)


def theirs():
    import torch
    from networks import FCN

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    net = FCN(a.encoder, a.decoder, classes=2)
    x, y = torch.rand(a.n, 3, a.px, a.px), torch.randint(0, 2, (a.n, a.px, a.px))
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    for _ in range(2):
        began = time.perf_counter()
        for batch in torch.randperm(a.n).split(8):
            loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds = time.perf_counter() - began
    return seconds


def ours(precision):
    settings = dict(encoder=a.encoder, decoder=a.decoder, px=a.px, n=a.n, precision=precision)
    with tempfile.TemporaryDirectory() as scratch:
        command = [binary, "run", root / "benches/segment.rhai", "--threads", a.threads, "--out", scratch]
        command += [word for k, v in settings.items() for word in ("--set", f"{k}={v}")]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(next(Path(scratch).rglob("history.csv"))) as file:
            return float(list(csv.DictReader(file))[-1]["seconds"])


rows = []
for _ in range(a.rounds):
    rows.append(dict(float32=ours("float32"), PyTorch=theirs(), bf16=ours("bf16")))
    print("  ".join(f"{k} {s:.2f} s" for k, s in rows[-1].items()), flush=True)
for mine, peer in (("float32", "PyTorch"), ("bf16", "float32")):
    ratio, mark = statistics.median(r[mine] / r[peer] for r in rows), MARKS[peer]
    print(f"{a.encoder}/{a.decoder}: cs385 {mine} to {peer} {ratio:.3f} (mark {mark}: {'kept' if ratio <= mark else 'missed'}), {a.rounds} rounds")
