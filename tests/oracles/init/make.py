"""Initial parameters of torch.nn's layers (torch 2.11.0): each layer after its own torch.manual_seed(0), and a
network of many layers built in order after one. Writes fixture.safetensors; `python make.py` re-makes it."""
import torch
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
out = {}


def keep(name, module):
    out.update({f"{name}/{k}": v.detach().clone().contiguous() for k, v in module.state_dict().items()})


for name, make in {
    "conv2d": lambda: nn.Conv2d(3, 8, 3),
    "conv2d_groups": lambda: nn.Conv2d(4, 6, (3, 5), groups=2),
    "conv_transpose2d": lambda: nn.ConvTranspose2d(4, 6, 4),
    "conv_transpose2d_groups": lambda: nn.ConvTranspose2d(4, 6, 4, groups=2),
    "linear": lambda: nn.Linear(10, 7),
    "linear_no_bias": lambda: nn.Linear(10, 7, bias=False),
    "batch_norm2d": lambda: nn.BatchNorm2d(5),
    "layer_norm": lambda: nn.LayerNorm(6),
    "group_norm": lambda: nn.GroupNorm(2, 6),
    "embedding": lambda: nn.Embedding(11, 4),
    "prelu": lambda: nn.PReLU(),
}.items():
    torch.manual_seed(0)
    keep(name, make())

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, bias=False), nn.ConvTranspose2d(4, 6, 4),
    nn.Flatten(), nn.Linear(10, 7), nn.LayerNorm(7), nn.Embedding(11, 4), nn.PReLU(), nn.Linear(7, 2),
)
keep("net", net)
save_file(out, "fixture.safetensors")
