"""Learning rates of torch.optim.lr_scheduler (torch 2.11.0), one before each step of a run of 6 epochs of 5 steps, at
a base rate of 0.1. Schedules "by epoch" are stepped after every epoch, the others after every step. Writes
cases.json; `python make.py` re-makes it."""
import sys
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler as S

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from common import Fixture

EPOCHS, STEPS = 6, 5
TOTAL = EPOCHS * STEPS
warnings.simplefilter("ignore")
f = Fixture(__file__, "learning rates by step")


def rates(make, every, losses=None):
    p = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=0.1)
    scheduler, out = make(optimizer), []
    for step in range(TOTAL):
        out.append(optimizer.param_groups[0]["lr"])
        p.grad = torch.zeros(1)
        optimizer.step()
        if (step + 1) % every == 0 and step + 1 < TOTAL:
            scheduler.step(*([losses[step // STEPS]] if losses else []))
    return out


def case(name, script, make, every=1):
    f.case(name, script=script, rates=rates(make, every))


case("step", "sched::step(2, #{gamma: 0.5})", lambda o: S.StepLR(o, 2, 0.5), STEPS)
case("multistep", "sched::multistep([1, 4], #{gamma: 0.3})", lambda o: S.MultiStepLR(o, [1, 4], 0.3), STEPS)
case("exponential", 'sched::exponential(0.8, #{by: "epoch"})', lambda o: S.ExponentialLR(o, 0.8), STEPS)
case("cosine", "sched::cosine()", lambda o: S.CosineAnnealingLR(o, TOTAL))
case("cosine_epoch", 'sched::cosine(#{t_max: 4, eta_min: 0.01, by: "epoch"})',
     lambda o: S.CosineAnnealingLR(o, 4, 0.01), STEPS)
case("polynomial", "sched::polynomial(#{power: 0.9})", lambda o: S.PolynomialLR(o, TOTAL, 0.9))
case("polynomial_epoch", 'sched::polynomial(#{total: 4, power: 2, by: "epoch"})', lambda o: S.PolynomialLR(o, 4, 2), STEPS)
case("one_cycle", "sched::one_cycle()", lambda o: S.OneCycleLR(o, 0.1, total_steps=TOTAL))
case("one_cycle_linear", 'sched::one_cycle(#{max_lr: 0.5, anneal: "linear", pct_start: 0.4, div_factor: 10})',
     lambda o: S.OneCycleLR(o, 0.5, total_steps=TOTAL, anneal_strategy="linear", pct_start=0.4, div_factor=10))
case("one_cycle_three", "sched::one_cycle(#{three_phase: true, final_div_factor: 100})",
     lambda o: S.OneCycleLR(o, 0.1, total_steps=TOTAL, three_phase=True, final_div_factor=100))
case("warmup", "sched::warmup(2, #{start_factor: 0.1})", lambda o: S.LinearLR(o, 0.1, 1.0, 2 * STEPS))
case("warmup_cosine", "sched::warmup(1, #{start_factor: 0.2, then: sched::cosine()})",
     lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.2, 1.0, STEPS), S.CosineAnnealingLR(o, TOTAL - STEPS)], [STEPS]))
case("custom", "sched::custom(|epoch| 1 / (1 + epoch))", lambda o: S.LambdaLR(o, lambda s: 1 / (1 + s / STEPS)))

losses = [1.0, 0.5, 0.4999999, 0.6, 0.7, 0.3]
for name, options, kw in [
    ("plateau", "patience: 0, factor: 0.5", dict(patience=0, factor=0.5)),
    ("plateau_cooldown", "patience: 0, factor: 0.5, cooldown: 1", dict(patience=0, factor=0.5, cooldown=1)),
    ("plateau_abs", 'patience: 1, factor: 0.1, threshold: 0.2, threshold_mode: "abs", min_lr: 0.02',
     dict(patience=1, factor=0.1, threshold=0.2, threshold_mode="abs", min_lr=0.02)),
]:
    f.case(name, script=f"sched::plateau(#{{{options}}})", losses=losses,
           rates=rates(lambda o: S.ReduceLROnPlateau(o, **kw), STEPS, losses))
f.save()
