"""VAEs on MNIST against the same in PyTorch: Bernoulli pixels drawn anew with every batch, code of 20, batch 128, Adam 1e-3.
PyTorch has all digits in memory as tensors and the fused Adam; ours is a script. Rounds in one run, two threads; the last
epoch of each process counts, so both are warm.

    python benches/vae.py [linear|conv] [ROUNDS] [EPOCHS] [SAMPLES]      # the binary built by ./cs385, data/mnist

With SAMPLES both are then measured alike: negative log-likelihood of all 10,000 test digits (one binarisation, one seed) by
so many importance samples (Burda et al. 2016). pythae states 89.78 for one hidden layer of 400, there with a fixed
binarisation and up to 1,000 epochs: a figure of another setting. Needs a Python with torch 2.11.0 and safetensors.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

root = Path(__file__).resolve().parent.parent
binary = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "cs385"
structure = sys.argv[1] if len(sys.argv) > 1 else "linear"
rounds, epochs, samples = [int(a) for a in (sys.argv[2:5] + ["3", "2", "0"][len(sys.argv[2:5]):])]
MARKS = dict(linear=0.9, conv=1.0)
torch.set_num_threads(2)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        if structure == "linear":
            self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
            self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
            self.names = {"encoder.1": "encoder.fc1", "encoder.3": "encoder.moments", "decoder.0": "decoder.fc1",
                          "decoder.2": "decoder.out"}  # fmt: skip
        else:
            self.encoder = nn.Sequential(
                nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 40))
            self.decoder = nn.Sequential(
                nn.Linear(20, 3136), nn.Unflatten(1, (64, 7, 7)), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(32, 1, 4, 2, 1))  # fmt: skip
            self.names = {"encoder.0": "encoder.conv1", "encoder.2": "encoder.conv2", "encoder.5": "encoder.moments",
                          "decoder.0": "decoder.fc1", "decoder.3": "decoder.deconv1", "decoder.5": "decoder.logits"}  # fmt: skip

    def loss(self, x):
        mu, logvar = self.encoder(x).chunk(2, 1)
        z = mu + (logvar / 2).exp() * torch.randn_like(mu)
        reconstruction = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum") / len(x)
        return reconstruction + (mu.square() + logvar.exp() - 1 - logvar).sum(1).mean() / 2


def theirs(seed):
    data = np.fromfile(root / "data/mnist/train-images-idx3-ubyte", np.uint8, offset=16)
    x = torch.from_numpy(data.reshape(-1, 1, 28, 28)).float() / 255
    torch.manual_seed(seed)
    net = Vae()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
    for _ in range(epochs):
        begin, total = time.perf_counter(), torch.zeros(())
        for batch in torch.randperm(len(x)).split(128):
            loss = net.loss(torch.bernoulli(x[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(batch)
        seconds = time.perf_counter() - begin
    return seconds, {k.replace(a, b): v for k, v in net.state_dict().items() for a, b in net.names.items() if k.startswith(a)}


def ours(folder, **params):
    command = [binary, "run", root / "benches/vae.rhai", "--threads", "2", "--out", folder]
    for k, v in dict(params, structure=structure).items():
        command += ["--set", f"{k}={v}"]
    done = subprocess.run(list(map(str, command)), check=True, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [float(v) for v in done.stdout.split()]


with tempfile.TemporaryDirectory() as scratch:
    pairs = []
    for i in range(rounds):
        mine = ours(scratch, epochs=epochs, samples=samples if i == 0 else 0)
        peer, weights = theirs(i)
        pairs.append((mine[0], peer))
        print(f"{structure}: cs385 {mine[0]:.2f} s, PyTorch {peer:.2f} s an epoch", flush=True)
        if i == 0 and samples:
            save_file({k: v.contiguous() for k, v in weights.items()}, Path(scratch) / "twin.safetensors")
            twin = ours(scratch, weights=Path(scratch) / "twin.safetensors", samples=samples)[-1]
            print(f"  after {epochs} epochs, {samples} samples: cs385 {mine[1]:.3f}, PyTorch {twin:.3f} nats", flush=True)
ratio = statistics.median(a / b for a, b in pairs)
print(f"{structure}: ratio {ratio:.3f} (mark {MARKS[structure]}: {'kept' if ratio <= MARKS[structure] else 'missed'}), {rounds} rounds")
