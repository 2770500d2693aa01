"""Policies of Stable-Baselines3, sb3-contrib and CleanRL, and what they do: the files in policies/, and policies.json.

    python policies.py

Networks are small and hardly trained. Of each policy: its likeliest actions in 16 observations, and the returns of 10 episodes that
begin with the seeds 0 to 9. `policies.json` has, for the two networks of images, only the names and shapes of their tensors, each
number of which is a formula of its place, and the logits of two images, whose pixels are another.
"""

import io
import json
import math
import pathlib
import zipfile

import gymnasium as gym
import numpy as np
import torch
from safetensors.torch import save_file
from sb3_contrib import TRPO, MaskablePPO, RecurrentPPO
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.torch_layers import NatureCNN
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

HERE = pathlib.Path(__file__).parent
OUT = HERE / "policies"
EPISODES = 10
torch.set_num_threads(1)


def observations(env_id):
    rng = np.random.default_rng(3)
    size = gym.make(env_id).observation_space.shape[0]
    return rng.uniform(-1, 1, (16, size)).astype(np.float32)


def returns(env_id, act):
    env, found = gym.make(env_id), []
    for seed in range(EPISODES):
        observation, _ = env.reset(seed=seed)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(act(observation.astype(np.float32)))
            total += float(reward)
            done = terminated or truncated
        found.append(total)
    return found


def described(env_id, act):
    seen = observations(env_id)
    return {
        "env": env_id,
        "observations": seen.tolist(),
        "actions": [np.asarray(act(observation)).reshape(-1).tolist() for observation in seen],
        "returns": returns(env_id, act),
    }


def lean(path):
    """Leaves only the entries that a policy is made of: the optimizer's state is twice as large."""
    with zipfile.ZipFile(path) as zipped:
        kept = {name: zipped.read(name) for name in ("data", "policy.pth")}
    data = json.loads(kept["data"])
    # What is pickled in there is not read, and long.
    for value in data.values():
        if isinstance(value, dict) and ":serialized:" in value:
            value[":serialized:"] = ""
    kept["data"] = json.dumps(data).encode()
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in kept.items():
            zipped.writestr(zipfile.ZipInfo(name), content)


def sb3_discrete():
    kwargs = dict(net_arch=dict(pi=[8, 6], vf=[5]), activation_fn=nn.ReLU)
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=256, policy_kwargs=kwargs, seed=5, device="cpu")
    model.learn(6_000)
    model.save(OUT / "sb3_ppo.zip")
    lean(OUT / "sb3_ppo.zip")
    return described("CartPole-v1", lambda x: int(model.predict(x, deterministic=True)[0]))


def sb3_gsde():
    kwargs = dict(net_arch=[8], log_std_init=-1)
    venv = VecNormalize(make_vec_env("Pendulum-v1", seed=5), clip_obs=5.0)
    model = A2C("MlpPolicy", venv, use_sde=True, policy_kwargs=kwargs, seed=5, device="cpu")
    model.learn(3_000)
    model.save(OUT / "sb3_a2c.zip")
    lean(OUT / "sb3_a2c.zip")
    np.savez(OUT / "sb3_a2c_stats.npz", mean=venv.obs_rms.mean, var=venv.obs_rms.var, clip=np.float64(venv.clip_obs))
    return described("Pendulum-v1", lambda x: model.predict(venv.normalize_obs(x), deterministic=True)[0])


def contrib(name, model):
    model.learn(2_000)
    model.save(OUT / f"{name}.zip")
    lean(OUT / f"{name}.zip")
    return described("CartPole-v1", lambda x: int(model.predict(x, deterministic=True)[0]))


def contrib_trpo():
    kwargs = dict(net_arch=[6], activation_fn=nn.GELU)
    return contrib("contrib_trpo", TRPO("MlpPolicy", "CartPole-v1", n_steps=256, policy_kwargs=kwargs, seed=5, device="cpu"))


def contrib_maskable():
    env = ActionMasker(gym.make("CartPole-v1"), lambda env: np.ones(2, bool))
    return contrib("contrib_maskable", MaskablePPO("MlpPolicy", env, n_steps=256, policy_kwargs=dict(net_arch=[6]), seed=5, device="cpu"))


def contrib_recurrent():
    kwargs = dict(net_arch=[], lstm_hidden_size=5, shared_lstm=True, enable_critic_lstm=False)
    model = RecurrentPPO("MlpLstmPolicy", "CartPole-v1", n_steps=256, policy_kwargs=kwargs, seed=5, device="cpu")
    model.learn(2_000)
    model.save(OUT / "contrib_recurrent.zip")
    lean(OUT / "contrib_recurrent.zip")
    env, found = gym.make("CartPole-v1"), []
    for seed in range(EPISODES):
        observation, _ = env.reset(seed=seed)
        total, done, state, begins = 0.0, False, None, np.ones(1, bool)
        while not done:
            action, state = model.predict(observation, state=state, episode_start=begins, deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(int(action))
            total, done, begins = total + float(reward), terminated or truncated, np.zeros(1, bool)
        found.append(total)
    seen = observations("CartPole-v1")
    actions = [[int(model.predict(observation, deterministic=True)[0])] for observation in seen]
    return {"env": "CartPole-v1", "observations": seen.tolist(), "actions": actions, "returns": found}


def filled(module, scale):
    """Numbers that are a formula of their place."""
    state = module.state_dict()
    for k, tensor in enumerate(state.values()):
        places = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.cos(places * 0.7 + k) * scale(tensor)).reshape(tensor.shape))
    return state


def layers(*sizes):
    made = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        made += [nn.Linear(inputs, outputs), nn.Tanh()]
    return nn.Sequential(*made[:-1])


