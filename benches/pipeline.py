"""Pictures a second: JPEG → random_resized_crop(224) → flip → color_jitter → affine → tensor, in batches of 64.
PyTorch's DataLoader with torchvision v2 on PIL pictures, and with Albumentations on OpenCV's (each the best of workers 0,
1, 2), against benches/pipeline.rhai, by turns, on two threads. `python benches/pipeline.py FOLDER [pictures]`; FOLDER holds
a folder a class. Needs torch, torchvision, albumentations and opencv-python-headless."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import albumentations as A
import cv2
import torch
from albumentations.pytorch import ToTensorV2
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

here = Path(__file__).parent
binary = Path(os.environ.get("CS385", Path(os.environ.get("CARGO_TARGET_DIR", here.parent / "target")) / "release" / "cs385"))
root, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1920
augment = v2.Compose([
    v2.RandomResizedCrop(224),
    v2.RandomHorizontalFlip(),
    v2.ColorJitter(0.2, 0.2, 0.2, 0.05),
    v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
])


others = A.Compose([
    A.RandomResizedCrop((224, 224)),
    A.HorizontalFlip(),
    A.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-0.05, 0.05), p=1),
    A.Affine(rotate=(-15, 15), translate_percent=(-0.1, 0.1), scale=(0.9, 1.1), p=1),
    A.ToFloat(255),
    ToTensorV2(),
])
cv2.setNumThreads(0)  # the workers are the threads


def opencv(path):
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def albumentations(picture):
    return others(image=picture)["image"]


def theirs(workers, peer):
    torch.manual_seed(0)
    data = ImageFolder(root, augment) if peer == "torchvision" else ImageFolder(root, albumentations, loader=opencv)
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
peers = ("torchvision", "albumentations")
best = dict.fromkeys(["cs385", *peers], 0)
for _ in range(2):
    for workers in (0, 1, 2):
        rates = {peer: theirs(workers, peer) for peer in peers}
        if workers:
            rates["cs385"] = ours(workers)
        for name, rate in rates.items():
            best[name] = max(best[name], rate)
        print(f"workers {workers}: " + ", ".join(f"{n} {r:.0f}/s" for n, r in rates.items()), flush=True)
for peer in peers:
    print(f"best: {peer} {best[peer]:.0f}/s, cs385 {best['cs385']:.0f}/s, ratio {best['cs385'] / best[peer]:.2f}")
