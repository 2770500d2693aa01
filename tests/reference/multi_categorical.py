"""Records what PyTorch says of several independent categorical choices, as `multi_categorical.json` beside this script.

    pip install -r requirements.txt && python multi_categorical.py

Log-probabilities and entropies are sums over one `torch.distributions.Categorical` a choice, in float64; the gradients are
those of `sum(u * log_prob + w * entropy)` in the logits `[B, sum of A]`, `u` and `w` given. The Fisher information is
recorded as its product with given tangents, the Hessian of the KL divergence at equal policies.
`kl` is that divergence of each row from the row before it, the first's from the last.
"""

import json
from pathlib import Path

import torch
from torch.distributions import Categorical, kl_divergence


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def case(generator, batch, actions, scale):
    def normal(*shape, scale=1.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale).float().double()

    logits = normal(batch, sum(actions), scale=scale).requires_grad_()
    action = torch.stack([torch.randint(0, n, (batch,), generator=generator) for n in actions], 1)
    u, w = normal(batch), normal(batch)
    tangents = normal(batch, sum(actions))

    def choices(logits):
        return [Categorical(logits=part) for part in logits.split(actions, 1)]

    policy = choices(logits)
    log_prob = sum(choice.log_prob(action[:, k]) for k, choice in enumerate(policy))
    entropy = sum(choice.entropy() for choice in policy)
    gradient = torch.autograd.grad((u * log_prob + w * entropy).sum(), logits)[0]

    def divergence(moved):
        return sum(kl_divergence(a, b).sum() for a, b in zip(choices(logits.detach()), choices(moved)))

    _, fisher = torch.autograd.functional.hvp(divergence, logits.detach(), tangents)
    kl = sum(kl_divergence(a, b) for a, b in zip(policy, choices(logits.roll(1, 0))))
    return {
        "actions": actions,
        "logits": flat(logits),
        "action": action.flatten().tolist(),
        "by_log_prob": flat(u),
        "by_entropy": flat(w),
        "tangents": flat(tangents),
        "log_prob": flat(log_prob),
        "entropy": flat(entropy),
        "gradient": flat(gradient),
        "fisher": flat(fisher),
        "kl": flat(kl),
    }


def main():
    generator = torch.Generator().manual_seed(20)
    cases = [
        case(generator, 7, [3, 2, 4], 1.5),
        case(generator, 5, [1, 5], 1.0),
        case(generator, 4, [6], 2.0),
        case(generator, 3, [2, 2, 1, 9, 3], 8.0),
        case(generator, 3, [4, 3], 40.0),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
