"""Surrogates of PPO's family by their equations, a row at a time, with dual numbers for their slopes: no library.

Rows are (log-ratio, advantage); each gives the loss, minus the surrogate, and its derivative by log pi(a|s).
"""

import json
import math
import random
import struct
from pathlib import Path

CLIP_RANGE = 0.2
DUAL_CLIP = 3.0
ALPHA = 2.0
BETA = 0.6


class Dual:
    """A number and its derivative."""

    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __mul__(self, k):
        return Dual(self.value * k, self.slope * k)

    def __sub__(self, other):
        return Dual(self.value - other.value, self.slope - other.slope)

    def tanh(self):
        return Dual(math.tanh(self.value), self.slope / math.cosh(self.value) ** 2)

    def exp(self):
        return Dual(math.exp(self.value), math.exp(self.value) * self.slope)


def single(x):
    """The nearest number of single precision."""
    return struct.unpack("f", struct.pack("f", x))[0]


def smaller(a, b):
    return a if a.value <= b.value else b


def larger(a, b):
    return a if a.value >= b.value else b


def clipped(log_ratio, advantage):
    """Schulman et al. 2017, eq. 7."""
    ratio = log_ratio.exp()
    held = smaller(larger(ratio, Dual(1 - CLIP_RANGE)), Dual(1 + CLIP_RANGE))
    return smaller(ratio * advantage, held * advantage)


def dual_clipped(log_ratio, advantage):
    """Ye et al. 2020, eq. 5."""
    once = clipped(log_ratio, advantage)
    return larger(once, Dual(DUAL_CLIP * advantage)) if advantage < 0 else once


def drifting(log_ratio, advantage):
    """Lu et al. 2022, section 6."""
    ratio = log_ratio.exp()
    x, scale = ((ratio - Dual(1)) * advantage, ALPHA) if advantage >= 0 else (log_ratio * advantage, BETA)
    drift = larger(Dual(0), x - (x * (1 / scale)).tanh() * scale)
    return ratio * advantage - drift


def main():
    rng = random.Random(16)
    rows = [(0.0, 1.5), (0.0, -1.5), (3.0, 0.7), (3.0, -0.7), (-3.0, 0.7), (-3.0, -0.7), (1.0, -2.0), (1.2, -2.0)]
    rows += [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(64)]
    rows = [(single(log_ratio), single(advantage)) for log_ratio, advantage in rows]
    out = {}
    for name, surrogate in [("clipped", clipped), ("dual_clipped", dual_clipped), ("drifting", drifting)]:
        duals = [surrogate(Dual(log_ratio, 1.0), advantage) for log_ratio, advantage in rows]
        out[name] = {"loss": [-d.value for d in duals], "slope": [-d.slope for d in duals]}
    settings = {"clip_range": CLIP_RANGE, "dual_clip": DUAL_CLIP, "dpo_alpha": ALPHA, "dpo_beta": BETA}
    given = {"log_ratio": [a for a, _ in rows], "advantage": [b for _, b in rows]}
    text = json.dumps({"settings": settings, "in": given, "out": out}, indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
