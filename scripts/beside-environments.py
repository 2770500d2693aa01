"""Steps a second of environments alone on one core, beside gymnax and Gymnasium's vector environments.

    cargo build --release --example throughput
    taskset -c 1 python scripts/beside-environments.py target/release/examples/throughput [ENV ...]

Each plays actions drawn beforehand, 61 steps of all lanes again and again, with limits and resets: ours and gymnax's with 1,024
lanes, gymnax's compiled to one loop (its compilation is not counted), Gymnasium's with 1,024 where it has a vectorised form of its
own and with 64 in one process where not. Rounds go in turn, so what else the machine does meets all; medians of five. Needs gymnax,
Gymnasium and NumPy.
"""

import json
import os
import statistics
import subprocess
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import gymnasium
import gymnax
import jax
import jax.numpy as jnp

ROUNDS, STEPS, SECONDS = 5, 61, 0.5

# Ours, gymnax's, Gymnasium's with its arguments.
ENVIRONMENTS = {
    "CartPole-v1": ("CartPole-v1", "CartPole-v1"),
    "MountainCar-v0": ("MountainCar-v0", "MountainCar-v0"),
    "MountainCarContinuous-v0": ("MountainCarContinuous-v0", "MountainCarContinuous-v0"),
    "Acrobot-v1": ("Acrobot-v1", "Acrobot-v1"),
    "Pendulum-v1": ("Pendulum-v1", "Pendulum-v1"),
    "FrozenLake-v1": ("FrozenLake-misc", "FrozenLake-v1"),
    "FrozenLake8x8-v1": (None, "FrozenLake8x8-v1"),
    "CliffWalking-v1": (None, "CliffWalking-v1"),
    "Taxi-v4": (None, "Taxi-v4"),
    "Blackjack-v1": (None, "Blackjack-v1"),
    "FourRooms-v0": ("FourRooms-misc", None),
    "MinAtar/Asterix-v1": ("Asterix-MinAtar", None),
    "MinAtar/Breakout-v1": ("Breakout-MinAtar", None),
    "MinAtar/Freeway-v1": ("Freeway-MinAtar", None),
    "MinAtar/Seaquest-v1": ("Seaquest-MinAtar", None),
    "MinAtar/SpaceInvaders-v1": ("SpaceInvaders-MinAtar", None),
    "Bandit-v0": ("BernoulliBandit-misc", None),
    "GaussianBandit-v0": ("GaussianBandit-misc", None),
    "MemoryChain-v0": ("MemoryChain-bsuite", None),
}


def ours(program, name):
    def rate():
        line = subprocess.run([program, "--json", "--env", name], check=True, capture_output=True, text=True).stdout
        return json.loads(line)["steps_per_second"]

    return rate


def repeated(play, steps):
    """Steps a second of calls of `play` for a while."""

    def rate():
        begun, calls = time.perf_counter(), 0
        while (now := time.perf_counter()) - begun < SECONDS:
            play()
            calls += 1
        return calls * steps / (now - begun)

    play()
    return rate


def of_gymnax(name, lanes=1_024):
    env, params = gymnax.make(name)
    key = jax.random.key(1)
    reset = jax.jit(jax.vmap(env.reset, (0, None)))
    step = jax.vmap(env.step, (0, 0, 0, None))
    draw = jax.vmap(jax.vmap(env.action_space(params).sample))
    actions = jax.jit(draw)(jax.random.split(key, (STEPS, lanes)))

    @jax.jit
    def play(key, state):
        def one(carry, action):
            key, state, total = carry
            key, of_step = jax.random.split(key)
            observation, state, reward, *_ = step(jax.random.split(of_step, lanes), state, action, params)
            # What is not asked for would not be computed.
            total += sum(jnp.sum(x) for x in jax.tree.leaves((observation, reward)))
            return (key, state, total), None

        return jax.lax.scan(one, (key, state, 0.0), actions)[0]

    at = [key, reset(jax.random.split(key, lanes), params)[1]]

    def go_on():
        key, state, total = play(*at)
        total.block_until_ready()
        at[:] = key, state

    return repeated(go_on, lanes * STEPS)


def of_gymnasium(name):
    has_own = gymnasium.spec(name).vector_entry_point is not None
    lanes, mode = (1_024, "vector_entry_point") if has_own else (64, "sync")
    envs = gymnasium.make_vec(name, num_envs=lanes, vectorization_mode=mode)
    envs.reset(seed=1)
    envs.action_space.seed(1)
    actions = [envs.action_space.sample() for _ in range(STEPS)]

    def play():
        for action in actions:
            envs.step(action)

    return repeated(play, lanes * STEPS)


def main():
    program, *names = sys.argv[1:]
    shown = lambda rate: f"{rate:,.0f}" if rate else "-"
    print("| environment | uphill | gymnax | Gymnasium |\n|---|---|---|---|")
    for name in names or ENVIRONMENTS:
        of_jax, of_python = ENVIRONMENTS[name]
        sides = [ours(program, name), of_jax and of_gymnax(of_jax), of_python and of_gymnasium(of_python)]
        rounds = [[side and side() for side in sides] for _ in range(ROUNDS)]
        rates = [side[0] and statistics.median(side) for side in zip(*rounds)]
        print("|", " | ".join([name, *map(shown, rates)]), "|", flush=True)


main()
