"""Outputs and gradients of every layer by torch.nn (torch 2.11.0). For each case: the script that builds our layer,
its tensors, an input, the output, and the gradients of sum(output * cos(0, 1, 2, ...)) at input and parameters.
Writes fixture.safetensors and cases.json; `python make.py` re-makes them."""
import json
import torch
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
out, cases = {}, []


def case(name, module, script, x, train=False):
    """Runs `module` on `x`; parameters and running statistics are random, so that none stays at 0 or 1."""
    for key, t in module.state_dict().items():
        if t.is_floating_point():
            t.copy_(torch.rand_like(t) + 0.5 if "var" in key else torch.randn_like(t) * 0.5)
    out.update({f"{name}/net/{k}": v.clone() for k, v in module.state_dict().items()})
    x = x.clone().requires_grad_(x.is_floating_point())
    y = module.train(train)(x)
    (y * torch.arange(y.numel(), dtype=torch.float32).cos().view_as(y)).sum().backward()
    out.update({f"{name}/x": x.detach(), f"{name}/y": y.detach()})
    out.update({f"{name}/grad/{k}": p.grad for k, p in module.named_parameters()})
    if x.requires_grad:
        out[f"{name}/dx"] = x.grad
    out.update({f"{name}/after/{k}": v for k, v in module.named_buffers() if train})
    cases.append(dict(name=name, script=script, train=train))


x4, up, rows = torch.randn(2, 4, 7, 6), torch.randn(2, 4, 3, 4), torch.randn(3, 5)
case("conv2d", nn.Conv2d(4, 3, 3), "nn::conv2d(4, 3, 3)", x4)
case("conv2d_stride", nn.Conv2d(4, 3, (3, 2), stride=2, padding=(1, 0)), "nn::conv2d(4, 3, [3, 2], #{stride: 2, padding: [1, 0]})", x4)
case("conv2d_same", nn.Conv2d(4, 3, (4, 3), padding="same"), 'nn::conv2d(4, 3, [4, 3], #{padding: "same"})', x4)
case("conv2d_dilation", nn.Conv2d(4, 3, 2, dilation=(2, 3), bias=False), "nn::conv2d(4, 3, 2, #{dilation: [2, 3], bias: false})", x4)
case("conv2d_groups", nn.Conv2d(4, 6, 3, groups=2, stride=(2, 1)), "nn::conv2d(4, 6, 3, #{groups: 2, stride: [2, 1]})", x4)
case("conv_t", nn.ConvTranspose2d(4, 3, 3), "nn::conv_transpose2d(4, 3, 3)", up)
case("conv_t_stride", nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), "nn::conv_transpose2d(4, 3, 3, #{stride: 2, padding: 1, output_padding: 1})", up)
case("conv_t_groups", nn.ConvTranspose2d(4, 6, 3, stride=(2, 1), groups=2, dilation=2, bias=False), "nn::conv_transpose2d(4, 6, 3, #{stride: [2, 1], groups: 2, dilation: 2, bias: false})", up)
case("linear", nn.Linear(5, 4), "nn::linear(5, 4)", rows)
case("linear_no_bias", nn.Linear(5, 4, bias=False), "nn::linear(5, 4, #{bias: false})", torch.randn(2, 3, 5))
for mode in ["train", "eval"]:
    train = mode == "train"
    case(f"bn1_{mode}", nn.BatchNorm1d(5), "nn::batch_norm1d(5)", rows, train)
    case(f"bn1_long_{mode}", nn.BatchNorm1d(3, momentum=0.3), "nn::batch_norm1d(3, #{momentum: 0.3})", torch.randn(2, 3, 4), train)
    case(f"bn2_{mode}", nn.BatchNorm2d(4, eps=1e-3), "nn::batch_norm2d(4, #{eps: 1e-3})", x4, train)
    case(f"bn2_plain_{mode}", nn.BatchNorm2d(4, affine=False), "nn::batch_norm2d(4, #{affine: false})", x4, train)
    case(f"bn2_untracked_{mode}", nn.BatchNorm2d(4, track_running_stats=False), "nn::batch_norm2d(4, #{track_running_stats: false})", x4, train)
case("layer_norm", nn.LayerNorm(5), "nn::layer_norm(5)", rows)
case("layer_norm_2", nn.LayerNorm([7, 6], eps=1e-3), "nn::layer_norm([7, 6], #{eps: 1e-3})", x4)
case("group_norm", nn.GroupNorm(2, 4), "nn::group_norm(2, 4)", x4)
case("instance_norm", nn.InstanceNorm2d(4), "nn::instance_norm2d(4)", x4)
case("instance_norm_affine", nn.InstanceNorm2d(4, affine=True), "nn::instance_norm2d(4, #{affine: true})", x4)

