"""Trains on Pendulum beside PureJaxRL on the same machine, in turn: steps a second, and the ratio of each round.

    cargo build --release
    git clone https://github.com/luchris429/purejaxrl
    taskset -c 1 python scripts/beside-purejaxrl.py target/release/uphill purejaxrl/purejaxrl [--rounds N] [--threads 1]

Theirs is `ppo_continuous_action.py` as it stands, in gymnax's Pendulum in place of one of Brax, and with layers of 64 in place of 256:
the numbers of `configs/pendulum-ppo.toml`, with observations normalised, values clipped and gradients clipped by the norm of all of
them on both sides. Both take 163,840 steps, of which the seconds of training are told: theirs are compiled and run once before, and ours
leave out what comes after training, an evaluation over 100 episodes and a picture. `taskset` holds both to one core; without it, give
ours `--threads 2`. Needs gymnax, Flax, Distrax, Optax.
"""

import argparse
import functools
import json
import operator
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

if len(os.sched_getaffinity(0)) == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

STEPS = 163_840
SETTINGS = dict(
    LR=1e-3, NUM_ENVS=16, NUM_STEPS=128, TOTAL_TIMESTEPS=STEPS, UPDATE_EPOCHS=10, NUM_MINIBATCHES=32, GAMMA=0.97, GAE_LAMBDA=0.95,
    CLIP_EPS=0.2, ENT_COEF=0.0, VF_COEF=0.5, MAX_GRAD_NORM=0.5, ACTIVATION="tanh", ENV_NAME="Pendulum-v1", ANNEAL_LR=True,
    NORMALIZE_ENV=True, DEBUG=False,
)


def theirs(folder):
    """A function that trains once and returns steps a second."""
    for name in ("brax", "brax.envs", "brax.envs.wrappers", "brax.envs.wrappers.training", "navix"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["brax"].envs = sys.modules["brax.envs"]
    training = sys.modules["brax.envs.wrappers.training"]
    training.EpisodeWrapper = training.AutoResetWrapper = None
    sys.path.insert(0, str(folder))
    import gymnax
    import jax
    import ppo_continuous_action as ppo

    class Pendulum:
        """gymnax's, with its parameters at hand where none are given."""

        def __init__(self, name):
            self.env, self.params = gymnax.make(name)

        def reset(self, key, params=None):
            return self.env.reset(key, self.params)

        def step(self, key, state, action, params=None):
            observation, state, reward, *ends, info = self.env.step(key, state, action, self.params)
            return observation, state, reward, functools.reduce(operator.or_, ends), info

        def observation_space(self, params):
            return self.env.observation_space(self.params)

        def action_space(self, params):
            return self.env.action_space(self.params)

    dense = ppo.nn.Dense
    ppo.BraxGymnaxWrapper = Pendulum
    ppo.nn.Dense = lambda features, **kwargs: dense(64 if features == 256 else features, **kwargs)
    train = jax.jit(ppo.make_train(dict(SETTINGS)))
    jax.block_until_ready(train(jax.random.PRNGKey(0)))

    def once(seed):
        begun = time.perf_counter()
        out = jax.block_until_ready(train(jax.random.PRNGKey(seed)))
        rate = STEPS / (time.perf_counter() - begun)
        info = out["metrics"]
        returns = info["returned_episode_returns"][info["returned_episode"]]
        return rate, float(returns[-100:].mean())

    return once


def ours(program, threads):
    config = Path(__file__).parent.parent / "configs" / "pendulum-ppo.toml"

    def once(seed):
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "train", "--config", config, "--seed", seed, "--steps", STEPS, "--clip-range-vf", 0.2]
            command += ["--normalize-observation", "true", "--threads", threads, "--out", f"{folder}/run"]
            command += ["--clip-grad-by", "whole", "--checkpoint-every", 3600]
            said = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
            took = json.loads(Path(folder, "run", "summary.json").read_text())["wall_seconds"]
            text = said.stdout + said.stderr
            returns = re.findall(r"return (-?[\d.]+)", text)
            return STEPS / took, float(returns[-1]) if returns else float("nan")

    return once


def main():
    args = argparse.ArgumentParser()
    args.add_argument("program")
    args.add_argument("purejaxrl", type=Path)
    args.add_argument("--rounds", type=int, default=9)
    args.add_argument("--threads", type=int, default=1)
    args = args.parse_args()
    a, b = ours(args.program, args.threads), theirs(args.purejaxrl)
    rounds = []
    for seed in range(1, args.rounds + 1):
        (us, our_return), (them, their_return) = a(seed), b(seed)
        rounds.append((us, them))
        print(f"uphill {us:9,.0f} ({our_return:8.1f})   PureJaxRL {them:9,.0f} ({their_return:8.1f})   {us / them:.2f}", flush=True)
    us, them = (statistics.median(column) for column in zip(*rounds))
    print(f"medians {us:,.0f} and {them:,.0f}, {us / them:.2f}; of the rounds' ratios {statistics.median(u / t for u, t in rounds):.2f}")


main()
