"""One training step of small VAEs written in PyTorch (torch 2.11.0): loss parts in nats a picture and gradients, for
linear and convolutional networks, both losses, three corruptions and two conditional ones; and their ELBO and
importance-sampled likelihood by torch.distributions. Mean and log-variance are two layers here and one there: they are
written one above the other. Keys: <case>/{x, seen, y, net/<weight>, grad/<weight>}; cases.json: the network as a script
builds it, the loss, the seed from which the noise is drawn, what was measured. `python make.py` re-makes them."""
import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional as F

sys.path.append(str(Path(__file__).parents[1]))
from common import Fixture

LATENT, CLASSES, N = 3, 4, 6
fixture = Fixture(__file__, "VAEs written in PyTorch")


class Vae(nn.Module):
    """`features` maps the input (and class) to a vector; `mu` and `logvar` read it."""

    def __init__(self, width, classes):
        super().__init__()
        self.classes, self.mu, self.logvar = classes, nn.Linear(width, LATENT), nn.Linear(width, LATENT)

    def one_hot(self, y):
        return F.one_hot(y, self.classes).float()

    def posterior(self, x, y):
        h = self.features(x, y)
        return Normal(self.mu(h), (0.5 * self.logvar(h)).exp())

    def ours(self, of):
        """Tensors by our names; `of` picks the weight or its gradient."""
        out = {k: of(p) for k, p in self.named_parameters() if k.split(".")[0] not in ("mu", "logvar")}
        for kind in ("weight", "bias"):
            out[f"encoder.moments.{kind}"] = torch.cat([of(getattr(self.mu, kind)), of(getattr(self.logvar, kind))])
        return out


class Linear(Vae):
    def __init__(self, classes=0):
        super().__init__(10, classes)
        self.encoder, self.decoder = nn.Module(), nn.Module()
        self.encoder.fc1, self.encoder.fc2 = nn.Linear(64 + classes, 14), nn.Linear(14, 10)
        self.decoder.fc1, self.decoder.fc2 = nn.Linear(LATENT + classes, 10), nn.Linear(10, 14)
        self.decoder.out = nn.Linear(14, 64)

    def features(self, x, y):
        x = x.reshape(len(x), -1)
        x = torch.cat([x, self.one_hot(y)], 1) if self.classes else x
        return self.encoder.fc2(self.encoder.fc1(x).relu()).relu()

    def logits(self, z, y):
        z = torch.cat([z, self.one_hot(y)], -1) if self.classes else z
        return self.decoder.out(self.decoder.fc2(self.decoder.fc1(z).relu()).relu()).reshape(-1, 1, 8, 8)


class Conv(Vae):
    def __init__(self, classes=0):
        super().__init__(8 * 2 * 2, classes)
        self.encoder, self.decoder = nn.Module(), nn.Module()
        self.encoder.conv1 = nn.Conv2d(1 + classes, 4, 4, stride=2, padding=1)
        self.encoder.conv2 = nn.Conv2d(4, 8, 4, stride=2, padding=1)
        self.decoder.fc1 = nn.Linear(LATENT + classes, 8 * 2 * 2)
        self.decoder.deconv1 = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.decoder.logits = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def features(self, x, y):
        if self.classes:
            x = torch.cat([x, self.one_hot(y)[:, :, None, None].expand(-1, -1, 8, 8)], 1)
        return self.encoder.conv2(self.encoder.conv1(x).relu()).relu().flatten(1)

    def logits(self, z, y):
        z = torch.cat([z, self.one_hot(y)], -1) if self.classes else z
        return self._modules["decoder"].logits(self.decoder.deconv1(self.decoder.fc1(z).reshape(-1, 8, 2, 2).relu()).relu())


def log_likelihood(logits, x, loss):
    if loss == "bce":
        return Independent(Bernoulli(logits=logits, validate_args=False), 3).log_prob(x)
    constant = 0.5 * math.log(2 * math.pi) * x[0].numel()
    return Independent(Normal(logits.sigmoid(), 1.0), 3).log_prob(x) + constant


