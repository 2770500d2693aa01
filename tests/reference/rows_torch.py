"""The rows of `optimizers.json` whose numbers come from PyTorch, timm and schedulefree.

A row is our spec, what answers for it, a function of the learning rate that makes the reference, and the learning rates
on `quadratic`, `rosenbrock` and `ppo` (None leaves the problem out).
"""

from math import cos, pi

import schedulefree
from torch.optim import SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop

from references_torch import averaged, both, clip_grad_norm, clip_grad_value, linear, muon, optimizer
from references_torch import schedule_free, timm

FLOAT32_EPS = 2.0**-23  # what Adafactor's eps1 of None is in float32, and 2^-52 in float64
RMSpropTF, Lamb = timm("rmsprop_tf").RMSpropTF, timm("lamb").Lamb


def of(cls, *, betas=None, **arguments):
    """A function of the learning rate that makes this optimizer."""
    if betas is not None:
        arguments["betas"] = betas
    return lambda lr: optimizer(cls, lr=lr, **arguments)


def annealed(cls, **arguments):
    """As `of`, with a learning rate that falls to 0."""
    return lambda lr: optimizer(cls, lr=lr, schedules={"lr": linear(lr, 0.0)}, **arguments)


ADAM = "beta1=0.9, beta2=0.999, eps=1e-8"

