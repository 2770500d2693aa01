"""Trains on CartPole-v1 with Stable-Baselines3, by the zoo's own hyperparameters of PPO or A2C: what each seed came to, a line of JSON.

    pip install stable-baselines3==2.9.2 gymnasium==1.4.0
    python scripts/beside-stable-baselines3.py ppo 100000 1 9
    uphill train --config ppo.yml --env CartPole-v1 --steps 100_000 --seeds 1-10    # ours, of the zoo's file

`curve` is the mean return of the last 100 episodes at each tenth of training, `evaluation` that of 50 with the likeliest action.
"""

import json
import statistics
import sys

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

ENV = "CartPole-v1"


def falling(x):
    """The zoo's `lin_`."""
    return lambda remaining: remaining * x


ALGORITHMS = {
    "ppo": lambda env, seed: PPO(
        "MlpPolicy", env, n_steps=32, batch_size=256, gae_lambda=0.8, gamma=0.98, n_epochs=20, ent_coef=0.0,
        learning_rate=falling(1e-3), clip_range=falling(0.2), seed=seed, device="cpu",
    ),
    "a2c": lambda env, seed: A2C("MlpPolicy", env, ent_coef=0.0, seed=seed, device="cpu"),
}


class Returns(BaseCallback):
    """The steps at which episodes ended, and their returns."""

    def __init__(self):
        super().__init__()
        self.ended = []

    def _on_step(self):
        ended = [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
        self.ended.extend((self.num_timesteps, earned) for earned in ended)
        return True


def main():
    torch.set_num_threads(1)
    algo, steps, first, last = sys.argv[1], *map(int, sys.argv[2:5])
    for seed in range(first, last + 1):
        model, returns = ALGORITHMS[algo](make_vec_env(ENV, n_envs=8, seed=seed), seed), Returns()
        model.learn(steps, callback=returns)
        until = lambda share: [earned for at, earned in returns.ended if at <= share * steps]
        curve = [statistics.mean(until(k / 10)[-100:]) for k in range(1, 11)]
        evaluation, _ = evaluate_policy(model, make_vec_env(ENV, seed=1000 + seed), n_eval_episodes=50)
        print(json.dumps({"algo": algo, "seed": seed, "curve": curve, "evaluation": float(evaluation)}), flush=True)


if __name__ == "__main__":
    main()
