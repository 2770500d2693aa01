"""Environments as others might write them, one a kind of space or of mistake."""

import os

import gymnasium
import numpy as np
from gymnasium import spaces


class Counter(gymnasium.Env):
    """Counts steps, and ends after five of them. What it sees are elements of a space that say so."""

    def __init__(self, kind="start", raises_after=0, exits_after=0, shape=(2, 3), render_mode=None):
        self.kind, self.raises_after, self.exits_after = kind, raises_after, exits_after
        self.observation_space = {
            "start": spaces.Discrete(10, start=-3),
            "several": spaces.MultiDiscrete([10, 4]),
            "switches": spaces.MultiBinary(6),
            "matrix": spaces.Box(-9.0, 9.0, shape, np.float64),
            "image": spaces.Box(0, 255, (2, 3, 1), np.uint8),
            "grey": spaces.Box(0, 255, (2, 3), np.uint8),
            "words": spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Box(0.0, 9.0, (2,))}),
            "text": spaces.Box(0.0, 1.0, (2,)),
        }[kind]
        self.action_space = {
            "start": spaces.Discrete(3, start=5),
            "several": spaces.MultiDiscrete([2, 3]),
            "switches": spaces.MultiBinary(2),
            "matrix": spaces.Box(-1.0, 1.0, (1, 2)),
            "text": spaces.Text(4),
        }.get(kind, spaces.Discrete(2))
        self.count = 0

    def look(self):
        n = self.count
        return {
            "start": lambda: np.int64(n - 3),
            "several": lambda: np.array([n, n % 4]),
            "switches": lambda: np.array([n >> k & 1 for k in range(6)], np.int8),
            "matrix": lambda: np.full(self.observation_space.shape, n + 0.25),
            "image": lambda: np.full((2, 3, 1), n, np.uint8),
            "grey": lambda: np.arange(6, dtype=np.uint8).reshape(2, 3) + np.uint8(n),
            "words": lambda: {"a": np.int64(n % 2), "b": np.full(2, n, np.float32)},
            "text": lambda: np.zeros(2, np.float32),
        }[self.kind]()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.look(), {}

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"{action!r} is none of {self.action_space}")
        if self.count == 0 and self.kind == "grey":
            print("an environment may print", flush=True)
        self.count += 1
        if self.count == self.raises_after:
            raise RuntimeError("the wheel came off")
        if self.count == self.exits_after:
            os._exit(7)
        return self.look(), float(self.count), self.count == 5, False, {}


class Painter(Counter):
    """Paints its count, in one way or another."""

    metadata = {"render_modes": ["ansi", "rgb_array"]}

    def __init__(self, paints="well", render_mode=None):
        super().__init__()
        self.paints, self.render_mode = paints, render_mode

    def render(self):
        if self.render_mode is None:
            raise RuntimeError("nobody is to look")
        if self.paints == "rarely" and self.count > 1:
            raise RuntimeError("no paint is left")
        frame = np.zeros((20, 30, 3), np.uint8)
        frame[:, : 5 * (self.count + 1)] = 200, 100, 50
        if self.paints == "largely":
            return frame.repeat(60, 0).repeat(60, 1)
        return {"numbers": frame / 255, "grey": frame[:, :, 0], "nothing": None}.get(self.paints, frame)


gymnasium.register("odd/Counter-v0", Counter)
gymnasium.register("Painter-v0", Painter)
gymnasium.register("Counter-v0", Counter)
gymnasium.register("Brief-v0", Counter, max_episode_steps=3)


def Unready(env):
    """A wrapper that lacks something."""
    raise gymnasium.error.DependencyNotInstalled('no wheels: pip install "gymnasium[cars]"')
