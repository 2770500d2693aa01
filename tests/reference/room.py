"""What the environment that `uphill new` writes pays at random and at best: the `returns` of its row, src/cli/new/environment.rs.

Prints the mean return of 200,000 episodes of random actions, and the best there is in the limit of 100 steps, by dynamic programming
over 4,001 temperatures.
"""

import numpy as np

FROST, HEATING, DRAUGHT, STEPS, HEATS = 0.3, 0.6, 0.05, 100, (0.0, 0.5, 1.0)


def step(temperature, heat, draught):
    """The next temperature, the reward, and whether the pipes are frozen."""
    following = np.clip(temperature * (1 - FROST) + HEATING * heat + draught, 0, 2)
    frozen = following <= 0.05
    return following, np.where(frozen, -10, 1 - abs(following - 1) - 0.2 * heat), frozen


def at_random(episodes=200_000):
    rng = np.random.default_rng(0)
    temperature, total, alive = rng.uniform(0.3, 1.7, episodes), np.zeros(episodes), np.ones(episodes, bool)
    for _ in range(STEPS):
        heat, draught = rng.integers(0, 3, episodes) / 2, rng.uniform(-DRAUGHT, DRAUGHT, episodes)
        following, reward, frozen = step(temperature, heat, draught)
        total += np.where(alive, reward, 0)
        temperature, alive = np.where(alive, following, temperature), alive & ~frozen
    return total.mean()


def at_best():
    grid, edges = np.linspace(0, 2, 4001), np.linspace(-DRAUGHT, DRAUGHT, 101)
    draughts, value = (edges[:-1] + edges[1:]) / 2, np.zeros(4001)
    for _ in range(STEPS):
        ways = []
        for heat in HEATS:
            following, reward, frozen = step(grid[:, None], heat, draughts)
            ways.append((reward + np.where(frozen, 0, np.interp(following, grid, value))).mean(1))
        value = np.max(ways, 0)
    return value[(grid >= 0.3) & (grid <= 1.7)].mean()


print(f"random {at_random():.1f}, best {at_best():.1f}")