# fmt: off
ROWS = [
    # First order.
    ("sgd(lr={lr})", "torch.optim.SGD", of(SGD), (0.05, 5e-4, 1.0)),
    ("sgd(lr={lr}, weight_decay=0.1)", "torch.optim.SGD", of(SGD, weight_decay=0.1), (0.05, 5e-4, None)),
    ("sgd(lr=linear({lr}, 0))", "torch.optim.SGD", annealed(SGD), (0.05, 5e-4, None)),
    ("momentum(lr={lr}, momentum=0.9)", "torch.optim.SGD", of(SGD, momentum=0.9), (0.01, 1e-4, 0.1)),
    ("momentum(lr={lr}, momentum=0.8, dampening=0.5, weight_decay=0.1)", "torch.optim.SGD",
     of(SGD, momentum=0.8, dampening=0.5, weight_decay=0.1), (0.02, 3e-4, 0.03)),
    ("momentum(lr={lr}, momentum=linear(0.9, 0.5))", "torch.optim.SGD",
     lambda lr: optimizer(SGD, lr=lr, momentum=0.9, schedules={"momentum": linear(0.9, 0.5)}), (0.01, 1e-4, None)),
    ("nesterov(lr={lr}, momentum=0.9)", "torch.optim.SGD", of(SGD, momentum=0.9, nesterov=True), (0.01, 1e-4, 0.1)),
    ("nesterov(lr={lr}, momentum=0.5, weight_decay=0.1)", "torch.optim.SGD",
     of(SGD, momentum=0.5, nesterov=True, weight_decay=0.1), (0.03, 2e-4, None)),

    # Adaptive.
    ("adagrad(lr={lr}, lr_decay=0, weight_decay=0, initial_accumulator=0, eps=1e-10)", "torch.optim.Adagrad",
     of(Adagrad), (0.1, 0.05, 0.01)),
    ("adagrad(lr={lr}, lr_decay=0.01, weight_decay=0.1, initial_accumulator=0.1, eps=1e-6)", "torch.optim.Adagrad",
     of(Adagrad, lr_decay=0.01, weight_decay=0.1, initial_accumulator_value=0.1, eps=1e-6), (0.2, 0.1, None)),
    ("adadelta(lr={lr}, rho=0.9, eps=1e-6)", "torch.optim.Adadelta", of(Adadelta), (1.0, 1.0, 1.0)),
    ("adadelta(lr={lr}, rho=0.95, eps=1e-4, weight_decay=0.1)", "torch.optim.Adadelta",
     of(Adadelta, rho=0.95, eps=1e-4, weight_decay=0.1), (0.1, 0.1, None)),
    ("rmsprop(lr={lr}, preset=torch, alpha=0.99, eps=1e-8)", "torch.optim.RMSprop",
     of(RMSprop), (1e-3, 1e-3, 7e-4)),
    ("rmsprop(lr={lr}, preset=torch, alpha=0.95, eps=1e-5, weight_decay=0.1)", "torch.optim.RMSprop",
     of(RMSprop, alpha=0.95, eps=1e-5, weight_decay=0.1), (1e-3, 1e-3, None)),
    ("rmsprop(lr={lr}, preset=torch, alpha=0.99, eps=1e-4, centered=true)", "torch.optim.RMSprop",
     of(RMSprop, alpha=0.99, eps=1e-4, centered=True), (1e-3, 1e-3, 7e-4)),
    ("rmsprop(lr={lr}, preset=torch, alpha=0.99, eps=1e-8, momentum=0.9)", "torch.optim.RMSprop",
     of(RMSprop, momentum=0.9), (1e-4, 1e-4, 1e-4)),
    ("rmsprop(lr=linear({lr}, 0), preset=torch, alpha=0.99, eps=1e-8, momentum=0.9)", "torch.optim.RMSprop",
     annealed(RMSprop, momentum=0.9), (1e-4, 1e-4, None)),
    ("rmsprop(lr={lr}, preset=torch, alpha=0.99, eps=1e-4, centered=true, momentum=0.5, weight_decay=0.01)",
     "torch.optim.RMSprop", of(RMSprop, alpha=0.99, eps=1e-4, centered=True, momentum=0.5, weight_decay=0.01),
     (3e-4, 3e-4, None)),
    ("rmsprop(lr={lr}, preset=tf, alpha=0.99, eps=1e-5)", "timm.optim.RMSpropTF",
     of(RMSpropTF, alpha=0.99, eps=1e-5), (1e-2, 1e-3, 0.3)),
    ("rmsprop(lr={lr}, preset=tf, alpha=0.9, eps=1e-10, momentum=0.9, weight_decay=0.1)", "timm.optim.RMSpropTF",
     of(RMSpropTF, alpha=0.9, eps=1e-10, momentum=0.9, weight_decay=0.1), (1e-4, 1e-4, None)),
    ("rmsprop(lr=linear({lr}, 0), preset=tf, alpha=0.9, eps=1e-5, momentum=0.9)", "timm.optim.RMSpropTF",
     annealed(RMSpropTF, alpha=0.9, eps=1e-5, momentum=0.9), (1e-3, 1e-3, 1e-2)),
    ("rmsprop(lr={lr}, preset=tf, alpha=0.99, eps=1e-4, centered=true, momentum=0.5)", "timm.optim.RMSpropTF",
     of(RMSpropTF, alpha=0.99, eps=1e-4, centered=True, momentum=0.5), (1e-3, 3e-4, None)),
    (f"adam(lr={{lr}}, {ADAM})", "torch.optim.Adam", of(Adam), (1e-2, 1e-2, 1e-3)),
    ("adam(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-5, weight_decay=0.1)", "torch.optim.Adam",
     of(Adam, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.1), (1e-2, 1e-2, None)),
    (f"adam(lr=linear({{lr}}, 0), {ADAM})", "torch.optim.Adam", annealed(Adam), (1e-2, 1e-2, None)),
    (f"adamw(lr={{lr}}, {ADAM}, weight_decay=0.01)", "torch.optim.AdamW", of(AdamW), (1e-2, 1e-2, 1e-3)),
    ("adamw(lr=linear({lr}, 0), beta1=0.9, beta2=0.999, eps=1e-5, weight_decay=0.1)", "torch.optim.AdamW",
     annealed(AdamW, eps=1e-5, weight_decay=0.1), (1e-2, 1e-2, None)),
    ("adamw(lr={lr}, weight_decay=linear(0.5, 0))", "torch.optim.AdamW",
     lambda lr: optimizer(AdamW, lr=lr, schedules={"weight_decay": linear(0.5, 0.0)}), (3e-3, None, None)),
    ("amsgrad(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-8)", "torch.optim.Adam", of(Adam, amsgrad=True), (1e-2, 1e-2, 1e-3)),
    ("amsgrad(lr={lr}, beta1=0.9, beta2=0.9, eps=1e-5, weight_decay=0.1)", "torch.optim.Adam",
     of(Adam, amsgrad=True, betas=(0.9, 0.9), eps=1e-5, weight_decay=0.1), (1e-2, 1e-2, None)),
    ("adamax(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-8)", "torch.optim.Adamax", of(Adamax), (5e-3, 1e-2, 2e-3)),
    ("adamax(lr={lr}, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.1)", "torch.optim.Adamax",
     of(Adamax, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1), (3e-3, 1e-2, None)),
    ("nadam(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3)", "torch.optim.NAdam",
     of(NAdam), (1e-2, 1e-2, 2e-3)),
    ("nadam(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-5, momentum_decay=0.1, weight_decay=0.1)", "torch.optim.NAdam",
     of(NAdam, betas=(0.8, 0.99), eps=1e-5, momentum_decay=0.1, weight_decay=0.1), (3e-3, 1e-2, None)),
    ("radam(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-8)", "torch.optim.RAdam", of(RAdam), (1e-2, 1e-3, 5e-3)),
    ("radam(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-5, weight_decay=0.1)", "torch.optim.RAdam",
     of(RAdam, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.1), (1e-2, 1e-3, None)),

    # Memory-lean and matrix-aware.
    ("adafactor(form=torch, lr={lr})", "torch.optim.Adafactor", of(Adafactor, eps=(FLOAT32_EPS, 1e-3)), (1e-2, 1e-2, 1e-2)),
    ("adafactor(form=torch, lr={lr}, beta2_decay=0.5, eps=1e-6, parameter_scale_floor=0.1, clip=2, weight_decay=0.1)",
     "torch.optim.Adafactor",
     of(Adafactor, beta2_decay=-0.5, eps=(1e-6, 0.1), d=2.0, weight_decay=0.1), (0.01, 0.1, 0.05)),
    ("muon(lr={lr}, momentum=0.95, nesterov=true, ns_steps=5, weight_decay=0.1, adjust=original, adam_lr=1e-3)",
     "torch.optim.Muon and AdamW", lambda lr: muon(lr, adam_lr=1e-3), (3e-3, 2e-3, 1e-3)),
    ("muon(lr={lr}, momentum=0.95, nesterov=true, ns_steps=5, weight_decay=0.1, adjust=match_rms_adamw, adam_lr=1e-2)",
     "torch.optim.Muon and AdamW", lambda lr: muon(lr, adam_lr=1e-2, adjust_lr_fn="match_rms_adamw"), (1e-2, 5e-3, None)),
    ("muon(lr={lr}, momentum=0.9, nesterov=false, ns_steps=3, weight_decay=0, adjust=original, adam_lr=1e-3)",
     "torch.optim.Muon and AdamW",
     lambda lr: muon(lr, adam_lr=1e-3, momentum=0.9, nesterov=False, ns_steps=3, weight_decay=0.0), (1e-2, 2e-3, None)),
    ("lamb(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01, clamp=1)", "timm.optim.Lamb",
     of(Lamb, trust_clip=True, always_adapt=True, max_grad_norm=None), (1e-2, 1e-2, 1e-3)),

    # Of this decade.
    ("schedule_free_sgd(lr={lr}, beta1=0.9, warmup_steps=20, weight_decay=0.1)", "schedulefree.SGDScheduleFree",
     lambda lr: schedule_free(schedulefree.SGDScheduleFree, lr=lr, warmup_steps=20, weight_decay=0.1), (0.1, 1e-3, 0.3)),
    ("schedule_free_adamw(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-8, warmup_steps=20, weight_decay=0.1)",
     "schedulefree.AdamWScheduleFree",
     lambda lr: schedule_free(schedulefree.AdamWScheduleFree, lr=lr, warmup_steps=20, weight_decay=0.1), (1e-2, 1e-2, 2.5e-3)),
    ("ema(decay=0.95, warmup=false) | adam(lr={lr})", "torch.optim.Adam and swa_utils.AveragedModel",
     lambda lr: averaged(0.95, Adam, lr=lr), (1e-2, 1e-2, 1e-3)),

    # Clipping and masks.
    ("clip_by_global_norm(0.5) | adam(lr={lr}, eps=1e-5)", "torch.optim.Adam and clip_grad_norm_",
     of(Adam, eps=1e-5, clip=clip_grad_norm(0.5)), (3e-3, None, 1e-3)),
    ("clip_by_global_norm(0.05, form=torch) | momentum(lr=linear({lr}, 0), momentum=0.9, weight_decay=0.1)",
     "torch.optim.SGD and clip_grad_norm_",
     annealed(SGD, momentum=0.9, weight_decay=0.1, clip=clip_grad_norm(0.05)), (0.01, 1e-3, 0.1)),
    ("clip_by_value(1) | adam(lr={lr}, eps=1e-5)", "torch.optim.Adam and clip_grad_value_",
     of(Adam, eps=1e-5, clip=clip_grad_value(1.0)), (1e-2, 1e-2, None)),
    ("clip_by_value(0.01) | adam(lr={lr}, eps=1e-5)", "torch.optim.Adam and clip_grad_value_",
     of(Adam, eps=1e-5, clip=clip_grad_value(0.01)), (None, None, 1e-3)),
    ("clip_by_value(0.1) | clip_by_global_norm(0.2) | rmsprop(lr={lr}, preset=torch, alpha=0.99, eps=1e-8, weight_decay=0.1)",
     "torch.optim.RMSprop, clip_grad_value_ and clip_grad_norm_",
     of(RMSprop, weight_decay=0.1, clip=both(clip_grad_value(0.1), clip_grad_norm(0.2))), (1e-3, 1e-3, None)),
]
# fmt: on
