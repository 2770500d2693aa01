"""Records what PyTorch says of independent normal distributions, as `diag_gaussian.json` beside this script.

    pip install -r requirements.txt && python diag_gaussian.py

`torch.distributions.Independent(Normal(mean, exp(log_std)), 1)` in float64; outputs are `[mean, log_std]`, `[B, 2K]`. The
gradients are those of `sum(u * log_prob + w * entropy)` in the outputs, `u` and `w` given. The Fisher information is recorded
as its product with given tangents, the Hessian of the KL divergence at equal policies.
`kl` is that divergence of each row from the row before it, the first's from the last.
"""

import json
from pathlib import Path

import torch
from torch.distributions import Independent, Normal, kl_divergence


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def case(generator, batch, k, mean_scale, log_std):
    def normal(*shape, scale=1.0, shift=0.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale + shift).float().double()

    mean, log_std = normal(batch, k, scale=mean_scale), normal(batch, k, scale=0.5, shift=log_std)
    # Within some deviations of the mean, as actions are.
    action = (mean + log_std.exp() * 1.5 * normal(batch, k)).float().double()
    outputs = torch.cat([mean, log_std], 1).requires_grad_()
    u, w = normal(batch), normal(batch)
    tangents = normal(batch, 2 * k)

    def policy(outputs):
        mean, log_std = outputs.split(k, 1)
        return Independent(Normal(mean, log_std.exp()), 1)

    log_prob, entropy = policy(outputs).log_prob(action), policy(outputs).entropy()
    gradient = torch.autograd.grad((u * log_prob + w * entropy).sum(), outputs)[0]

    def divergence(moved):
        return kl_divergence(policy(outputs.detach()), policy(moved)).sum()

    _, fisher = torch.autograd.functional.hvp(divergence, outputs.detach(), tangents)
    kl = kl_divergence(policy(outputs), policy(outputs.roll(1, 0)))
    return {
        "numbers": k,
        "outputs": flat(outputs),
        "action": flat(action),
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
        case(generator, 7, 1, 1.5, 0.0),
        case(generator, 5, 3, 1.0, -0.5),
        case(generator, 4, 6, 2.0, 0.5),
        case(generator, 3, 2, 0.3, 3.0),
        case(generator, 3, 17, 0.5, -1.0),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
