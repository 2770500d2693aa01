"""Records what gymnax's MinAtar games do, as `minatar_*.json` beside this script.

    pip install -r requirements_minatar.txt && python record_minatar.py

Each file is a list of segments, one played on from each start: `states` are what `MinAtar::save` writes of the game, `moves` are in
MinAtar's order of six, `chance` is what was drawn in each step, as the numbers that `Chance::below` gives, `rewards` belong to the
steps, `ended` says whether the last one ended the game. `shown` has the places of the ones in the image of every seventh state.

What gymnax does otherwise than is documented is left out: steps of Asterix that put something new into a row that is not free, and
that surfacing with all divers, and without any, leaves -1.
"""

import json
import sys
from pathlib import Path

import gymnax
import jax
import jax.numpy as jnp
import numpy
from gymnax.environments.minatar import asterix, seaquest

FOLDER = Path(__file__).parent
EVERY = 7


def board(cells):
    bits = sum(1 << i for i, on in enumerate(numpy.asarray(cells).reshape(-1)) if on)
    return [bits & (2**64 - 1), bits >> 64]


class Game:
    """A game of gymnax, and how its states and draws are written here."""

    def __init__(self, id, words, chance, endless=True, looks=(6, 12)):
        self.env, params = gymnax.make(id)
        self.params = params.replace(max_steps_in_episode=10**6) if endless else params
        self.words, self.chance, self.looks = words, chance, looks
        self.moves = numpy.asarray(self.env.action_set)
        self.drawn = []
        self.step = jax.jit(self._step)
        self.scores = jax.jit(self._scores)
        self.look = jax.jit(self.env.get_obs)

    def _step(self, key, state, action):
        self.drawn.clear()
        _, after, reward, done, _ = self.env.step_env(key, state, action, self.params)
        done = done | (after.time >= self.params.max_steps_in_episode)
        return after, reward, done, list(self.drawn)

    def _scores(self, key, state):
        """What each action comes to on average, in so many rollouts, in which so many random steps follow."""

        def play(key, action):
            def one(carry, key):
                state, alive = carry
                move, step = jax.random.split(key)
                action = jax.random.randint(move, (), 0, len(self.moves))
                after, reward, done, _ = self._step(step, state, action)
                return (after, alive & ~done), alive * (reward - 5.0 * done)

            first, rest = jax.random.split(key)
            after, reward, done, _ = self._step(first, state, action)
            carry = jax.tree.map(jnp.asarray, (after, ~done))
            return reward - 5.0 * done + jax.lax.scan(one, carry, jax.random.split(rest, self.looks[1]))[1].sum()

        keys = jax.random.split(key, self.looks[0])
        return jax.vmap(lambda action: jax.vmap(lambda key: play(key, action))(keys).mean())(jnp.arange(len(self.moves)))

    def shown(self, state):
        return numpy.flatnonzero(numpy.asarray(self.look(state)).reshape(-1)).tolist()

    def play(self, seed, steps, change=lambda state: state, careless=0.1):
        """Segments of `steps` steps of a policy that looks ahead, and at random takes any action."""
        key, chance = jax.random.key(seed), numpy.random.default_rng(seed)
        state = jax.tree.map(jnp.asarray, change(self.env.reset_env(key, self.params)[1]))
        segment, count = self.segment(state), 0
        while count < steps:
            key, look, own = jax.random.split(key, 3)
            best = int(self.scores(look, state).argmax())
            action = int(chance.integers(len(self.moves))) if chance.random() < careless else best
            after, reward, done, drawn = self.step(own, state, action)
            told = self.chance(own, state, after, float(reward), drawn)
            if told is None:
                if segment["moves"]:
                    yield segment
                state, segment = after, self.segment(after)
                continue
            count += 1
            segment["moves"] += str(self.moves[action])
            segment["chance"].append(told)
            segment["rewards"].append(int(reward))
            segment["states"].append(self.words(after))
            segment["ended"] = bool(done)
            if len(segment["moves"]) % EVERY == 0:
                segment["shown"].append(self.shown(after))
            state = after
            if done or getattr(after, "diver_count", 0) < 0:
                break
        yield segment

    def segment(self, state):
        return {
            "states": [self.words(state)],
            "moves": "",
            "chance": [],
            "rewards": [],
            "ended": False,
            "shown": [self.shown(state)],
        }


