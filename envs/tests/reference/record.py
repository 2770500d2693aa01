"""Records what numpy and Gymnasium answer, as the JSON files beside this script.

    pip install -r requirements.txt && python record.py

An f64 that must match bit for bit is written as its bits, since not every JSON reader rounds exactly.
"""

import json
from functools import lru_cache
from pathlib import Path

import gymnasium
import numpy
from gymnasium.envs.toy_text import blackjack as cards

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


def swing(observation, _):
    """Pushes the car to where it rolls; it gets over the hill."""
    return 2 if observation[1] >= 0 else 0


def pump(observation, _):
    """Turns the lower link to where it swings; the free end gets over the line."""
    return 2 if observation[5] >= 0 else 0


def walk(actions):
    """A policy that takes actions uniformly at random, of so many."""
    return lambda _, chance: int(chance.integers(actions))


def trajectory(env, seed, policies, flat):
    """Episodes of one environment: reset with the seed once, then without. `flat` makes an observation JSON."""
    chance = numpy.random.default_rng(seed)
    episodes = []
    for i, policy in enumerate(policies):
        observation, _ = env.reset(seed=seed if i == 0 else None)
        episode = {"first": flat(observation), "actions": "", "rewards": [], "observations": [], "end": None}
        while episode["end"] is None:
            action = policy(observation, chance)
            observation, reward, terminated, truncated, _ = env.step(action)
            episode["actions"] += str(action)
            episode["rewards"].append(float(reward))
            episode["observations"].append(flat(observation))
            episode["end"] = "terminated" if terminated else "truncated" if truncated else None
        episodes.append(episode)
    return {"seed": seed, "episodes": episodes}


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


def mountaincar_continuous(seed, scales):
    """Episodes of pushes, so many times as large as the bounds: reset with the seed once, then without.

    The first half are kept for some steps, so that the car comes to the wall; the rest go to where it rolls.
    """
    env = gymnasium.make("MountainCarContinuous-v0")
    chance = numpy.random.default_rng(seed)
    episodes = []
    for i, scale in enumerate(scales):
        observation, _ = env.reset(seed=seed if i == 0 else None)
        episode = {"first": f32(observation), "actions": [], "rewards": [], "observations": [], "end": None}
        while episode["end"] is None:
            if len(episode["actions"]) < 150:
                if len(episode["actions"]) % 40 == 0:
                    action = (scale * chance.uniform(-1, 1, size=1)).astype(numpy.float32)
            else:
                way = numpy.sign(observation[1]) or 1.0
                action = (scale * way * chance.uniform(0.4, 1, size=1)).astype(numpy.float32)
            observation, reward, terminated, truncated, _ = env.step(action)
            episode["actions"].append(float(str(action[0])))
            episode["rewards"].append(float(reward))
            episode["observations"].append(f32(observation))
            episode["end"] = "terminated" if terminated else "truncated" if truncated else None
        episodes.append(episode)
    return {"seed": seed, "episodes": episodes}


def classic(id, policies, seeds):
    """A trajectory a seed, each with the episodes of `policies`."""
    return [trajectory(gymnasium.make(id), seed, policies, f32) for seed in seeds]


def acrobot_first(seeds):
    """First observations where the sine or cosine of some f32 is not the nearest f32."""
    env = gymnasium.make("Acrobot-v1")
    rows = []
    for seed in seeds:
        first = f32(env.reset(seed=seed)[0])
        theta1, theta2, *_ = env.unwrapped.state.astype(float)
        nearest = [numpy.float32(x) for x in (numpy.cos(theta1), numpy.sin(theta1), numpy.cos(theta2), numpy.sin(theta2))]
        if first[:4] != f32(nearest):
            rows.append([seed, first])
    return rows


def by(table):
    """A policy that takes the action of each state."""
    return lambda state, _: table[state]


def onward(_, chance):
    """Down or right."""
    return 1 + int(chance.integers(2))


def best(id, discount=0.99):
    """A policy of highest value, by value iteration over Gymnasium's `P`."""
    P = gymnasium.make(id).unwrapped.P
    values = numpy.zeros(len(P))
    backup = lambda ways: sum(p * (r + (0 if t else discount * values[s])) for p, s, r, t in ways)
    for _ in range(200):
        action_values = numpy.array([[backup(P[s][a]) for a in sorted(P[s])] for s in sorted(P)])
        values = action_values.max(axis=1)
    return by(action_values.argmax(axis=1).tolist())


