"""What files of other programs mean there: their defaults, from their own objects and sources, and losses by their own code.

    python foreign.py CLEANRL PUREJAXRL

CLEANRL and PUREJAXRL are clones of these repositories; the commits stand in requirements.txt. Their scripts are read, not run.

Losses are those of `PPO.train` and `A2C.train`: a policy that answers with given log-probabilities, entropies and values stands
in for a network, and what reaches it backwards is the derivative by each.
"""

import ast
import inspect
import json
import math
import random
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import torch
from sb3_contrib import TRPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

ROWS = 24


def single(x):
    """The nearest number of single precision."""
    return struct.unpack("f", struct.pack("f", x))[0]


def defaults(callable):
    """Arguments with a default."""
    given = inspect.signature(callable).parameters.values()
    return {p.name: p.default for p in given if p.default is not inspect.Parameter.empty}


def network(model):
    """What a model of theirs begins as: widths, the Frobenius norms of its weights, and its optimizer."""
    policy = model.policy
    # As many digits as single precision lets every machine agree on.
    norm = lambda layer: float(f"{float(layer.weight.detach().double().norm()):.5g}")
    linear = lambda part: [layer for layer in part if isinstance(layer, torch.nn.Linear)]
    actor, critic = linear(policy.mlp_extractor.policy_net), linear(policy.mlp_extractor.value_net)
    (activation,) = {type(layer).__name__ for layer in policy.mlp_extractor.policy_net} - {"Linear"}
    optimizer = policy.optimizer
    kept = ("alpha", "betas", "eps", "weight_decay", "momentum", "centered", "amsgrad")
    return {
        "net_arch": {"pi": [layer.out_features for layer in actor], "vf": [layer.out_features for layer in critic]},
        "activation_fn": activation,
        "norms": {
            "actor": [norm(layer) for layer in [*actor, policy.action_net]],
            "critic": [norm(layer) for layer in [*critic, policy.value_net]],
        },
        "biases": sum(float(p.detach().abs().sum()) for name, p in policy.named_parameters() if name.endswith("bias")),
        "log_std": policy.log_std.detach().flatten().tolist() if hasattr(policy, "log_std") else None,
        "optimizer": {"class": type(optimizer).__name__} | {k: v for k, v in optimizer.defaults.items() if k in kept},
    }


def library(name, algorithm):
    models = {env: algorithm("MlpPolicy", gymnasium.make(env), device="cpu") for env in ("CartPole-v1", "Pendulum-v1")}
    return {"defaults": defaults(algorithm.__init__), "networks": {env: network(m) for env, m in models.items()}}


class Stub:
    """A policy that answers with these numbers, and counts how often it is asked."""

    def __init__(self, log_prob, entropy, value):
        leaf = lambda numbers: torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        self.log_prob, self.entropy, self.value = leaf(log_prob), leaf(entropy), leaf(value)
        self.optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        self.asked = 0

    def set_training_mode(self, _):
        pass

    def parameters(self):
        return []

    def evaluate_actions(self, *_):
        self.asked += 1
        return self.value, self.log_prob, self.entropy


def train(algorithm, rows, **arguments):
    """Their `train` on these rows as one minibatch."""
    model = algorithm("MlpPolicy", "CartPole-v1", device="cpu", **arguments)
    model._current_progress_remaining = 1.0
    model._logger = SimpleNamespace(record=lambda *_, **__: None)
    stub = Stub(rows["log_prob"], rows["entropy"], rows["value"])
    model.policy = stub
    tensor = lambda name: torch.tensor(rows[name], dtype=torch.float64)
    names = ("old_value", "old_log_prob", "advantage", "target")
    batch = RolloutBufferSamples(None, torch.zeros(len(rows["value"]), 1), *map(tensor, names))
    model.rollout_buffer.get = lambda batch_size=None: [batch]
    model.train()
    return stub


def loss(algorithm, rows, **arguments):
    stub = train(algorithm, rows, **arguments)
    return {name: getattr(stub, name).grad.tolist() for name in ("log_prob", "entropy", "value")}


