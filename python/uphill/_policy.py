"""Trained policies."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from uphill import _uphill
from uphill._spaces import Space


class Policy:
    """A policy that a run left in its folder."""

    def __init__(self, native: _uphill.Policy):
        self._policy = native
        self.env, observation, action, *_ = native.spec()
        self._observation, self._action = Space(observation), Space(action)
        self.observation_space, self.action_space = self._observation.space, self._action.space

    @classmethod
    def load(cls, folder: str | os.PathLike[str], which: str = "last") -> Policy:
        """The `last` policy of the run in a folder, the `best` in training, or the `best_by_eval`."""
        return cls(_uphill.Policy(folder, which))

    @property
    def settings(self) -> str:
        """What it was trained with, in TOML."""
        return self._policy.settings()

    def act(self, observation: Any, *, deterministic: bool = True, begins: Any = None, masks: Any = None) -> Any:
        """The action in an observation, or in each of a batch of them, one a lane: the likeliest, or one drawn.

        A policy with a memory has one for each lane; `begins` says whether an episode does, in that lane, with this observation,
        and the memory is then forgotten. Calls with another number of lanes than before begin all of them.

        `masks` says of each choice whether it is legal, as `info["action_mask"]` of some of Gymnasium's environments does: one
        mask, or one a lane; of several choices one after the other. The others are not taken, nor drawn.
        """
        data, lanes = self._observation.written(observation, "the observation")
        count = 1 if lanes is None else lanes
        if begins is None:
            begins = np.zeros(count, np.bool_)
        begins = np.atleast_1d(np.asarray(begins, np.bool_))
        if begins.shape != (count,):
            raise ValueError(f"begins has shape {begins.shape}: expected {(count,)}, one a lane")
        masks = None if masks is None else self._action.masks(masks, lanes)
        return self._action.actions(self._policy.act(data, begins.tolist(), masks, deterministic), lanes)

    def seed(self, seed: int) -> None:
        """Draws from now on with the generator of this seed."""
        self._policy.seed(seed)

    def evaluate(self, episodes: int = 100, *, seed: int = 0, deterministic: bool = True) -> dict[str, Any]:
        """Plays whole episodes in its environment: `returns` and `lengths`, NaN of those that were cut off."""
        returns, lengths = self._policy.evaluate(episodes, seed, deterministic)
        return {"returns": np.array(returns, np.float64), "lengths": np.array(lengths, np.float64)}
