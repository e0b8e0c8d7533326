"""One step of a VAE-GAN (Larsen et al. 2016, algorithm 1) written in PyTorch (torch 2.11.0): the parts of the losses, and
the gradients of encoder, decoder and discriminator, each of its own loss. Keys: x, vae/<weight>, discriminator/<weight>,
grad/vae/<weight>, grad/discriminator/<weight>; cases.json: the networks as a script builds them, gamma, the seed from
which code and prior are drawn, the parts. `python make.py` re-makes them."""
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).parents[1]))
from common import Fixture

W, LATENT, N, GAMMA, SEED = 2, 3, 6, 0.05, 7
fixture = Fixture(__file__, "VAE-GAN written in PyTorch")


def halving(i, a, b):
    return [(f"conv{i}", nn.Conv2d(a, b, 5, stride=2, padding=2)), (f"bn{i}", nn.BatchNorm2d(b)), (f"relu{i}", nn.ReLU())]


def doubling(i, a, b):
    up = nn.ConvTranspose2d(a, b, 5, stride=2, padding=2, output_padding=1)
    return [(f"deconv{i}", up), (f"bn{i + 1}", nn.BatchNorm2d(b)), (f"relu{i + 1}", nn.ReLU())]


def dense(i, j, a, b):
    return [(f"fc{i}", nn.Linear(a, b)), (f"bn{j}", nn.BatchNorm1d(b)), (f"relu{j}", nn.ReLU())]


def net(*layers):
    return nn.Sequential(OrderedDict(layers))


torch.manual_seed(0)
flat = 4 * W * 2 * 2
encoder = net(*halving(1, 3, W), *halving(2, W, 2 * W), *halving(3, 2 * W, 4 * W), ("flatten", nn.Flatten()),
              *dense(1, 4, flat, 32 * W), ("moments", nn.Linear(32 * W, 2 * LATENT)))  # fmt: skip
decoder = net(*dense(1, 1, LATENT, flat), ("unflatten", nn.Unflatten(1, (4 * W, 2, 2))), *doubling(1, 4 * W, 4 * W),
              *doubling(2, 4 * W, 2 * W), *doubling(3, 2 * W, W // 2), ("logits", nn.Conv2d(W // 2, 3, 5, padding=2)),
              ("sigmoid", nn.Sigmoid()))  # fmt: skip
to_conv4 = net(("conv1", nn.Conv2d(3, W // 2, 5, padding=2)), ("relu1", nn.ReLU()), *halving(2, W // 2, 2 * W),
               *halving(3, 2 * W, 4 * W), ("conv4", nn.Conv2d(4 * W, 4 * W, 5, stride=2, padding=2)))  # fmt: skip
to_logit = net(("bn4", nn.BatchNorm2d(4 * W)), ("relu4", nn.ReLU()), ("flatten", nn.Flatten()),
               *dense(1, 5, flat, 8 * W), ("logit", nn.Linear(8 * W, 1)))  # fmt: skip
nets = {"vae/encoder.": encoder, "vae/decoder.": decoder, "discriminator/": nn.ModuleList([to_conv4, to_logit])}


def ours(prefix, name):
    return prefix + (name.split(".", 1)[1] if prefix == "discriminator/" else name)


with torch.no_grad():  # livelier than the start
    for p in [p for n in nets.values() for p in n.parameters() if p.ndim > 1]:
        p.mul_(2)
x = torch.rand(N, 3, 16, 16)
fixture["x"] = x
for prefix, n in nets.items():
    for name, p in n.named_parameters():
        fixture[ours(prefix, name)] = p

torch.manual_seed(SEED)
mu, logvar = encoder(x).chunk(2, 1)
z = mu + (logvar / 2).exp() * torch.randn_like(mu)
again, made_up = decoder(z), decoder(torch.randn_like(z))
features = to_conv4(torch.cat([x, again, made_up]))
real, re, up = to_logit(features).sigmoid().chunk(3)
l_prior = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
a, b, _ = features.chunk(3)
l_like = F.mse_loss(b, a.detach(), reduction="sum") / (2 * N)
l_gan = real.log().mean() + (1 - re).log().mean() + (1 - up).log().mean()
losses = {"vae/encoder.": l_prior + l_like, "vae/decoder.": GAMMA * l_like + l_gan, "discriminator/": -l_gan}
for prefix, n in nets.items():
    names, params = zip(*n.named_parameters())
    for name, g in zip(names, torch.autograd.grad(losses[prefix], params, retain_graph=True)):
        fixture["grad/" + ours(prefix, name)] = g
right = (real > 0.5).float().mean() / 2 + (torch.cat([re, up]) < 0.5).float().mean() / 2
fixture.case("step", size="#{size: [3, 16, 16], width: 2, latent: 3}", gamma=GAMMA, seed=SEED, kl=l_prior.item(),
             likeness=l_like.item(), real=-real.log().mean().item(), accuracy=right.item(),
             fake=-torch.cat([1 - re, 1 - up]).log().mean().item())  # fmt: skip
fixture.save()
