"""Records what PyTorch says of several independent switches, as `bernoulli.json` beside this script.

    pip install -r requirements.txt && python bernoulli.py

Log-probabilities and entropies are sums over `torch.distributions.Bernoulli`, in float64; the gradients are those of
`sum(u * log_prob + w * entropy)` in the logits `[B, K]`, `u` and `w` given. The Fisher information is recorded as its product
with given tangents, the Hessian of the KL divergence at equal policies.
`kl` is that divergence of each row from the row before it, the first's from the last.
"""

import json
from pathlib import Path

import torch
from torch.distributions import Bernoulli, Categorical, kl_divergence


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def both(logits):
    # On and off as a choice of two: the divergence of torch's Bernoulli is infinite where a probability rounds to 1.
    return Categorical(logits=torch.stack([logits, torch.zeros_like(logits)], -1))


def case(generator, batch, switches, scale):
    def normal(*shape, scale=1.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale).float().double()

    logits = normal(batch, switches, scale=scale).requires_grad_()
    action = torch.randint(0, 2, (batch, switches), generator=generator).double()
    u, w = normal(batch), normal(batch)
    tangents = normal(batch, switches)

    policy = Bernoulli(logits=logits)
    log_prob = policy.log_prob(action).sum(1)
    entropy = policy.entropy().sum(1)
    gradient = torch.autograd.grad((u * log_prob + w * entropy).sum(), logits)[0]

    def divergence(moved):
        return kl_divergence(Bernoulli(logits=logits.detach()), Bernoulli(logits=moved)).sum()

    _, fisher = torch.autograd.functional.hvp(divergence, logits.detach(), tangents)
    kl = kl_divergence(both(logits), both(logits.roll(1, 0))).sum(1)
    return {
        "switches": switches,
        "logits": flat(logits),
        "action": action.int().flatten().tolist(),
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
    generator = torch.Generator().manual_seed(21)
    cases = [
        case(generator, 7, 3, 1.5),
        case(generator, 5, 1, 1.0),
        case(generator, 4, 9, 2.0),
        case(generator, 3, 5, 8.0),
        case(generator, 3, 4, 40.0),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
