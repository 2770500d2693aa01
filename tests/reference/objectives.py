"""Records losses and their gradients as PyTorch computes them, as `objectives.json` beside this script.

    pip install -r requirements.txt && python objectives.py

The formulas are those of CleanRL's `ppo.py`, in float64. Gradients are in the logits `[B, A]` and the values `[B]`.
"""

import json
from pathlib import Path

import torch

CLIP_RANGE, CLIP_RANGE_VF, VF_COEF, ENT_COEF = 0.2, 0.3, 0.5, 0.01


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def case(generator, batch, actions, log_ratio):
    def normal(*shape, scale=1.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale).float().double()

    logits = normal(batch, actions, scale=1.5).requires_grad_()
    value = normal(batch).requires_grad_()
    action = torch.randint(0, actions, (batch,), generator=generator)
    advantage = normal(batch)
    target = normal(batch)
    old_value = (value.detach() + normal(batch, scale=0.5)).float().double()
    policy = torch.distributions.Categorical(logits=logits)
    log_prob = policy.log_prob(action)
    old_log_prob = (log_prob.detach() - torch.tensor(log_ratio).repeat(batch)[:batch]).float().double()

    ratio = (log_prob - old_log_prob).exp()
    unclipped = -advantage * ratio
    clipped = -advantage * torch.clamp(ratio, 1 - CLIP_RANGE, 1 + CLIP_RANGE)
    surrogate = torch.max(unclipped, clipped).mean()
    policy_gradient = -(log_prob * advantage).mean()
    entropy = policy.entropy().mean()
    squared = (value - target) ** 2
    moved = old_value + torch.clamp(value - old_value, -CLIP_RANGE_VF, CLIP_RANGE_VF)
    value_loss = 0.5 * squared.mean()
    clipped_value_loss = 0.5 * torch.max(squared, (moved - target) ** 2).mean()
    ppo = surrogate + VF_COEF * clipped_value_loss - ENT_COEF * entropy

    losses = {
        "policy_gradient": policy_gradient,
        "clipped_surrogate": surrogate,
        "entropy": entropy,
        "value_loss": value_loss,
        "clipped_value_loss": clipped_value_loss,
        "ppo": ppo,
    }
    recorded = {}
    for name, loss in losses.items():
        gradients = torch.autograd.grad(loss, [logits, value], retain_graph=True, materialize_grads=True)
        recorded[name] = {"loss": flat(loss)[0], "logits": flat(gradients[0]), "value": flat(gradients[1])}
    with torch.no_grad():
        signs = {(bool(r > 1), bool(a > 0)) for r, a in zip(ratio, advantage) if abs(r - 1) > CLIP_RANGE}
        return signs, {
            "batch": batch,
            "actions": actions,
            "in": {
                "logits": flat(logits),
                "value": flat(value),
                "action": action.tolist(),
                "log_prob": flat(old_log_prob),
                "advantage": flat(advantage),
                "target": flat(target),
                "old_value": flat(old_value),
            },
            "approx_kl": flat(((ratio - 1) - ratio.log()).mean())[0],
            "clip_fraction": flat(((ratio - 1).abs() > CLIP_RANGE).double().mean())[0],
            "out": recorded,
        }


def main():
    generator = torch.Generator().manual_seed(20)
    cases, seen = [], set()
    for batch, actions, log_ratio in [
        (1, 2, [0.0]),
        (8, 2, [0.5, -0.5, 0.1, -0.1]),
        (9, 5, [0.5, 0.05, -0.6]),
        (32, 3, [0.0, 0.3, -0.3, 1.5, -2.0]),
        (7, 4, [0.0]),
    ]:
        signs, recorded = case(generator, batch, actions, log_ratio)
        seen |= signs
        cases.append(recorded)
    assert len(seen) == 4, "ratios above and below the range, each with both signs of advantage"
    settings = {
        "clip_range": CLIP_RANGE,
        "clip_range_vf": CLIP_RANGE_VF,
        "vf_coef": VF_COEF,
        "ent_coef": ENT_COEF,
    }
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    head = json.dumps(settings, separators=(",", ":"))
    Path(__file__).with_suffix(".json").write_text(f'{{"settings":{head},"cases":[\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
