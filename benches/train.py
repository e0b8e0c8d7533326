"""Seconds of an epoch from JPEG files with augmentation, batches of 32, Adam, two threads: cs385 (benches/train.rhai)
against PyTorch with a DataLoader and torchvision v2, the best of 0, 1 and 2 workers; by turns, the second epoch counts.

    python benches/train.py FOLDER [--net frozen|plain] [--rounds N] [--n PICTURES] [--px 224]
    python benches/train.py FOLDER --accuracy 3 [--net plain] [--px 64] [--n 3000] [--epochs 10]

`frozen` is ResNet18 of which only the last layer learns, in float32 and bf16, against PyTorch's usual form (requires_grad
off) and its fastest (channels-last, frozen part in evaluation mode under no_grad); `plain` is the CNN of four layers.
`--accuracy SEEDS` compares the test accuracy after equal epochs instead. FOLDER holds a folder a class; needs a Python
with torch, torchvision and safetensors, and the binary built by ./cs385.
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
p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--net", default="frozen", choices=["frozen", "plain"])
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--n", type=int, default=640)
p.add_argument("--px", type=int, default=224)
p.add_argument("--epochs", type=int, default=2)
p.add_argument("--test", type=int, default=0)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--accuracy", type=int, metavar="SEEDS")
p.add_argument("--theirs", nargs=4, metavar=("FORM", "WORKERS", "SEED", "WEIGHTS"), help="one PyTorch run, for this script itself")
a = p.parse_args()


def theirs(form, workers, seed, weights):
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from torch.utils.data import DataLoader, Subset
    from torchvision.datasets import ImageFolder
    from torchvision.models import resnet18
    from torchvision.transforms import v2

    torch.set_num_threads(a.threads)
    torch.manual_seed(seed)
    end = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    augment = v2.Compose([
        v2.RandomResizedCrop(a.px), v2.RandomHorizontalFlip(), v2.ColorJitter(0.2, 0.2, 0.2, 0.05),
        v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)), *end,
    ])  # fmt: skip
    data, plain = ImageFolder(a.folder, augment), ImageFolder(a.folder, v2.Compose([v2.Resize(a.px), v2.CenterCrop(a.px), *end]))
    order, classes = torch.randperm(len(data)).tolist(), len(data.classes)
    options = dict(num_workers=workers, persistent_workers=workers > 0)
    loader = DataLoader(Subset(data, order[: a.n]), 32, shuffle=True, **options)
    test = DataLoader(Subset(plain, order[a.n : a.n + a.test]), 256, **options)
    if a.net == "frozen":
        net = resnet18()
        net.load_state_dict(load_file(weights), strict=False)
        net.requires_grad_(False)
        net.fc = nn.Linear(512, classes)
    else:
        parts, channels = [], 3
        for width in (32, 64, 128, 256):
            parts += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
    fast = form == "fast"
    if fast:
        body = nn.Sequential(*list(net.children())[:-1], nn.Flatten()).eval().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam([q for q in net.parameters() if q.requires_grad], lr=1e-3)

    def forward(x):
        if not fast:
            return net(x)
        with torch.no_grad():
            features = body(x.to(memory_format=torch.channels_last))
        return net.fc(features)

    for _ in range(a.epochs):
        began, right = time.perf_counter(), 0
        net.train()
        if fast:
            body.eval()
        for x, y in loader:
            out = forward(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (out.argmax(1) == y).sum()
        seconds = time.perf_counter() - began
    accuracy = float(right) / a.n
    if a.test:
        net.eval()
        with torch.no_grad():
            accuracy = sum(float((forward(x).argmax(1) == y).sum()) for x, y in test) / a.test
    print(seconds, accuracy)


def python(form, workers, seed, weights):
    command = [sys.executable, *sys.argv, "--theirs", form, str(workers), str(seed), weights]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return tuple(map(float, done.stdout.split()[-2:]))


def ours(precision, seed, weights):
    settings = dict(root=Path(a.folder).resolve(), net=a.net, n=a.n, px=a.px, epochs=a.epochs, test=a.test,
                    precision=precision, weights=weights)  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        command = [binary, "run", root / "benches/train.rhai", "--threads", a.threads, "--seed", seed, "--out", scratch]
        command += [word for k, v in settings.items() for word in ("--set", f"{k}={v}")]
        done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with open(next(Path(scratch).rglob("history.csv"))) as file:
            return float(list(csv.DictReader(file))[-1]["seconds"]), float(done.stdout.split()[-1])


def measure(weights):
    forms = ["usual", "fast"] if a.net == "frozen" else ["usual"]
    kinds = ["float32", "bf16"]
    rows = []
    for i in range(a.rounds):
        row = {k: ours(k, i, weights) for k in kinds}
        for form in forms:
            all_of = {w: python(form, w, i, weights) for w in (0, 1, 2)}
            best = min(all_of, key=lambda w: all_of[w][0])
            row[form] = all_of[best]
            print(f"PyTorch {form}, workers 0, 1, 2: " + ", ".join(f"{s:.2f}" for s, _ in all_of.values()) + " s", flush=True)
        rows.append(row)
        print("  ".join(f"{k} {s:.2f} s ({accuracy:.3f})" for k, (s, accuracy) in row.items()), flush=True)
    for form in forms:
        for k in kinds:
            ratio = statistics.median(r[k][0] / r[form][0] for r in rows)
            print(f"{a.net}: cs385 {k} to PyTorch's {form} form {ratio:.2f} ({a.rounds} rounds)")


def compare(weights):
    for name, run in [("cs385", lambda s: ours("float32", s, weights)), ("cs385 bf16", lambda s: ours("bf16", s, weights)),
                      ("PyTorch", lambda s: python("usual", 2, s, weights))]:  # fmt: skip
        found = [run(seed)[1] for seed in range(a.accuracy)]
        print(f"{name}: test accuracy {', '.join(f'{v:.4f}' for v in found)}; mean {statistics.mean(found):.4f}", flush=True)


if a.theirs:
    theirs(a.theirs[0], int(a.theirs[1]), int(a.theirs[2]), a.theirs[3])
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    import torch
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    torch.manual_seed(0)
    file = Path(folder, "resnet18.safetensors")
    save_file({k: v for k, v in resnet18().state_dict().items() if not k.startswith("fc.")}, file)
    if a.accuracy:
        a.test = a.test or 500
        sys.argv += [] if "--test" in sys.argv else ["--test", str(a.test)]
        compare(str(file))
    else:
        measure(str(file))
