"""Ten steps of torch.optim's optimizers (torch 2.11.0) along fixed gradients: the parameters after steps 1, 2, 5 and
10. In the cases called late, the bias has no gradient in the first three steps. Writes fixture.safetensors and
cases.json; `python make.py` re-makes them."""
import json

import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.manual_seed(0)
start = {"weight": torch.randn(4, 3), "bias": torch.randn(4)}
# Sparse and of very different sizes, so that epsilons, maxima and decays all show.
sizes = torch.tensor([1.0, 3.0, 0.1, 0.0, 1.0, 10.0, 1e-3, 1.0, 0.5, 2.0])
grads = {k: torch.stack([torch.randn_like(p) * s for s in sizes]) for k, p in start.items()}
out = {f"start/{k}": v for k, v in start.items()} | {f"grad/{k}": v for k, v in grads.items()}
cases = []


def case(name, kind, late=False, **options):
    params = {k: v.clone().requires_grad_() for k, v in start.items()}
    optimizer = getattr(torch.optim, kind)(list(params.values()), **options)
    for step in range(10):
        for k, p in params.items():
            p.grad = None if late and k == "bias" and step < 3 else grads[k][step].clone()
        optimizer.step()
        if step + 1 in (1, 2, 5, 10):
            out.update({f"{name}/{step + 1}/{k}": p.detach().clone() for k, p in params.items()})
    ours = ", ".join(f"{k}: {json.dumps(v)}" for k, v in options.items())
    cases.append(dict(name=name, script=f"optim::{kind.lower()}(net, #{{{ours}}})", late=late))


case("sgd", "SGD", lr=0.1)
case("sgd_momentum", "SGD", lr=0.1, momentum=0.9)
case("sgd_dampening", "SGD", lr=0.1, momentum=0.9, dampening=0.3)
case("sgd_nesterov", "SGD", lr=0.1, momentum=0.9, nesterov=True)
case("sgd_decay", "SGD", lr=0.1, weight_decay=0.05)
case("sgd_all", "SGD", lr=0.1, momentum=0.8, dampening=0.1, weight_decay=0.05)
case("sgd_late", "SGD", lr=0.1, momentum=0.9, dampening=0.3, late=True)
case("adam", "Adam")
case("adam_betas", "Adam", lr=0.05, betas=(0.5, 0.9), eps=1e-4)
case("adam_decay", "Adam", lr=0.05, weight_decay=0.1)
case("adam_amsgrad", "Adam", lr=0.05, betas=(0.5, 0.6), amsgrad=True)
case("adam_late", "Adam", lr=0.05, late=True)
case("adamw", "AdamW")
case("adamw_decay", "AdamW", lr=0.05, weight_decay=0.1)
case("adamw_amsgrad", "AdamW", lr=0.05, betas=(0.5, 0.6), amsgrad=True)
case("rmsprop", "RMSprop")
case("rmsprop_momentum", "RMSprop", lr=0.01, momentum=0.9)
case("rmsprop_centered", "RMSprop", lr=0.01, alpha=0.9, centered=True)
case("rmsprop_decay", "RMSprop", lr=0.01, weight_decay=0.1)
case("rmsprop_all", "RMSprop", lr=0.01, momentum=0.5, centered=True, weight_decay=0.1, eps=1e-4)
case("adagrad", "Adagrad")
case("adagrad_all", "Adagrad", lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-4)
case("adagrad_late", "Adagrad", lr=0.1, lr_decay=0.2, initial_accumulator_value=0.3, late=True)
save_file(out, "fixture.safetensors")
json.dump(cases, open("cases.json", "w"), indent=1)