def asterix_words(s):
    thing = lambda x, y, right, gold, there: int(there) and (1 + int(x)) << 2 | int(right) << 1 | int(gold)
    things = [thing(*row) for row in numpy.asarray(s.entities)]
    rest = [s.spawn_timer, s.spawn_speed, s.move_timer, s.move_speed, s.ramp_timer, s.ramp_index]
    return [int(s.player_x), int(s.player_y), *things, *map(int, rest)]


SPAWN = jax.jit(asterix.spawn_entity)


def asterix_chance(key, state, after, reward, drawn):
    if state.spawn_timer != 0:
        return []
    entity, slot = SPAWN(key, state)
    free = numpy.flatnonzero(numpy.asarray(state.entities[:, 4]) == 0).tolist()
    if int(slot) not in free:
        return None
    return [free.index(int(slot)), 1 - int(entity[2]), 1 - int(entity[3])]


def breakout_words(s):
    places = [s.ball_y, s.ball_x, s.last_y, s.last_x, s.pos, s.ball_dir >= 2, s.ball_dir in (1, 2), s.strike]
    return [*map(int, places), *board(s.brick_map)]


def freeway_words(s):
    return [int(s.pos), int(s.move_timer), int(s.time), *(int(car[i]) for car in numpy.asarray(s.cars) for i in (0, 2, 3))]


def freeway_chance(key, state, after, reward, drawn):
    speeds = numpy.asarray(after.cars)[:, 3] if reward else []
    return [x for speed in speeds for x in (abs(int(speed)) - 1, int(speed < 0))]


def invaders_words(s):
    numbers = [s.pos, s.shot_timer, s.alien_dir > 0, s.enemy_move_interval, s.alien_move_timer, s.alien_shot_timer]
    return [*map(int, numbers), *board(s.f_bullet_map), *board(s.alien_map), *board(s.e_bullet_map)]


def seaquest_words(s):
    def swarm(all, count, columns):
        rows = numpy.asarray(all)[: int(count)]
        return [int(count), *(int(row[i]) if i is not None else 0 for row in rows for i in columns)]

    # What has no gun keeps the time of a new one's.
    unarmed = lambda all, count: [x if i % 5 else 10 for i, x in enumerate(swarm(all, count, (0, 1, 2, 3, None)))]
    fish, divers = unarmed(s.e_fish, s.e_fish_count), unarmed(s.divers, s.divers_count)
    fish[0], divers[0] = int(s.e_fish_count), int(s.divers_count)
    return [
        *map(int, [s.sub_x, s.sub_y, s.sub_or, max(int(s.diver_count), 0), s.surface, s.oxygen, s.shot_timer]),
        *map(int, [s.e_spawn_timer, s.e_spawn_speed, s.d_spawn_timer, s.move_speed, s.ramp_index]),
        *swarm(s.f_bullets, s.f_bullet_count, (0, 1, 2, None, None)),
        *swarm(s.e_bullets, s.e_bullet_count, (0, 1, 2, None, None)),
        *fish,
        *swarm(s.e_subs, s.e_subs_count, (0, 1, 2, 3, 4)),
        *divers,
    ]


def seaquest_chance(key, state, after, reward, drawn):
    (side, kind), row, diver_side, diver_row = map(numpy.asarray, drawn)
    enemy = [int(side >= 0.5), int(kind >= 1 / 3), int(row) - 1] if state.e_spawn_timer == 0 else []
    return enemy + ([int(not diver_side), int(diver_row) - 1] if state.d_spawn_timer == 0 else [])