def corrupted(x, how):
    if how == "gaussian(x, 0.4)":
        return x + 0.4 * torch.randn_like(x)
    toss = torch.rand_like(x)
    if how == "salt_and_pepper(x, 0.3)":
        return torch.where(toss < 0.15, 0.0, torch.where(toss < 0.3, 1.0, x))
    return torch.where(toss < 0.5, 0.0, x)


def case(name, net, script, loss, corrupt=None):
    with torch.no_grad():  # livelier than the start: codes and pictures that differ
        for p in net.parameters():
            p.mul_(2)
    x = torch.rand(N, 1, 8, 8)
    if loss == "bce":
        x = x.bernoulli()
    y = torch.randint(0, CLASSES, (N,))
    seed = len(fixture.cases) + 11
    torch.manual_seed(seed)
    seen = corrupted(x, corrupt) if corrupt else x
    q = net.posterior(seen, y)
    z = q.loc + q.scale * torch.randn(N, LATENT)
    reconstruction = -log_likelihood(net.logits(z, y), x, loss).mean()
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
    (reconstruction + 0.7 * kl).backward()
    for key, t in [("x", x), ("seen", seen), ("y", y)]:
        fixture[f"{name}/{key}"] = t
    for key, t in net.ours(lambda p: p.detach()).items():
        fixture[f"{name}/net/{key}"] = t
    for key, t in net.ours(lambda p: p.grad).items():
        fixture[f"{name}/grad/{key}"] = t
    measured = {}
    with torch.no_grad():
        q = net.posterior(x, y)
        torch.manual_seed(0)
        z = q.loc + q.scale * torch.randn(N, LATENT)
        measured["reconstruction"] = -log_likelihood(net.logits(z, y), x, loss).mean().item()
        measured["kl_per_dim"] = kl_divergence(q, Normal(0.0, 1.0)).mean(0).tolist()
        measured["active"] = int((q.loc.var(0) > 0.01).sum())
        measured["error"] = (net.logits(q.loc, y).sigmoid() - x).square().mean().item()
        torch.manual_seed(5)
        weights = []
        for i in (slice(0, 4), slice(4, 6)):  # 4 pictures of 25 samples at once
            noise = torch.randn(len(x[i]), 25, LATENT)
            mu, scale = q.loc[i, None], q.scale[i, None]
            z = mu + scale * noise
            rows = x[i].repeat_interleave(25, 0)
            p = log_likelihood(net.logits(z.flatten(0, 1), y[i].repeat_interleave(25)), rows, loss).view(-1, 25)
            weights.append(p + Normal(0.0, 1.0).log_prob(z).sum(2) - Normal(mu, scale).log_prob(z).sum(2))
        measured["nll"] = -(torch.cat(weights).logsumexp(1) - math.log(25)).mean().item()
    fixture.case(name, net=script, loss=loss, seed=seed, corrupt=corrupt, classes=net.classes,
                 reconstruction=reconstruction.item(), kl=kl.item(), measured=measured)  # fmt: skip


LINEAR = "vae::linear(#{size: [1, 8, 8], hidden: [14, 10], latent: 3, classes: %d})"
CONV = "vae::conv(#{size: [1, 8, 8], width: 4, latent: 3, classes: %d})"
torch.manual_seed(0)
for loss in ("bce", "mse"):
    case(f"linear_{loss}", Linear(), LINEAR % 0, loss)
    case(f"conv_{loss}", Conv(), CONV % 0, loss)
case("denoise_gaussian", Linear(), LINEAR % 0, "bce", "gaussian(x, 0.4)")
case("denoise_salt", Conv(), CONV % 0, "mse", "salt_and_pepper(x, 0.3)")
case("denoise_mask", Conv(), CONV % 0, "bce", "masking(x, 0.5)")
case("cvae_linear", Linear(CLASSES), LINEAR % CLASSES, "bce")
case("cvae_conv", Conv(CLASSES), CONV % CLASSES, "mse")
fixture.save()