class Choice(nn.Module):
    """As the agent of CleanRL's ppo.py."""

    def __init__(self):
        super().__init__()
        self.critic, self.actor = layers(4, 7, 5, 1), layers(4, 7, 5, 2)


class Numbers(nn.Module):
    """As the agent of CleanRL's ppo_continuous_action.py."""

    def __init__(self):
        super().__init__()
        self.critic, self.actor_mean = layers(3, 7, 5, 1), layers(3, 7, 5, 1)
        self.actor_logstd = nn.Parameter(torch.zeros(1, 1))


class Pictures(nn.Module):
    """As the agent of CleanRL's ppo_atari.py, for smaller images."""

    def __init__(self, channels, inputs, units, actions):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(channels, 32, 8, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=1), nn.ReLU(), nn.Flatten(), nn.Linear(inputs, units), nn.ReLU(),
        )
        self.actor, self.critic = nn.Linear(units, actions), nn.Linear(units, 1)


def cleanrl_discrete():
    torch.manual_seed(5)
    agent = Choice()
    # Pushes the way the pole falls, for some time.
    filled(agent, lambda tensor: 0.5 if tensor.dim() > 1 else 0.05)
    torch.save(agent.state_dict(), OUT / "cleanrl_ppo.cleanrl_model")
    save_file(agent.state_dict(), OUT / "cleanrl_ppo.safetensors")
    arrays = {name: tensor.numpy() for name, tensor in agent.state_dict().items()}
    np.savez(OUT / "cleanrl_ppo.npz", **arrays)
    # Packed; matrices with columns side by side, from the highest byte.
    np.savez_compressed(OUT / "cleanrl_packed.npz", **{n: np.asfortranarray(x).astype(">f4") for n, x in arrays.items()})
    torch.save(agent.state_dict(), OUT / "cleanrl_legacy.cleanrl_model", _use_new_zipfile_serialization=False)
    return described("CartPole-v1", lambda x: int(agent.actor(torch.tensor(x)).argmax()))


def cleanrl_half(kind, write):
    agent = Numbers()
    filled(agent, lambda tensor: 1.0)
    agent.to(kind)
    write({f"_orig_mod.{name}": tensor for name, tensor in agent.state_dict().items()})
    agent.float()

    @torch.no_grad()
    def act(x):
        return np.clip(agent.actor_mean(torch.tensor(x)).numpy(), -2, 2)

    return described("Pendulum-v1", act)


def cleanrl_halves():
    def npz(state):
        np.savez(OUT / "cleanrl_half.npz", **{name: tensor.numpy() for name, tensor in state.items()})
        torch.save({f"module.{name}": tensor for name, tensor in state.items()}, OUT / "cleanrl_half.cleanrl_model")
        save_file(state, OUT / "cleanrl_half.safetensors")

    def brain(state):
        torch.save(state, OUT / "cleanrl_bfloat.cleanrl_model")
        save_file(state, OUT / "cleanrl_bfloat.safetensors")

    return cleanrl_half(torch.float16, npz), cleanrl_half(torch.bfloat16, brain)


def cleanrl_numbers():
    agent = Numbers()
    filled(agent, lambda tensor: 1.0)
    torch.save(agent.state_dict(), OUT / "cleanrl_continuous.cleanrl_model")

    @torch.no_grad()
    def act(x):
        return np.clip(agent.actor_mean(torch.tensor(x)).numpy(), -2, 2)

    return described("Pendulum-v1", act)


SIDES, CHANNELS, UNITS, ACTIONS = (44, 52), 2, 12, 3


def images():
    rows, columns = SIDES
    places = torch.arange(2 * rows * columns * CHANNELS, dtype=torch.float64)
    return (places * 37 % 256).reshape(2, rows, columns, CHANNELS).float()


def of_images():
    space = gym.spaces.Box(0, 255, (CHANNELS, *SIDES), np.uint8)
    extractor = NatureCNN(space, features_dim=UNITS)
    inputs = extractor.linear[0].in_features
    agent = Pictures(CHANNELS, inputs, UNITS, ACTIONS)
    state = filled(agent, lambda tensor: 1 / math.sqrt(tensor[0].numel()) if tensor.dim() > 1 else 0.1)
    planes = images().permute(0, 3, 1, 2) / 255.0
    with torch.no_grad():
        logits = agent.actor(agent.network(planes))
        extractor.load_state_dict({
            {"network.7": "linear.0"}.get(name.rsplit(".", 1)[0], name.rsplit(".", 1)[0].replace("network", "cnn"))
            + "." + name.rsplit(".", 1)[1]: tensor
            for name, tensor in state.items() if name.startswith("network")
        })
        assert torch.equal(agent.actor(extractor(planes)), logits)
    return {
        "image": [*SIDES, CHANNELS],
        "tensors": [[name, list(tensor.shape), 1 / math.sqrt(tensor[0].numel()) if tensor.dim() > 1 else 0.1]
                    for name, tensor in state.items()],
        "logits": logits.tolist(),
    }


def main():
    OUT.mkdir(exist_ok=True)
    found = {
        "sb3_ppo": sb3_discrete(),
        "sb3_a2c": sb3_gsde(),
        "cleanrl_ppo": cleanrl_discrete(),
        "cleanrl_continuous": cleanrl_numbers(),
        "images": of_images(),
        "contrib_trpo": contrib_trpo(),
        "contrib_maskable": contrib_maskable(),
        "contrib_recurrent": contrib_recurrent(),
    }
    found["cleanrl_half"], found["cleanrl_bfloat"] = cleanrl_halves()
    (HERE / "policies.json").write_text(json.dumps(found, indent=1) + "\n")
    for name, of in found.items():
        print(name, of.get("returns", of.get("logits")))


if __name__ == "__main__":
    main()
