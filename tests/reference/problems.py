"""The three problems that every optimizer is run on, and the run itself.

- `quadratic`: 16 dimensions, condition number 1e4, in the blocks `w` [4, 3] and `b` [4]; minimum at 0.
- `rosenbrock`: Rosenbrock's function of two numbers, in the one block `x` [1, 2]; minimum at (1, 1).
- `ppo`: the gradients of a real run of PPO, recorded by `ppo_gradients.py`. They do not depend on the optimizer.

Starts, and gradients that are given, are exact in float32. All else is float64.
"""

from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
STEPS, RECORDED, RECORDED_PPO = 200, (1, 2, 10, 100, 200), (10, 200)

# Curvatures 1e-3 ... 10. Each block has steep and flat directions, and the steep ones of `w` stand in different rows and
# columns, so that its gradient's singular values differ by a factor and not by orders.
CURVATURE = [10.0 ** (-3.0 + 4.0 * k / 15.0) for k in (15, 2, 5, 0, 13, 7, 9, 4, 12, 11, 1, 6, 14, 3, 8, 10)]


def split(values, blocks):
    """The flat `values` as named blocks."""
    parts, at = {}, 0
    for name, shape in blocks.items():
        size = int(numpy.prod(shape))
        parts[name] = numpy.asarray(values[at : at + size]).reshape(shape)
        at += size
    return parts


def flat(parts, blocks):
    """The named blocks as one vector, in the order of the layout (jax sorts its dictionaries)."""
    return numpy.concatenate([numpy.asarray(parts[name], numpy.float64).ravel() for name in blocks])


class Quadratic:
    name, recorded = "quadratic", RECORDED
    blocks = {"w": [4, 3], "b": [4]}
    start = [1.0 + 0.125 * (i % 5) * (-1.0) ** i for i in range(16)]

    def gradient(self, x, step):
        return numpy.array(CURVATURE) * x


class Rosenbrock:
    name, recorded = "rosenbrock", RECORDED
    blocks = {"x": [1, 2]}
    start = [-0.5, 0.75]

    def gradient(self, x, step):
        return numpy.array([-2.0 * (1.0 - x[0]) - 400.0 * x[0] * (x[1] - x[0] ** 2), 200.0 * (x[1] - x[0] ** 2)])


class Ppo:
    name, recorded = "ppo", RECORDED_PPO
    blocks = {
        "actor.0.weight": [64, 4],
        "actor.0.bias": [64],
        "actor.1.weight": [64, 64],
        "actor.1.bias": [64],
        "actor.head.weight": [2, 64],
        "actor.head.bias": [2],
    }

    def __init__(self):
        tensors = load_file(HERE / "ppo_gradients.safetensors")
        self.start = tensors["start"].double().numpy()
        self.gradients = tensors["gradients"].to(torch.float64).numpy()

    def gradient(self, x, step):
        return self.gradients[step]


def spoil(gradient, step):
    """Puts a NaN or an infinity into every third gradient, each time elsewhere, and fills one gradient with them."""
    bad = (numpy.nan, numpy.inf, -numpy.inf)[step // 3 % 3]
    if step % 3 == 1:
        gradient[step % len(gradient)] = bad
    if step == 99:
        gradient[:] = bad
    return gradient


def run(problem, make, replayed, steps_per_update=None, dtype=numpy.float64, spoiled=False):
    """200 steps: parameters, and where there are any the parameters for evaluation, after those recorded.

    `make(blocks, dtype)` answers an object with `step(gradients, progress, update)` and `parameters()`. With `replayed`
    gradients, those given are at the reference's own parameters, rounded to float32, and answered as well; with an
    array of them, that array is given. `spoiled` gradients, which must be replayed, hold NaN and infinities.
    """
    reference = make({name: part.astype(dtype) for name, part in split(problem.start, problem.blocks).items()}, dtype)
    given, parameters, evaluation = [], [], []
    for step in range(STEPS):
        gradient = problem.gradient(flat(reference.parameters(), problem.blocks), step)
        if replayed is not False:
            gradient = gradient.astype(numpy.float32) if replayed is True else numpy.array(replayed[step])
            gradient = spoil(gradient, step) if spoiled else gradient
            given.append(gradient.astype(numpy.float64))
        update = 1 + step // (steps_per_update or STEPS)
        gradients = {name: part.astype(dtype) for name, part in split(gradient, problem.blocks).items()}
        reference.step(gradients, step / STEPS, update)
        if step + 1 in problem.recorded:
            parameters.append(flat(reference.parameters(), problem.blocks))
            if hasattr(reference, "evaluation"):
                evaluation.append(flat(reference.evaluation(), problem.blocks))
    return parameters, evaluation, given