def rows(rng):
    normal = lambda mean, deviation: [single(rng.gauss(mean, deviation)) for _ in range(ROWS)]
    old_log_prob, old_value = normal(-0.7, 0.2), normal(0, 1)
    return {
        "log_prob": [single(x + rng.gauss(0, 0.3)) for x in old_log_prob],
        "entropy": [single(abs(x)) for x in normal(0.6, 0.1)],
        "value": [single(x + rng.gauss(0, 0.5)) for x in old_value],
        "old_log_prob": old_log_prob,
        "old_value": old_value,
        "advantage": normal(0.3, 2),
        "target": normal(0, 1),
    }


def stops_at(target_kl):
    """The approximate divergence beyond which PPO makes no further pass, by bisection."""

    def passes(log_ratio):
        flat = [0.0] * 4
        one = dict.fromkeys(("entropy", "value", "old_log_prob", "old_value", "advantage", "target"), flat)
        return train(PPO, one | {"log_prob": [log_ratio] * 4}, n_epochs=3, target_kl=target_kl).asked

    low, high = 0.0, 2.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) == 3 else (low, middle)
    return math.exp(low) - 1 - low


def schedule():
    """Learning rates and clip ranges of the updates of a run of 1000 steps by 250, and where one by 300 ends."""
    falling = lambda x: lambda remaining: remaining * x
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=250, batch_size=250, n_epochs=1, device="cpu",
                learning_rate=falling(1e-3), clip_range=falling(0.2))
    seen, inner = [], model.train

    def observed():
        inner()
        seen.append((model.policy.optimizer.param_groups[0]["lr"], model.clip_range(model._current_progress_remaining)))

    model.train = observed
    model.learn(1000)
    other = PPO("MlpPolicy", "CartPole-v1", n_steps=300, batch_size=300, n_epochs=1, device="cpu").learn(1000)
    return {"lr": [lr for lr, _ in seen], "clip_range": [clip for _, clip in seen], "ends_at": other.num_timesteps}


def arguments(path):
    """Defaults of the class `Args` of a script."""
    tree = ast.parse(path.read_text())
    (args,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Args"]
    fields = [node for node in args.body if isinstance(node, ast.AnnAssign)]
    literal = lambda node: node.value if isinstance(node, ast.Constant) else ast.literal_eval(node)
    return {f.target.id: literal(f.value) for f in fields if f.target.id != "exp_name"}


def config(path):
    """The dict `config` of a script's end."""
    tree = ast.parse(path.read_text())
    (main,) = [node for node in tree.body if isinstance(node, ast.If)]
    (found,) = [n for n in main.body if isinstance(n, ast.Assign) and n.targets[0].id == "config"]
    return ast.literal_eval(found.value)


def main():
    torch.set_num_threads(1)
    cleanrl, purejaxrl = map(Path, sys.argv[1:3])
    given = rows(random.Random(16))
    ppo = {"n_epochs": 1, "ent_coef": 0.03, "vf_coef": 0.3, "clip_range": 0.15}
    a2c = {"ent_coef": 0.03, "vf_coef": 0.4}
    cases = [
        ("ppo", PPO, ppo),
        ("ppo", PPO, ppo | {"normalize_advantage": False, "vf_coef": 0.7}),
        ("a2c", A2C, a2c),
        ("a2c", A2C, a2c | {"normalize_advantage": True}),
    ]
    out = {
        "sb3": {name: library(name, algorithm) for name, algorithm in (("ppo", PPO), ("a2c", A2C), ("trpo", TRPO))},
        "vec_normalize": defaults(VecNormalize.__init__),
        "cleanrl": {name: arguments(cleanrl / f"cleanrl/{name}.py") for name in ("ppo", "ppo_continuous_action")},
        "purejaxrl": {name: config(purejaxrl / f"purejaxrl/{name}.py") for name in ("ppo", "ppo_continuous_action")},
        "rows": given,
        "losses": [
            {"algo": name, "keys": keys, "slopes": loss(algorithm, given, **keys)} for name, algorithm, keys in cases
        ],
        "clipped_values": {
            "keys": ppo | {"clip_range_vf": 0.25},
            "slopes": loss(PPO, given, **ppo, clip_range_vf=0.25),
        },
        "stops_at": {str(t): stops_at(t) for t in (0.01, 0.05)},
        "schedule": schedule(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
