"""Pictures a second: JPEG → random_resized_crop(224) → flip → color_jitter → affine → tensor, in batches of 64.
PyTorch's DataLoader with torchvision v2 on PIL pictures (best of workers 0, 1, 2) against benches/pipeline.rhai, by
turns, on two threads. `python benches/pipeline.py FOLDER [pictures]`; FOLDER holds a folder a class."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

here = Path(__file__).parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", here.parent / "target")) / "release" / "cs385"
root, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1920
augment = v2.Compose([
    v2.RandomResizedCrop(224),
    v2.RandomHorizontalFlip(),
    v2.ColorJitter(0.2, 0.2, 0.2, 0.05),
    v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
])


def theirs(workers):
    torch.manual_seed(0)
    data = ImageFolder(root, augment)
    loader = DataLoader(Subset(data, torch.randperm(len(data))[:n].tolist()), 64, num_workers=workers)
    # The first batch pays for the start of the processes: it is not counted.
    seen, began = 0, None
    for x, _ in loader:
        if began is None:
            began = time.perf_counter()
        else:
            seen += len(x)
    return seen / (time.perf_counter() - began)


def ours(workers):
    out = subprocess.run([binary, "run", here.resolve() / "pipeline.rhai", "--threads", "2", "--set", f"root={root}",
                          "--set", f"n={n}", "--set", f"workers={workers}"], capture_output=True, text=True, check=True, cwd=tempfile.gettempdir())
    return float(out.stdout.split()[-1])


torch.set_num_threads(2)
best = {"theirs": 0, "ours": 0}
for _ in range(2):
    for workers in (0, 1, 2):
        rate = theirs(workers)
        best["theirs"] = max(best["theirs"], rate)
        line = f"workers {workers}: torchvision {rate:.0f}/s"
        if workers:
            rate = ours(workers)
            best["ours"] = max(best["ours"], rate)
            line += f", cs385 {rate:.0f}/s"
        print(line, flush=True)
print(f"best: torchvision {best['theirs']:.0f}/s, cs385 {best['ours']:.0f}/s, ratio {best['ours'] / best['theirs']:.2f}")
