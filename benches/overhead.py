"""100,000 additions of two small tensors in a script's loop, against the same loop in PyTorch eager: the rounds of
both take turns in one run, one thread, both warmed up.

    python benches/overhead.py [ROUNDS]      # a Python with torch 2.11.0; the binary built by ./cs385
"""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

root = Path(__file__).resolve().parent.parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
n = 100_000
torch.set_num_threads(1)


def ours():
    command = [binary, "run", root / "benches/overhead.rhai", "--threads", "1", "--set", "rounds=1", "--set", f"n={n}"]
    return float(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE).stdout.split()[-1])


def theirs():
    a, b = torch.rand(4), torch.rand(4)
    for _ in range(1000):
        x = a + b
    begin = time.perf_counter()
    for _ in range(n):
        x = a + b
    return time.perf_counter() - begin


ours(), theirs()
rows = [(ours(), theirs()) for _ in range(rounds)]
mine, peer = (statistics.median(r[i] for r in rows) for i in (0, 1))
ratio = statistics.median(a / b for a, b in rows)
print(f"{n} additions: cs385 {mine:.3f} s, PyTorch {peer:.3f} s, ratio {ratio:.2f} ({rounds} rounds)")
