"""Records the gradients of a PPO run on CartPole-v1, as `ppo_gradients.safetensors` beside this script.

    pip install -r requirements.txt && OMP_NUM_THREADS=1 python ppo_gradients.py

A small PPO after CleanRL's `ppo.py`: 4 environments of 128 steps, 4 epochs of 4 minibatches, Adam with global-norm
clipping. The policy is the tanh network 4-64-64-2, the value network another one of its own. Recorded are the policy's
first 200 gradients, before clipping, rounded to bfloat16: `gradients` [200, 4610], and the parameters they start from,
`start` [4610]. Float64 inside, so that other machines get the same bits.
"""

import gymnasium
import numpy
import torch
from safetensors.torch import save_file

from problems import HERE, STEPS

LANES, HORIZON, EPOCHS, MINIBATCHES = 4, 128, 4, 4
GAMMA, LAMBDA, CLIP_RANGE, ENT_COEF, LR = 0.99, 0.95, 0.2, 0.01, 2.5e-3

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def network(generator, outputs, gain):
    """4-64-64-outputs, tanh, orthogonal weights that are exact in float32, biases 0."""
    layers, sizes = [], [4, 64, 64, outputs]
    for i, gain in enumerate([2.0**0.5, 2.0**0.5, gain]):
        layer = torch.nn.Linear(sizes[i], sizes[i + 1])
        torch.nn.init.orthogonal_(layer.weight, gain, generator=generator)
        torch.nn.init.zeros_(layer.bias)
        layer.weight.data = layer.weight.data.float().double()
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def rollout(lanes, observations, actor, critic, generator):
    """Observations [T, N, 4], actions, log-probabilities, advantages and returns, each [T, N]."""
    seen, actions, log_probs, values, rewards, ends, next_values = ([] for _ in range(7))
    for _ in range(HORIZON):
        x = torch.tensor(numpy.array(observations))
        logits = torch.log_softmax(actor(x), dim=-1)
        action = torch.multinomial(logits.exp(), 1, generator=generator).squeeze(-1)
        seen.append(x)
        actions.append(action)
        log_probs.append(logits.gather(-1, action[:, None]).squeeze(-1))
        values.append(critic(x).squeeze(-1))
        reward, end, after = [], [], []
        for i, lane in enumerate(lanes):
            observation, r, terminated, truncated, _ = lane.step(int(action[i]))
            after.append(0.0 if terminated else float(critic(torch.tensor(observation).double())))
            observations[i] = lane.reset()[0].astype(float) if terminated or truncated else observation.astype(float)
            reward.append(r)
            end.append(float(terminated or truncated))
        rewards.append(torch.tensor(reward))
        ends.append(torch.tensor(end))
        next_values.append(torch.tensor(after))
    advantages, carried = [None] * HORIZON, torch.zeros(LANES)
    for t in reversed(range(HORIZON)):
        delta = rewards[t] + GAMMA * next_values[t] - values[t]
        carried = delta + GAMMA * LAMBDA * (1.0 - ends[t]) * carried
        advantages[t] = carried
    columns = [torch.stack(c).flatten(0, 1) for c in (seen, actions, log_probs, advantages, values)]
    return *columns[:4], columns[3] + columns[4]


def main():
    generator = torch.Generator().manual_seed(0)
    actor, critic = network(generator, 2, 0.01), network(generator, 1, 1.0)
    optimizers = [torch.optim.Adam(net.parameters(), lr=LR, eps=1e-5) for net in (actor, critic)]
    flat = lambda tensors: torch.cat([tensor.detach().flatten() for tensor in tensors])
    start, gradients = flat(actor.parameters()), []
    lanes = [gymnasium.make("CartPole-v1") for _ in range(LANES)]
    observations = [lane.reset(seed=i)[0].astype(float) for i, lane in enumerate(lanes)]
    while len(gradients) < STEPS:
        with torch.no_grad():
            seen, actions, old, advantages, returns = rollout(lanes, observations, actor, critic, generator)
        for _ in range(EPOCHS):
            order = torch.randperm(LANES * HORIZON, generator=generator)
            for batch in order.chunk(MINIBATCHES):
                logits = torch.log_softmax(actor(seen[batch]), dim=-1)
                ratio = (logits.gather(-1, actions[batch][:, None]).squeeze(-1) - old[batch]).exp()
                weight = advantages[batch]
                weight = (weight - weight.mean()) / (weight.std() + 1e-8)
                surrogate = torch.minimum(weight * ratio, weight * ratio.clamp(1.0 - CLIP_RANGE, 1.0 + CLIP_RANGE))
                entropy = -(logits.exp() * logits).sum(-1)
                losses = [-surrogate.mean() - ENT_COEF * entropy.mean()]
                losses += [0.5 * (critic(seen[batch]).squeeze(-1) - returns[batch]).square().mean()]
                for net, optimizer, loss in zip((actor, critic), optimizers, losses):
                    optimizer.zero_grad()
                    loss.backward()
                    if net is actor:
                        gradients.append(flat(p.grad for p in actor.parameters()))
                    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
                    optimizer.step()
    tensors = {"gradients": torch.stack(gradients[:STEPS]).to(torch.bfloat16), "start": start.float()}
    save_file(tensors, HERE / "ppo_gradients.safetensors")
    norms = tensors["gradients"].double().norm(dim=1)
    print(f"{STEPS} gradients of {start.numel()} numbers, norms {norms.min():.3g} to {norms.max():.3g}")


if __name__ == "__main__":
    main()
