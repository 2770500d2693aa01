"""Records what PyTorch says of squashed normal distributions, as `squashed_diag_gaussian.json` beside this script.

    pip install -r requirements.txt && python squashed_diag_gaussian.py

`torch.distributions.TransformedDistribution` of `Normal(mean, exp(log_std))` by `TanhTransform` and `AffineTransform`, in
float64, summed over the numbers of an action; outputs are `[mean, log_std]`, `[B, 2K]`. Actions `u` are recorded as they are
before they are squashed. The entropy has no closed form: it is the normal distribution's plus the expected logarithm of the
transforms' slope, summed over 40,001 points from -12 to 12 deviations, and checked against `scipy.integrate.quad`. The gradients
are those of `sum(u * log_prob + w * entropy)` in the outputs, `u` and `w` given. The Fisher information is recorded as its product
with given tangents, the Hessian of the KL divergence at equal policies, which is that of the normal distributions. `kl` is that
divergence of each row from the row before it, the first's from the last.
"""

import json
import math
from pathlib import Path

import torch
from scipy.integrate import quad
from torch.distributions import AffineTransform, Independent, Normal, TanhTransform, TransformedDistribution
from torch.distributions import kl_divergence


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def log_slope(u):
    return 2.0 * (math.log(2.0) - u - torch.logaddexp(-2.0 * u, torch.zeros_like(u)))


def case(generator, batch, low, high, mean_scale, log_std):
    def normal(*shape, scale=1.0, shift=0.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale + shift).float().double()

    k = len(low)
    low, high = torch.tensor(low).double(), torch.tensor(high).double()
    mean, log_std = normal(batch, k, scale=mean_scale), normal(batch, k, scale=0.5, shift=log_std)
    # Within some deviations of the mean, as actions are.
    action = (mean + log_std.exp() * 1.5 * normal(batch, k)).float().double()
    outputs = torch.cat([mean, log_std], 1).requires_grad_()
    u, w = normal(batch), normal(batch)
    tangents = normal(batch, 2 * k)
    half = (high - low) / 2
    transforms = [TanhTransform(cache_size=1), AffineTransform((high + low) / 2, half, cache_size=1)]

    def policy(outputs):
        mean, log_std = outputs.split(k, 1)
        return Independent(Normal(mean, log_std.exp()), 1)

    mean, log_std = outputs.split(k, 1)
    squashed = TransformedDistribution(Normal(mean, log_std.exp()), transforms)
    # With its cache the tanh knows what it was given, also where it rounds to 1.
    squeezed = transforms[1](transforms[0](action))
    log_prob = squashed.log_prob(squeezed).sum(1)
    z = torch.linspace(-12, 12, 40_001, dtype=torch.float64)
    weight = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    expected = (log_slope(mean[..., None] + log_std.exp()[..., None] * z) * weight).sum(-1)
    for i in range(batch):
        m, s = mean[i, 0].item(), log_std[i, 0].exp().item()
        density = lambda x: math.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
        of = lambda x: density(x) * log_slope(torch.tensor(x, dtype=torch.float64)).item()
        found, _ = quad(of, m - 12 * s, m + 12 * s, points=[0.0], limit=500, epsabs=1e-11)
        assert abs(found - expected[i, 0].item()) < 1e-8, (found, expected[i, 0])
    entropy = policy(outputs).entropy() + (expected + half.log()).sum(1)
    gradient = torch.autograd.grad((u * log_prob + w * entropy).sum(), outputs)[0]

    def divergence(moved):
        return kl_divergence(policy(outputs.detach()), policy(moved)).sum()

    _, fisher = torch.autograd.functional.hvp(divergence, outputs.detach(), tangents)
    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "outputs": flat(outputs),
        "action": flat(action),
        "squeezed": flat(squeezed),
        "by_log_prob": flat(u),
        "by_entropy": flat(w),
        "tangents": flat(tangents),
        "log_prob": flat(log_prob),
        "entropy": flat(entropy),
        "gradient": flat(gradient),
        "fisher": flat(fisher),
        "kl": flat(kl_divergence(policy(outputs), policy(outputs.roll(1, 0)))),
    }


def main():
    generator = torch.Generator().manual_seed(22)
    cases = [
        case(generator, 7, [-2.0], [2.0], 1.0, 0.0),
        case(generator, 5, [-1.0, 0.0, 3.0], [1.0, 0.5, 5.0], 1.0, -0.5),
        case(generator, 4, [-1.0] * 6, [1.0] * 6, 2.0, 0.5),
        case(generator, 3, [-8.0, -1.0], [8.0, 2.0], 4.0, 2.0),
        case(generator, 3, [-1.0] * 4, [1.0] * 4, 0.5, -3.0),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
