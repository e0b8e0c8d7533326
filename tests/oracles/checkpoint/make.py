"""A network saved by torch.save (torch 2.11.0) as a state dict and inside a training checkpoint, with an input and
its output. Writes net.pth, training.pth and fixture.safetensors; `python make.py` re-makes them."""
from collections import OrderedDict

import torch
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
block = OrderedDict(conv=nn.Conv2d(4, 4, 3, padding=1), bn=nn.BatchNorm2d(4))
net = nn.Sequential(
    OrderedDict(
        conv1=nn.Conv2d(3, 4, 3), bn1=nn.BatchNorm2d(4), act=nn.ReLU(), layer1=nn.Sequential(block),
        gap=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten(), fc=nn.Linear(16, 5),
    )
)
net.train()(torch.randn(4, 3, 9, 9))  # moves the running statistics
x = torch.randn(2, 3, 9, 9)
torch.save(net.state_dict(), "net.pth")
wrapped = OrderedDict((f"module.{k}", v) for k, v in net.state_dict().items())
torch.save({"epoch": 3, "state_dict": wrapped, "best": 0.5}, "training.pth")
save_file({"x": x, "y": net.eval()(x).detach()}, "fixture.safetensors")