# The last rows hold the points where the activations bend.
bends = torch.tensor([[-7.0, -3.0, -1.0, -0.5, 0.0], [0.5, 1.0, 3.0, 6.0, 25.0]])
points = torch.cat([torch.randn(4, 5) * 2, bends])
for name, module, script in [
    ("relu", nn.ReLU(), "relu()"), ("leaky_relu", nn.LeakyReLU(), "leaky_relu()"),
    ("leaky_relu_02", nn.LeakyReLU(0.2), "leaky_relu(0.2)"), ("elu", nn.ELU(), "elu()"),
    ("elu_2", nn.ELU(2.0), "elu(2)"), ("gelu", nn.GELU(), "gelu()"), ("silu", nn.SiLU(), "silu()"),
    ("mish", nn.Mish(), "mish()"), ("sigmoid", nn.Sigmoid(), "sigmoid()"), ("tanh", nn.Tanh(), "tanh()"),
    ("softplus", nn.Softplus(), "softplus()"), ("hardswish", nn.Hardswish(), "hardswish()"),
    ("hardtanh", nn.Hardtanh(), "hardtanh()"), ("hardtanh_03", nn.Hardtanh(0.0, 3.0), "hardtanh(0, 3)"),
    ("relu6", nn.ReLU6(), "relu6()"), ("selu", nn.SELU(), "selu()"), ("softmax", nn.Softmax(1), "softmax()"),
    ("softmax_0", nn.Softmax(0), "softmax(0)"), ("log_softmax", nn.LogSoftmax(1), "log_softmax()"),
    ("prelu", nn.PReLU(), "prelu()"), ("prelu_5", nn.PReLU(5), "prelu(#{num_parameters: 5})"),
    ("softsign", nn.Softsign(), "softsign()"),
]:  # fmt: skip
    case(name, module, f"nn::{script}", points)

for name, module, script in [
    ("max_pool", nn.MaxPool2d(2), "max_pool2d(2)"), ("avg_pool", nn.AvgPool2d((2, 3)), "avg_pool2d([2, 3])"),
    ("max_pool_ceil", nn.MaxPool2d(3, 2, 1, ceil_mode=True), "max_pool2d(3, #{stride: 2, padding: 1, ceil_mode: true})"),
    ("avg_pool_ceil", nn.AvgPool2d(3, 2, 1, ceil_mode=True), "avg_pool2d(3, #{stride: 2, padding: 1, ceil_mode: true})"),
    ("adaptive_max", nn.AdaptiveMaxPool2d(2), "adaptive_max_pool2d(2)"),
    ("adaptive_avg", nn.AdaptiveAvgPool2d((3, 4)), "adaptive_avg_pool2d([3, 4])"),
]:  # fmt: skip
    case(name, module, f"nn::{script}", x4)
small = torch.randn(1, 2, 3, 4)
for factor in [2, 1.5]:
    case(f"nearest_{factor}", nn.Upsample(scale_factor=factor), f"nn::upsample({factor})", small)
    for corners in [False, True]:
        module = nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=corners)
        options = f'mode: "bilinear", align_corners: {json.dumps(corners)}'
        case(f"bilinear_{factor}_{corners}", module, f"nn::upsample({factor}, #{{{options}}})", small)
case("flatten", nn.Flatten(), "nn::flatten()", small)
case("flatten_2", nn.Flatten(1, 2), "nn::flatten(1, 2)", small)
case("unflatten", nn.Unflatten(1, (2, 2)), "nn::unflatten([2, 2])", up)
case("embedding", nn.Embedding(6, 4), "nn::embedding(6, 4)", torch.tensor([[0, 5, 2], [5, 5, 1]]))


class Residual(nn.ModuleDict):
    def forward(self, x):
        return self["body"](x) + (self["shortcut"](x) if "shortcut" in self else x)

case("residual", Residual(dict(body=nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()))), "nn::residual(nn::sequential([nn::conv2d(4, 4, 3, #{padding: 1}), nn::relu()]))", x4)
case("residual_cut", Residual(dict(body=nn.Conv2d(4, 3, 3, 2, 1), shortcut=nn.Conv2d(4, 3, 1, 2))), "nn::residual(nn::conv2d(4, 3, 3, #{stride: 2, padding: 1}), #{shortcut: nn::conv2d(4, 3, 1, #{stride: 2})})", x4)


class Up(nn.Module):
    """A transposed convolution that keeps the size; `groups` channels each by themselves."""

    def __init__(self, channels, factor, groups):
        super().__init__()
        side = 2 * factor - factor % 2
        weight = torch.zeros(channels, channels // groups, side, side)
        self.register_buffer("weight", weight) if groups > 1 else setattr(self, "weight", nn.Parameter(weight))
        self.options = dict(stride=factor, padding=factor // 2, groups=groups)

    def forward(self, x):
        return torch.nn.functional.conv_transpose2d(x, self.weight, **self.options)


for factor, groups in [(2, 1), (3, 1), (4, 2), (5, 2)]:
    script = f"nn::bilinear_upsample(2, {factor}" + (", #{learned: false})" if groups > 1 else ")")
    case(f"bilinear_upsample_{factor}_{groups}", Up(2, factor, groups), script, small)
save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in out.items()}, "fixture.safetensors")
json.dump(cases, open("cases.json", "w"), indent=1)