class Listening:
    """A module whose functions' answers are kept."""

    def __init__(self, module, kept, names):
        self.module, self.kept, self.names = module, kept, names

    def __getattr__(self, name):
        found = getattr(self.module, name)
        if name not in self.names:
            return found

        def listen(*args, **kwargs):
            self.kept.append(found(*args, **kwargs))
            return self.kept[-1]

        return listen


class Jax:
    """jax with another `jax.random`."""

    def __init__(self, random):
        self.random = random

    def __getattr__(self, name):
        return getattr(jax, name)


def write(name, segments):
    """Only those named on the command line, if any is."""
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    data = [segment for played in segments for segment in played]
    text = "[\n" + ",\n".join(json.dumps(segment, separators=(",", ":")) for segment in data) + "\n]\n"
    (FOLDER / name).write_text(text)
    steps, rewards = sum(len(s["moves"]) for s in data), sum(sum(s["rewards"]) for s in data)
    ended = sum(s["ended"] for s in data)
    print(f"{name}: {len(data)} segments, {steps} steps, reward {rewards}, {ended} ended, {len(text)} bytes")


none = lambda key, state, after, reward, drawn: []
set_to = lambda **fields: lambda state: state.replace(**fields)

game = Game("Asterix-MinAtar", asterix_words, asterix_chance)
write(
    "minatar_asterix.json",
    [
        game.play(0, 500),
        game.play(1, 300, set_to(spawn_speed=3, move_speed=2, ramp_timer=3, ramp_index=7)),
        game.play(2, 200, set_to(spawn_speed=1, move_speed=1)),
        game.play(3, 300, set_to(spawn_speed=4, move_speed=3, ramp_timer=50, ramp_index=6), careless=0.5),
    ],
)

game = Game("Breakout-MinAtar", breakout_words, none, looks=(12, 12))
few = lambda state: state.replace(brick_map=state.brick_map.at[1:4, 1:].set(0))
write("minatar_breakout.json", [game.play(seed, 300) for seed in range(12)] + [game.play(20, 150, few), game.play(21, 50, careless=1)])

game = Game("Freeway-MinAtar", freeway_words, freeway_chance, endless=False)
write(
    "minatar_freeway.json",
    [
        game.play(0, 500),
        game.play(1, 100, set_to(time=2430), careless=1),
        game.play(2, 300, set_to(pos=2, move_timer=0), careless=0.3),
    ],
)

game = Game("SpaceInvaders-MinAtar", invaders_words, none)
last = lambda state: state.replace(
    alien_map=jnp.zeros_like(state.alien_map).at[2, 1:3].set(1), enemy_move_interval=7, alien_move_timer=2
)
low = lambda state: state.replace(
    alien_map=jnp.zeros_like(state.alien_map).at[8, 3:5].set(1).at[5, 4].set(1), alien_move_timer=1
)
write(
    "minatar_space_invaders.json",
    [game.play(0, 500), game.play(1, 400, last), game.play(2, 100, low), game.play(3, 100, low, careless=1), game.play(4, 300)],
)

game = Game("Seaquest-MinAtar", seaquest_words, seaquest_chance, looks=(1, 3))
seaquest.jax = Jax(Listening(jax.random, game.drawn, ["uniform", "randint", "bernoulli"]))
write(
    "minatar_seaquest.json",
    [
        game.play(0, 120),
        game.play(1, 60, set_to(oxygen=30, diver_count=3, sub_y=5, surface=False)),
        game.play(2, 30, set_to(oxygen=137, diver_count=6, sub_y=2, surface=False), careless=0.5),
        game.play(3, 100, set_to(e_spawn_speed=1, e_spawn_timer=1, move_speed=2, d_spawn_timer=3, diver_count=5, sub_y=4, surface=False)),
        game.play(4, 30, set_to(oxygen=3, sub_y=8, surface=False)),
        game.play(5, 30, set_to(sub_y=1, surface=False), careless=1),
        game.play(6, 100, set_to(e_spawn_speed=3, e_spawn_timer=1, move_speed=3, ramp_index=5, diver_count=1, sub_y=4, surface=False)),
        game.play(7, 120, careless=0.3),
    ],
)
