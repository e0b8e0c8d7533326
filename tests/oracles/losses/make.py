"""Values and gradients of torch.nn.functional's losses (torch 2.11.0): the gradient at the output of
sum(loss * cos(0, 1, 2, ...)). Writes fixture.safetensors and cases.json; `python make.py` re-makes them."""
import json

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
given = {
    "logits": torch.randn(6, 5) * 2, "classes": torch.tensor([0, 4, 2, 2, 1, 3]),
    "ignoring": torch.tensor([0, -100, 2, 2, -100, 3]), "ignoring_1": torch.tensor([0, 1, 2, 1, 1, 3]),
    "shares": torch.rand(6, 5).softmax(1), "weight": torch.rand(5) + 0.2,
    "maps": torch.randn(2, 5, 3, 4), "map_classes": torch.randint(0, 5, (2, 3, 4)),
    "map_ignoring": torch.randint(0, 5, (2, 3, 4)).masked_fill(torch.rand(2, 3, 4) < 0.3, 255),
    "values": torch.randn(6, 5) * 2, "goal": torch.randn(6, 5),
    "probabilities": torch.rand(6, 5), "bits": (torch.rand(6, 5) < 0.4).float(), "each": torch.rand(6, 5) + 0.1,
}  # fmt: skip
given["log_probabilities"] = given["logits"].log_softmax(1)
given["map_log"] = given["maps"].log_softmax(1)
given["log_shares"] = given["shares"].log()
given["values"][0] = given["goal"][0]  # the losses' kink
given["probabilities"][0, :2] = torch.tensor([0.0, 1.0])  # where the logarithm ends
given["map_few"] = given["map_classes"].clamp(1, 3)  # two classes are absent
given["counts"] = torch.arange(30.0).view(6, 5) % 7
out, cases = {f"given/{k}": v for k, v in given.items()}, []


def case(loss, output, target, **options):
    """`options` are PyTorch's; tensors are named by strings that begin with @."""
    x = given[output].clone().requires_grad_()
    python = {k: given[v[1:]] if str(v).startswith("@") else v for k, v in options.items()}
    names = {"bce": "binary_cross_entropy", "bce_with_logits": "binary_cross_entropy_with_logits"}
    name = names.get(loss) or (loss if hasattr(F, loss) else f"{loss}_loss")
    function = getattr(F, name) if hasattr(F, name) else globals()[name]
    y = function(x, given[target], **python)
    (y * torch.arange(y.numel(), dtype=torch.float32).cos().view_as(y)).sum().backward()
    name = f"{len(cases):02}_{loss}"
    out.update({f"{name}/value": y.detach(), f"{name}/grad": x.grad})
    ours = ", ".join(f"{k}: {v[1:] if str(v).startswith('@') else json.dumps(v)}" for k, v in options.items())
    cases.append(dict(name=name, output=output, script=f"loss::{loss}({output}, {target}" + (f", #{{{ours}}})" if ours else ")")))


def dice_loss(x, y, ignore_index=-100, background=True, batch=True, smooth=1e-5):
    """Picture by picture and class by class, over the pixels that count."""
    p, groups = x.softmax(1), [range(len(y))] if batch else [[i] for i in range(len(y))]
    lacking = []
    for group in groups:
        for c in range(0 if background else 1, x.shape[1]):
            a = torch.cat([p[i, c][y[i] != ignore_index] for i in group])
            b = torch.cat([(y[i] == c)[y[i] != ignore_index] for i in group]).float()
            if b.sum() > 0:
                lacking.append(1 - (2 * (a * b).sum() + smooth) / (a.sum() + b.sum() + smooth))
    return torch.stack(lacking).mean()


def focal_loss(x, y, gamma=2.0, weight=None, ignore_index=-100, reduction="mean"):
    """From cross-entropies: -log p of each target."""
    ce = F.cross_entropy(x, y, reduction="none", ignore_index=ignore_index)
    each = (1 - (-ce).exp()) ** gamma * ce
    w = (y != ignore_index).float() if weight is None else torch.where(y == ignore_index, 0, weight[y.clamp(0, len(weight) - 1)])
    return {"mean": (w * each).sum() / w.sum(), "sum": (w * each).sum(), "none": w * each}[reduction]


def agrees_with_monai():
    """The formulas above are those of MONAI where that has them: no pixels left out, no class absent."""
    from monai.losses import DiceLoss, FocalLoss

    x, y = given["maps"], torch.arange(24).view(2, 3, 4) % 5
    for background in (True, False):
        theirs = DiceLoss(include_background=background, to_onehot_y=True, softmax=True, batch=True)(x, y[:, None])
        assert abs(theirs - dice_loss(x, y, background=background)) < 1e-6
    theirs = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=1.5, reduction="none")(x, y[:, None]).sum(1)
    assert (theirs - focal_loss(x, y, gamma=1.5, reduction="none")).abs().max() < 1e-5


agrees_with_monai()
for reduction in ["mean", "sum", "none"]:
    case("cross_entropy", "logits", "classes", reduction=reduction)
    case("cross_entropy", "logits", "ignoring", reduction=reduction, weight="@weight", label_smoothing=0.1)
    case("cross_entropy", "maps", "map_classes", reduction=reduction, weight="@weight")
    case("cross_entropy", "logits", "shares", reduction=reduction, weight="@weight", label_smoothing=0.2)
    case("nll", "log_probabilities", "ignoring", reduction=reduction, weight="@weight")
    case("nll", "map_log", "map_ignoring", reduction=reduction, ignore_index=255)
    for loss in ["mse", "l1", "smooth_l1", "huber"]:
        case(loss, "values", "goal", reduction=reduction)
    case("bce", "probabilities", "bits", reduction=reduction, weight="@each")
    case("bce_with_logits", "logits", "bits", reduction=reduction, weight="@each", pos_weight="@weight")
    case("kl_div", "log_probabilities", "shares", reduction=reduction)
case("cross_entropy", "logits", "classes")
case("cross_entropy", "logits", "ignoring")
case("cross_entropy", "logits", "ignoring_1", ignore_index=1)
case("cross_entropy", "logits", "classes", label_smoothing=0.1)
case("cross_entropy", "maps", "map_ignoring", ignore_index=255, label_smoothing=0.1)
case("nll", "log_probabilities", "classes")
case("smooth_l1", "values", "goal", beta=0.3)
case("smooth_l1", "values", "goal", beta=0.0)
case("huber", "values", "goal", delta=0.3)
case("bce", "probabilities", "shares")
case("bce_with_logits", "logits", "shares")
case("kl_div", "log_probabilities", "shares", reduction="batchmean")
case("kl_div", "log_probabilities", "log_shares", reduction="batchmean", log_target=True)
case("poisson_nll", "values", "counts")
case("poisson_nll", "values", "counts", full=True, reduction="none")
case("poisson_nll", "probabilities", "counts", log_input=False, full=True, eps=0.01, reduction="sum")
case("dice", "maps", "map_classes")
case("dice", "maps", "map_ignoring", ignore_index=255, smooth=1.0)
case("dice", "maps", "map_ignoring", ignore_index=255, background=False, batch=False)
case("dice", "maps", "map_few")
for reduction in ["mean", "sum", "none"]:
    case("focal", "maps", "map_ignoring", ignore_index=255, weight="@weight", gamma=1.5, reduction=reduction)
case("focal", "logits", "ignoring")
case("focal", "logits", "classes", gamma=0)
save_file(out, "fixture.safetensors")
json.dump(cases, open("cases.json", "w"), indent=1)
