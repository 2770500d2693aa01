"""Records what optax's and PyTorch's schedules answer, as `schedules.json` beside this script.

    pip install -r requirements.txt && OMP_NUM_THREADS=1 python schedules.py

Training is 1000 steps long, and each schedule is asked after 0, 100, ..., 1000 of them: at progress 0, 0.1, ..., 1. A
plateau is told a metric after each update, of which more is better, and asked then; torch counts updates, of which each
is a hundredth of training here. Float64.
"""

import json
import warnings
from importlib.metadata import version

import jax

jax.config.update("jax_enable_x64", True)

import optax  # noqa: E402
import torch  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

from problems import HERE  # noqa: E402

STEPS = 1000
warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")


def stepped(schedule, lr, **arguments):
    """A scheduler of PyTorch as a function of the step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    scheduler, values = schedule(optimizer, **arguments), []
    for _ in range(STEPS + 1):
        values.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return lambda step: values[step]


def warmup_stable_decay(peak, warmup, decay, end):
    rise, fall = optax.linear_schedule(0.0, peak, warmup), optax.linear_schedule(peak, end, decay)
    return optax.join_schedules([rise, optax.constant_schedule(peak), fall], [warmup, STEPS - decay])


# fmt: off
ROWS = [
    ("constant(0.1)", "optax.constant_schedule", optax.constant_schedule(0.1)),
    ("linear(0.1, 0)", "optax.linear_schedule", optax.linear_schedule(0.1, 0.0, STEPS)),
    ("linear(0.01, 0.1)", "optax.linear_schedule", optax.linear_schedule(0.01, 0.1, STEPS)),
    ("linear(0.1, 0.02)", "torch LinearLR",
     stepped(lr_scheduler.LinearLR, 0.1, start_factor=1.0, end_factor=0.2, total_iters=STEPS)),
    ("cosine(0.1, 0)", "optax.cosine_decay_schedule", optax.cosine_decay_schedule(0.1, STEPS)),
    ("cosine(0.1, 0.01)", "optax.cosine_decay_schedule", optax.cosine_decay_schedule(0.1, STEPS, 0.1)),
    ("cosine(0.1, 0.01)", "torch CosineAnnealingLR",
     stepped(lr_scheduler.CosineAnnealingLR, 0.1, T_max=STEPS, eta_min=0.01)),
    ("exponential(0.1, 0.001)", "optax.exponential_decay", optax.exponential_decay(0.1, STEPS, 0.01)),
    ("exponential(0.1, 0.001)", "torch ExponentialLR", stepped(lr_scheduler.ExponentialLR, 0.1, gamma=0.01 ** (1.0 / STEPS))),
    ("polynomial(0.1, 0.01, power=2)", "optax.polynomial_schedule", optax.polynomial_schedule(0.1, 0.01, 2.0, STEPS)),
    ("polynomial(0.1, 0, power=0.5)", "torch PolynomialLR",
     stepped(lr_scheduler.PolynomialLR, 0.1, total_iters=STEPS, power=0.5)),
    ("step(0.1, factor=0.5, every=0.25)", "optax.exponential_decay",
     optax.exponential_decay(0.1, STEPS // 4, 0.5, staircase=True)),
    ("step(0.1, factor=0.1, every=0.35)", "torch StepLR", stepped(lr_scheduler.StepLR, 0.1, step_size=350, gamma=0.1)),
    ("piecewise(0.1, 0.3, 0.05, 0.75, 0.001)", "optax.piecewise_constant_schedule",
     optax.piecewise_constant_schedule(0.1, {300: 0.5, 750: 0.02})),
    ("piecewise(0.1, 0.3, 0.01, 0.75, 0.001)", "torch MultiStepLR",
     stepped(lr_scheduler.MultiStepLR, 0.1, milestones=[300, 750], gamma=0.1)),
    ("warmup(0.2, cosine(0.1, 0.01))", "optax.warmup_cosine_decay_schedule",
     optax.warmup_cosine_decay_schedule(0.0, 0.1, 200, STEPS, 0.01)),
    ("warmup(0.25, constant(0.1))", "optax.warmup_constant_schedule", optax.warmup_constant_schedule(0.0, 0.1, 250)),
    ("warmup(0.5, exponential(0.1, 0.001))", "optax.warmup_exponential_decay_schedule",
     optax.warmup_exponential_decay_schedule(0.0, 0.1, 500, 500, 0.01)),
    ("one_cycle(0.1, share=0.3, div=25, final_div=1e4)", "optax.cosine_onecycle_schedule",
     optax.cosine_onecycle_schedule(STEPS, 0.1, 0.3, 25.0, 1e4)),
    ("one_cycle(0.1, share=0.45, div=10, final_div=100)", "optax.cosine_onecycle_schedule",
     optax.cosine_onecycle_schedule(STEPS, 0.1, 0.45, 10.0, 100.0)),
    ("warmup_stable_decay(0.1, warmup=0.15, decay=0.35, end=0.01)", "optax.join_schedules",
     warmup_stable_decay(0.1, 150, 350, 0.01)),
    ("warmup_stable_decay(0.1, warmup=0.05, decay=0.95, end=0)", "optax.join_schedules",
     warmup_stable_decay(0.1, 50, 950, 0.0)),
]
PLATEAUS = [
    ("plateau(0.1, factor=0.1, patience=0.03, threshold=0.0001, fall=1, cooldown=0, min=0)",
     {"factor": 0.1, "patience": 3, "threshold": 1e-4}),
    ("plateau(0.1, factor=0.5, patience=0.01, threshold=2, fall=1, cooldown=0.02, min=0.02)",
     {"factor": 0.5, "patience": 1, "threshold": 2.0, "cooldown": 2, "min_lr": 0.02}),
]
# fmt: on
# Mean returns: a rise, a plain, a fall, small rises, a jump.
METRICS = [-5.0, -3.0, 1.0, 4.0, 4.0, 4.00005, 4.5, 4.5, 4.0, 3.0, 3.0, 2.0, 7.0, 7.5, 8.0, 8.5, 8.9, 8.9, 9.0, 9.0]
METRICS += [9.0, 9.0, 9.0, 8.0, 8.0, 8.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]


def plateau(arguments):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, "max", threshold_mode="abs", eps=0.0, **arguments)
    values = []
    for metric in METRICS:
        scheduler.step(metric)
        values.append(optimizer.param_groups[0]["lr"])
    return values


short = lambda value: float(f"{float(value):.12g}")
at = [step / STEPS for step in range(0, STEPS + 1, 100)]
rows = [
    {"spec": spec, "source": source, "values": [short(schedule(step)) for step in range(0, STEPS + 1, 100)]}
    for spec, source, schedule in ROWS
]
plateaus = [
    {"spec": spec, "source": "torch ReduceLROnPlateau", "values": [short(v) for v in plateau(arguments)]}
    for spec, arguments in PLATEAUS
]
facts = {"versions": {package: version(package) for package in ("torch", "optax", "jax")}, "progress": at, "metrics": METRICS}
lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
for name, group in ("rows", rows), ("plateaus", plateaus):
    lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in group) + "\n]")
(HERE / "schedules.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(rows)} schedules, {len(plateaus)} plateaus")
