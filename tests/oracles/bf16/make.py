"""A small network under torch.autocast(dtype=torch.bfloat16): its output, and its weights after three steps of SGD, with
the loss in float32. Writes fixture.safetensors beside this file."""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(0)
net = nn.Sequential()
net.add_module("conv", nn.Conv2d(3, 8, 3, padding=1))
net.add_module("bn", nn.BatchNorm2d(8))
net.add_module("relu", nn.ReLU())
net.add_module("gap", nn.AdaptiveAvgPool2d(2))
net.add_module("flat", nn.Flatten())
net.add_module("fc", nn.Linear(32, 5))
x, y = torch.rand(16, 3, 12, 12), torch.randint(0, 5, (16,))
out = {f"net/{n}": t.clone() for n, t in net.state_dict().items()} | {"x": x, "y": y}
optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
net.train()
for step in range(3):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = net(x)
    loss = nn.functional.cross_entropy(z.float(), y)
    if step == 0:
        out["output"], out["loss"] = z.detach().float(), loss.detach()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
out |= {f"after/{n}": t.clone() for n, t in net.state_dict().items()} | {"end": loss.detach()}
save_file({n: t.contiguous() for n, t in out.items()}, Path(__file__).with_name("fixture.safetensors"))
