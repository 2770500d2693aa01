"""Policy-gradient reinforcement learning in Rust, for Python: training, policies, environments.

    import uphill

    run = uphill.train({"env": "CartPole-v1", "steps": 50_000}, out="runs/pole")
    policy = uphill.Policy.load(run.folder)
    env = uphill.make("CartPole-v1")
    observation, info = env.reset(seed=7)
    action = policy.act(observation)

Settings are those of the command line and of its files: docs/settings.md of the repository has all of them. Environments are
uphill's own by their names, those of the Gymnasium that is installed as `gymnasium/LunarLander-v3`.
"""

from uphill._environments import Env, VectorEnv, make, make_vec
from uphill._policy import Policy
from uphill._run import Run, environments, metrics, resume, settings, train
from uphill._uphill import Error

__all__ = [
    "Env",
    "Error",
    "Policy",
    "Run",
    "VectorEnv",
    "environments",
    "make",
    "make_vec",
    "metrics",
    "resume",
    "settings",
    "train",
]
