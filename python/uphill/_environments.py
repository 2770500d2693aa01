"""Uphill's environments as Gymnasium's."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from uphill import _uphill
from uphill._spaces import Space


class Env(gymnasium.Env[Any, Any]):
    """One environment of uphill's, within its limit and its wrappers, as Gymnasium has environments.

    The name, its arguments and its wrappers are as on the command line: `Pendulum-v1 | action_repeat(4)`. It cannot be rendered:
    `uphill evaluate --gif` draws.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, env: str):
        self._env = _uphill.Single(env)
        self.name, observation, action, self.max_episode_steps, self.reward_threshold = self._env.spec()
        self._observation, self._action = Space(observation), Space(action)
        self.observation_space, self.action_space = self._observation.space, self._action.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        _no_options(options)
        return self._observation.observations(self._env.reset(seed), None), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        data, reward, terminated, truncated = self._env.step(self._action.taken(action, None))
        return self._observation.observations(data, None), reward, terminated, truncated, {}


class VectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Environments of uphill's side by side, as Gymnasium has vectors. Lane `i` is seeded `seed + i`.

    With `autoreset_mode` SAME_STEP an episode's last observation is in `info["final_obs"]`; with NEXT_STEP, which is Gymnasium's
    default, it is what the step returns, and the step after it takes no action in that lane, pays 0 and returns the next
    episode's first observation.
    """

    def __init__(self, env: str, num_envs: int, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP):
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            raise ValueError("autoreset_mode DISABLED cannot be had: SAME_STEP and NEXT_STEP can")
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self._lanes = _uphill.Lanes(env, num_envs)
        self.num_envs = num_envs
        self.name, observation, action, self.max_episode_steps, self.reward_threshold = self._lanes.spec()
        self._observation, self._action = Space(observation), Space(action)
        self.single_observation_space, self.single_action_space = self._observation.space, self._action.space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        # What each lane's next action answers to, in bytes.
        self._at: bytes | None = None
        # Lanes whose next step begins an episode.
        self._begins = np.zeros(num_envs, np.bool_)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        _no_options(options)
        self._at = self._lanes.reset(seed)
        self._begins[:] = False
        return self._observation.observations(self._at, self.num_envs), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        if self._at is None:
            raise _uphill.Error("step called on environments that need a reset")
        active = ~self._begins
        taken = self._action.taken(actions, self.num_envs)
        self._at, last, rewards, ends = self._lanes.step(taken, active.tolist(), self._at)
        observations = self._observation.observations(self._at, self.num_envs)
        rewards = np.where(active, np.frombuffer(rewards, "<f4"), 0).astype(np.float64)
        ends = np.where(active, np.frombuffer(ends, np.uint8), 0)
        terminated, truncated = ends == 1, ends == 2
        ended = terminated | truncated
        info: dict[str, Any] = {}
        if ended.any():
            last = self._observation.observations(last, self.num_envs)
            if self.autoreset_mode is AutoresetMode.NEXT_STEP:
                observations[ended] = last[ended]
            else:
                final = np.full(self.num_envs, None, dtype=object)
                for lane in np.flatnonzero(ended):
                    final[lane] = last[lane]
                info = {"final_obs": final, "_final_obs": ended}
        self._begins = ended if self.autoreset_mode is AutoresetMode.NEXT_STEP else np.zeros(self.num_envs, np.bool_)
        return observations, rewards, terminated, truncated, info


def _no_options(options: dict[str, Any] | None) -> None:
    if options:
        raise ValueError(f"options = {options} has no effect: arguments stand in the environment's name, as in GridWorld(slip=0.1)")


def make(env: str) -> Env:
    """The environment of that name, arguments and wrappers, as Gymnasium has environments."""
    return Env(env)


def make_vec(env: str, num_envs: int, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP) -> VectorEnv:
    """So many of them side by side, as Gymnasium has vectors."""
    return VectorEnv(env, num_envs, autoreset_mode)
