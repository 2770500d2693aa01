"""Optimizers that PyTorch has, and timm's and schedulefree's, as `problems.run` wants them.

Each function answers `make(blocks, dtype)`. The optimizers are used as they are, with one exception: `torch.optim.Muon`
orthogonalises in bfloat16, which nothing can follow to five digits, so that its Newton-Schulz iteration is replaced
by the same one in the parameters' own precision.
"""

import importlib.util
import sys
import types
from pathlib import Path

import numpy
import schedulefree
import torch
from torch.optim import _muon


torch.set_num_threads(1)


def timm(module):
    """A module of `timm.optim`, without the models (and the packages they need) that `import timm` brings along."""
    if "timm" not in sys.modules:
        folder = Path(importlib.util.find_spec("timm").submodule_search_locations[0])
        for name, path in [("timm", folder), ("timm.optim", folder / "optim")]:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [str(path)]
    return importlib.import_module(f"timm.optim.{module}")


def newton_schulz(gradient, coefficients, steps, eps):
    """`torch.optim._muon._zeropower_via_newtonschulz` without its rounding to bfloat16."""
    a, b, c = coefficients
    x = gradient.T if gradient.size(0) > gradient.size(1) else gradient
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if gradient.size(0) > gradient.size(1) else x


_muon._zeropower_via_newtonschulz = newton_schulz


class Torch:
    """`build(tensors)` answers the optimizers; `clip(tensors)` works on their `.grad` first; a schedule is a function
    of the progress that gives the value of an entry of the parameter groups."""

    def __init__(self, blocks, dtype, build, clip, schedules):
        dtype = torch.float64 if dtype == numpy.float64 else torch.float32
        self.tensors = {name: torch.tensor(value, dtype=dtype, requires_grad=True) for name, value in blocks.items()}
        self.optimizers, self.clip, self.schedules = build(self.tensors), clip, schedules

    def step(self, gradients, progress, update):
        for name, tensor in self.tensors.items():
            tensor.grad = torch.tensor(gradients[name], dtype=tensor.dtype)
        if self.clip is not None:
            self.clip(self.tensors.values())
        for optimizer in self.optimizers:
            for key, schedule in self.schedules.items():
                optimizer.param_groups[0][key] = schedule(progress)
            optimizer.step()

    def parameters(self):
        return {name: tensor.detach().numpy() for name, tensor in self.tensors.items()}


def optimizer(cls, clip=None, schedules={}, **arguments):
    """One optimizer over all blocks."""
    build = lambda tensors: [cls(tensors.values(), **arguments)]
    return lambda blocks, dtype: Torch(blocks, dtype, build, clip, schedules)


def clip_grad_norm(max_norm):
    return lambda tensors: torch.nn.utils.clip_grad_norm_(list(tensors), max_norm)


def clip_grad_value(max_value):
    return lambda tensors: torch.nn.utils.clip_grad_value_(list(tensors), max_value)


def both(first, second):
    return lambda tensors: (first(tensors), second(tensors))


def linear(start, end):
    return lambda progress: start + (end - start) * progress


def muon(lr, adam_lr, **arguments):
    """Muon for the 2-D blocks, AdamW with the same weight decay for the rest."""

    def build(tensors):
        decay = arguments.get("weight_decay", 0.1)
        rest = [tensor for tensor in tensors.values() if tensor.ndim != 2]
        built = [torch.optim.Muon([tensor for tensor in tensors.values() if tensor.ndim == 2], lr=lr, **arguments)]
        if rest:
            built.append(torch.optim.AdamW(rest, lr=adam_lr, weight_decay=decay))
        return built

    return lambda blocks, dtype: Torch(blocks, dtype, build, None, {})


class ScheduleFree(Torch):
    """The authors' optimizers: `parameters` are those that are trained, y; `evaluation` the average, x."""

    def __init__(self, blocks, dtype, cls, arguments):
        super().__init__(blocks, dtype, lambda tensors: [cls(tensors.values(), **arguments)], None, {})
        self.optimizers[0].train()

    def evaluation(self):
        self.optimizers[0].eval()
        x = {name: tensor.copy() for name, tensor in self.parameters().items()}
        self.optimizers[0].train()
        return x


def schedule_free(cls, **arguments):
    return lambda blocks, dtype: ScheduleFree(blocks, dtype, cls, arguments)


class Averaged(Torch):
    """An exponential average of the parameters beside the optimizer, begun at their start."""

    def __init__(self, blocks, dtype, build, decay):
        super().__init__(blocks, dtype, build, None, {})
        model = torch.nn.ParameterList(self.tensors.values())
        self.model = model
        self.average = torch.optim.swa_utils.AveragedModel(
            model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
        )
        self.average.update_parameters(model)  # the first call copies

    def step(self, gradients, progress, update):
        super().step(gradients, progress, update)
        self.average.update_parameters(self.model)

    def evaluation(self):
        return {name: p.detach().numpy().copy() for name, p in zip(self.tensors, self.average.module)}


def averaged(decay, cls, **arguments):
    build = lambda tensors: [cls(tensors.values(), **arguments)]
    return lambda blocks, dtype: Averaged(blocks, dtype, build, decay)