def table(env):
    """Gymnasium's `P` and how likely each state is to start in, probabilities as bits."""
    bit = lambda x: bits(numpy.array([x], dtype=float))[0]
    outcomes = [
        [[[bit(p), int(s), float(r), bool(t)] for p, s, r, t in env.P[state][action]] for action in sorted(env.P[state])]
        for state in sorted(env.P)
    ]
    return {"outcomes": outcomes, "start": bits(env.initial_state_distrib)}


def toy_text(id, policies, seeds, **options):
    """The exact model of one environment and, a seed, the episodes of `policies`."""
    make = lambda: gymnasium.make(id, **options)
    trajectories = [trajectory(make(), seed, policies, int) for seed in seeds]
    return {"id": id, "options": options, "model": table(make().unwrapped), "trajectories": trajectories}


@lru_cache(None)
def dealer_ends(hand):
    """What the dealer's hand comes to, as pairs of score and natural with their probabilities."""
    if len(hand) > 1 and cards.sum_hand(hand) >= 17:
        return {(cards.score(hand), cards.is_natural(hand)): 1.0}
    ends = {}
    for card in cards.deck:
        for end, p in dealer_ends(hand + (card,)).items():
            ends[end] = ends.get(end, 0) + p / 13
    return ends


def blackjack_value(policy):
    """The expected return of a policy of (hand, open card), by Gymnasium's own functions of hands; `max` is the best."""

    @lru_cache(None)
    def value(hand, shown):
        if cards.is_bust(hand):
            return -1.0
        natural = cards.is_natural(hand)
        stick = 0.0
        for (score, dealer_natural), p in dealer_ends((shown,)).items():
            wins = natural and not dealer_natural
            stick += p * (1.0 if wins else cards.cmp(cards.score(hand), score))
        hit = sum(value(tuple(sorted(hand + (card,))), shown) for card in cards.deck) / 13
        return max(stick, hit) if policy is max else policy(hand) * hit + (1 - policy(hand)) * stick

    deals = [(tuple(sorted((a, b))), shown) for a in cards.deck for b in cards.deck for shown in cards.deck]
    return sum(value(*deal) for deal in deals) / len(deals)


def timid(observation, _):
    """Takes cards up to 17."""
    return int(observation[0] < 17)


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
write("mountaincar.json", classic("MountainCar-v0", [walk(3), swing, walk(3), swing], [0, 1, 42, 2**32 + 7]))
write("acrobot.json", classic("Acrobot-v1", [pump, walk(3), pump], [0, 1, 42, 2**32 + 7]))
write("acrobot_first.json", acrobot_first(range(6000)))
lake = [0, 3, 3, 3, 0, 0, 0, 0, 3, 1, 0, 0, 0, 2, 1, 0]
write(
    "frozenlake.json",
    [
        toy_text("FrozenLake-v1", [walk(4)] * 10 + [by(lake)] * 10, [0, 1, 42, 2**32 + 7]),
        toy_text("FrozenLake8x8-v1", [walk(4), by([3] * 64)] + [onward] * 8, [0, 1, 42, 2**32 + 7]),
        toy_text("FrozenLake-v1", [onward] * 20, [0, 1], is_slippery=False),
        toy_text(
            "FrozenLake-v1",
            [onward, walk(4)] * 10,
            [0, 1, 42],
            desc=["SFHFF", "FFFFS", "HFSFG"],
            success_rate=0.7,
            reward_schedule=(2, -1, -0.125),
        ),
    ],
)
write("taxi.json", [toy_text("Taxi-v4", [walk(6), best("Taxi-v4")] + [best("Taxi-v4")] * 8 + [walk(6)], [0, 1, 42, 2**32 + 7])])
write(
    "taxi_masks.json",
    ["".join(str(legal) for legal in gymnasium.make("Taxi-v4").unwrapped.action_mask(state)) for state in range(500)],
)
numbers = lambda observation: [float(x) for x in observation]
write(
    "blackjack.json",
    {
        "trajectories": [
            trajectory(gymnasium.make("Blackjack-v1"), seed, [walk(2), timid] * 60, numbers)
            for seed in [0, 1, 42, 2**32 + 7]
        ],
        "random": blackjack_value(lambda hand: 0.5),
        "timid": blackjack_value(lambda hand: float(cards.sum_hand(hand) < 17)),
        "best": blackjack_value(max),
    },
)
write("pendulum.json", [pendulum(0, [1, 2]), pendulum(7, [0.5, 1]), pendulum(2**32 + 7, [1.5])])
write(
    "mountaincar_continuous.json",
    [mountaincar_continuous(0, [1, 2, 0.1]), mountaincar_continuous(7, [0.5, 1.5]), mountaincar_continuous(2**32 + 7, [1])],
)
