"""Records what numpy and Gymnasium answer, as the JSON files beside this script.

    pip install -r requirements.txt && python record.py

An f64 that must match bit for bit is written as its bits, since not every JSON reader rounds exactly.
"""

import json
from pathlib import Path

import gymnasium
import numpy

FOLDER = Path(__file__).parent
SEEDS = [0, 1, 42, 2**32 - 1, 2**32, 2**40 + 12345, 2**64 - 1, 2**64, 2**64 + 1, 2**70 + 3, 2**96 + 5, 2**128 - 1]


def f32(observation):
    return [float(str(x)) for x in observation]


def bits(doubles):
    return [int(x) for x in doubles.view(numpy.uint64)]


def numpy_numbers():
    """For each seed: raw words, then `random`, then `uniform`, drawn from one generator in this order."""
    rows = []
    for seed in SEEDS:
        rng = numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(seed)))
        rows.append(
            {
                "seed": seed,
                "raw": [int(x) for x in rng.bit_generator.random_raw(4)],
                "random": bits(rng.random(size=4)),
                "uniform": bits(rng.uniform(-0.05, 0.05, size=4)),
            }
        )
    return rows


def balance(observation, _):
    """Pushes to where the pole falls; keeps it up for all 500 steps."""
    x, x_dot, theta, theta_dot = observation
    return int(theta + 0.5 * theta_dot + 0.01 * x + 0.05 * x_dot > 0)


def at_random(_, chance):
    return int(chance.integers(2))


def cartpole(seed, policies, **options):
    """Episodes of one environment: reset with the seed once, then without."""
    env = gymnasium.make("CartPole-v1", **options)
    chance = numpy.random.default_rng(seed)
    episodes = []
    for i, policy in enumerate(policies):
        observation, _ = env.reset(seed=seed if i == 0 else None)
        episode = {"first": f32(observation), "actions": "", "rewards": [], "observations": [], "end": None}
        while episode["end"] is None:
            action = policy(observation, chance)
            observation, reward, terminated, truncated, _ = env.step(action)
            episode["actions"] += str(action)
            episode["rewards"].append(reward)
            episode["observations"].append(f32(observation))
            episode["end"] = "terminated" if terminated else "truncated" if truncated else None
        episodes.append(episode)
    return {"seed": seed, "sutton_barto": options.get("sutton_barto_reward", False), "episodes": episodes}


def cartpole_vector(seed, lanes, steps):
    """Random steps of a vector that resets a lane in the step that ends its episode."""
    mode = gymnasium.vector.AutoresetMode.SAME_STEP
    envs = gymnasium.make_vec(
        "CartPole-v1", num_envs=lanes, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    chance = numpy.random.default_rng(seed)
    observations, _ = envs.reset(seed=seed)
    record = {"seed": seed, "first": [f32(row) for row in observations], "steps": []}
    for _ in range(steps):
        actions = chance.integers(2, size=lanes)
        observations, rewards, terminated, truncated, info = envs.step(actions)
        assert not truncated.any()
        final = info.get("final_obs", [None] * lanes)
        record["steps"].append(
            {
                "actions": actions.tolist(),
                "observations": [f32(row) for row in observations],
                "rewards": rewards.tolist(),
                "terminated": terminated.tolist(),
                "final": [None if row is None else f32(row) for row in final],
            }
        )
    return record


def cliffwalking(id, seed, steps):
    """Random steps with a walk to the goal halfway, round by the top; reset whenever an episode ends."""
    env = gymnasium.make(id)
    chance = numpy.random.default_rng(seed)
    state, _ = env.reset(seed=seed)
    record = {"id": id, "seed": seed, "first": state, "steps": []}
    plan = []
    for t in range(steps):
        if t == steps // 2:
            plan = [0] * 4 + [3] * 12 + [2] * 3 + [0] + [1] * 11 + [2]
        action = plan.pop(0) if plan else int(chance.integers(4))
        state, reward, terminated, truncated, _ = env.step(action)
        assert not truncated
        after = None
        if terminated:
            after, _ = env.reset()
        record["steps"].append([action, state, reward, terminated, after])
    return record


def pendulum(seed, scales):
    """Episodes of random torques, so many times as large as the bounds: reset with the seed once, then without."""
    env = gymnasium.make("Pendulum-v1")
    chance = numpy.random.default_rng(seed)
    episodes = []
    for i, scale in enumerate(scales):
        observation, _ = env.reset(seed=seed if i == 0 else None)
        episode = {"first": f32(observation), "actions": [], "rewards": [], "observations": []}
        truncated = False
        while not truncated:
            # A torque is kept for some steps, so that the pendulum goes round.
            if len(episode["actions"]) % 10 == 0:
                action = (scale * chance.uniform(-2, 2, size=1)).astype(numpy.float32)
            observation, reward, terminated, truncated, _ = env.step(action)
            assert not terminated
            episode["actions"].append(float(str(action[0])))
            episode["rewards"].append(float(reward))
            episode["observations"].append(f32(observation))
        episodes.append(episode)
    return {"seed": seed, "episodes": episodes}


def write(name, content):
    (FOLDER / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


write("numpy.json", numpy_numbers())
write(
    "cartpole.json",
    {
        "trajectories": [
            cartpole(0, [at_random, balance, at_random]),
            cartpole(1, [balance, at_random, at_random]),
            cartpole(42, [at_random, at_random, at_random, balance]),
            cartpole(2**32 + 7, [at_random, balance]),
            cartpole(3, [at_random, balance, at_random], sutton_barto_reward=True),
        ],
        "vectors": [cartpole_vector(123, 5, 60), cartpole_vector(2**64 - 1, 3, 60)],
    },
)
write(
    "cliffwalking.json",
    [cliffwalking("CliffWalking-v1", seed, 400) for seed in (0, 7)]
    + [cliffwalking("CliffWalkingSlippery-v1", seed, 1500) for seed in (0, 7, 2**33)],
)
write("pendulum.json", [pendulum(0, [1, 2]), pendulum(7, [0.5, 1]), pendulum(2**32 + 7, [1.5])])
