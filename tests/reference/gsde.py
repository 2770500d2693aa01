"""Records what PyTorch says of normal distributions whose deviations depend on features, as `gsde.json` beside this script.

    pip install -r requirements.txt && python gsde.py

`Independent(Normal(mean, sqrt(features**2 @ exp(log_std)**2 + 1e-6)), 1)` in float64, as the log-probabilities of gSDE are; outputs
are `[mean, features, log_std]`, `[B, K + F + F*K]`, each row with deviations of its own, and the features are detached. The
gradients are those of `sum(u * log_prob + w * entropy)` in the outputs, `u` and `w` given. The Fisher information is recorded as
its product with given tangents, the Hessian of the KL divergence at equal policies.
`kl` is that divergence of each row from the row before it, the first's from the last.
"""

import json
from pathlib import Path

import torch
from torch.distributions import Independent, Normal, kl_divergence


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def case(generator, batch, k, f, mean_scale, log_std, feature_scale):
    def normal(*shape, scale=1.0, shift=0.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale + shift).float().double()

    def policy(outputs):
        mean, features, log_std = outputs.split([k, f, f * k], 1)
        variance = features.detach().square().unsqueeze(1) @ log_std.exp().square().view(-1, f, k)
        return Independent(Normal(mean, (variance.squeeze(1) + 1e-6).sqrt()), 1)

    mean, features = normal(batch, k, scale=mean_scale), normal(batch, f, scale=feature_scale)
    outputs = torch.cat([mean, features, normal(batch, f * k, scale=0.5, shift=log_std)], 1)
    # Within some deviations of the mean, as actions are.
    action = (mean + policy(outputs).base_dist.stddev * normal(batch, k)).float().double()
    outputs.requires_grad_()
    u, w = normal(batch), normal(batch)
    tangents = normal(*outputs.shape)

    log_prob, entropy = policy(outputs).log_prob(action), policy(outputs).entropy()
    gradient = torch.autograd.grad((u * log_prob + w * entropy).sum(), outputs)[0]

    def divergence(moved):
        return kl_divergence(policy(outputs.detach()), policy(moved)).sum()

    _, fisher = torch.autograd.functional.hvp(divergence, outputs.detach(), tangents)
    kl = kl_divergence(policy(outputs), policy(outputs.roll(1, 0)))
    return {
        "numbers": k,
        "features": f,
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
        case(generator, 7, 1, 4, 1.5, 0.0, 1.0),
        case(generator, 5, 3, 8, 1.0, -0.5, 0.7),
        case(generator, 4, 6, 3, 2.0, 0.5, 0.5),
        case(generator, 3, 2, 64, 0.3, -2.0, 0.6),
        case(generator, 3, 17, 5, 0.5, -1.0, 1.0),
        case(generator, 3, 2, 1, 1.0, 1.0, 0.2),
        # Where the least variance is not little.
        case(generator, 3, 2, 2, 0.1, -6.0, 0.5),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
