"""Steps a second of Gymnasium's own vectors under actions that are always 0: python scripts/beside-gymnasium.py 16 CartPole-v1

The best of five rounds, the kinds in turn, as gymnasium/examples/steps.rs has it.
"""

import sys
import time

import gymnasium
import numpy as np

ROUNDS, ROUND = 5, 2.0


def rate(envs):
    """Steps a second, all lanes together, in one round."""
    actions = np.zeros(envs.action_space.shape, envs.action_space.dtype)
    envs.reset(seed=1)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < ROUND:
        envs.step(actions)
        steps += envs.num_envs
    return steps / (time.perf_counter() - start)


def main():
    lanes, name = int(sys.argv[1]), sys.argv[2]
    envs = {mode: gymnasium.make_vec(name, lanes, mode) for mode in ("sync", "async")}
    best = dict.fromkeys(envs, 0.0)
    for _ in range(ROUNDS):
        for mode, vector in envs.items():
            best[mode] = max(best[mode], rate(vector))
    for mode, rate_of in best.items():
        print(f"{rate_of:>12.0f} steps/s  {name}, {mode}, {lanes} lanes")


if __name__ == "__main__":
    main()
