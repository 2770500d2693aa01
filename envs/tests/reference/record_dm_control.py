"""Records what tasks of DeepMind's control suite do, as `dm_control_*.json` beside this script.

    pip install -r requirements_dm_control.txt && MUJOCO_GL=disabled python record_dm_control.py

Each file is a list of trajectories of one domain, whose tasks differ in rewards: `start` is MuJoCo's `qpos` and `qvel`,
`observations` and `rewards`, these by the task's name, are those that each of the `actions` led to, to ten digits, and `last` is the
state at the end.
"""

import json
from pathlib import Path

import numpy
from dm_control import suite

FOLDER = Path(__file__).parent


def ten(x):
    return float(f"{x:.10g}")


def held(scale, steps):
    """Actions so many times as large as the bounds, each kept for some steps."""

    def policy(_, t, chance, last):
        return last if t % steps else scale * chance.uniform(-1, 1)

    return policy


def hard(steps):
    """One bound or the other, kept for some steps."""
    return lambda _, t, chance, last: last if t % steps else chance.choice([-1.0, 1.0])


def always(action):
    return lambda *_: action


def feedback(*gains, noise=0.1):
    """A linear function of position and velocity, and noise."""
    return lambda state, _, chance, __: float(numpy.dot(gains, state)) + noise * chance.normal()


def trajectory(domain, tasks, seed, steps, policy, start=None):
    """All tasks of a domain move alike, given the same actions."""
    envs = {task: suite.load(domain, task, task_kwargs={"random": seed}) for task in tasks}
    first = next(iter(envs.values())).physics
    for env in envs.values():
        env.reset()
        with env.physics.reset_context():
            env.physics.set_state(first.get_state() if start is None else numpy.array(start, dtype=float))
    chance = numpy.random.default_rng(seed)
    record = {
        "start": first.get_state().tolist(),
        "actions": [],
        "observations": [],
        "rewards": {f"dm_control/{domain}-{task}-v0": [] for task in tasks},
    }
    action = 0.0
    for t in range(steps):
        action = float(str(numpy.float32(policy(first.get_state(), t, chance, action))))
        record["actions"].append(action)
        for (task, env), rewards in zip(envs.items(), record["rewards"].values()):
            step = env.step(numpy.array([float(numpy.float32(action))]))
            assert step.discount == 1 and (env.physics.get_state() == first.get_state()).all()
            rewards.append(ten(step.reward))
        record["observations"].append([ten(x) for part in step.observation.values() for x in numpy.ravel(part)])
    record["last"] = first.get_state().tolist()
    return record


def write(name, trajectories):
    text = "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in trajectories) + "\n]\n"
    (FOLDER / name).write_text(text)
    for one in trajectories:
        print(name, len(one["actions"]), "steps, returns", {task: sum(r) for task, r in one["rewards"].items()})


balance, swingup = ["balance", "balance_sparse"], ["swingup", "swingup_sparse"]
cartpole = lambda tasks, *rest: trajectory("cartpole", tasks + (swingup if tasks == balance else balance), *rest)
write(
    "dm_control_cartpole.json",
    [
        cartpole(swingup, 0, 1000, held(1.5, 5)),
        cartpole(balance, 1, 600, feedback(0.1, 3, 0.25, 0.7)),
        cartpole(swingup, 2, 400, hard(30), [1.75, 2, 6, -12]),
        cartpole(balance, 3, 300, always(1.0)),
        cartpole(balance, 4, 300, hard(60), [-1.9, 0.1, -3, 15]),
    ],
)
pendulum = lambda *rest: trajectory("pendulum", ["swingup"], *rest)
write(
    "dm_control_pendulum.json",
    [
        pendulum(0, 1000, held(1.5, 10)),
        pendulum(1, 300, feedback(-8, -2, noise=0.3), [0.2, -0.5]),
        pendulum(2, 300, hard(20), [3, 25]),
    ],
)
acrobot = lambda *rest: trajectory("acrobot", ["swingup", "swingup_sparse"], *rest)
write(
    "dm_control_acrobot.json",
    [
        acrobot(0, 1000, held(1.5, 10)),
        acrobot(1, 400, hard(20), [0.02, -0.01, 0, 0]),
        acrobot(2, 400, hard(40), [1, 2, 8, -12]),
        acrobot(3, 200, always(-1.0)),
    ],
)
