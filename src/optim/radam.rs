//! RAdam: Adam that waits until its scale can be trusted.

use super::moments::{Moments, ScaleByMoments, over};
use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Place, Schedule};
use crate::Result;
use crate::words::Param;

/// [`scale_by_adam`](super::scale_by_adam) times how far its running mean of squares can be trusted; the mean of
/// gradients alone until then.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²      m̂ = m / (1 − β₁ᵗ)
///   ρ_∞ = 2 / (1 − β₂) − 1      ρ = ρ_∞ − 2t·β₂ᵗ / (1 − β₂ᵗ)      r² = (ρ − 4)(ρ − 2)·ρ_∞ / ((ρ_∞ − 4)(ρ_∞ − 2)·ρ)
///   ρ > 5:  u = m̂·r·√(1 − β₂ᵗ) / (√v + ε)      otherwise:  u = m̂
/// ```
///
/// ε is added outside the root and before the bias correction, as in PyTorch, so it weighs more than Adam's; the paper
/// has none, and turns the scale on at ρ > 4. The recipe `radam` decays before it, as `torch.optim.RAdam`.
///
/// Liu et al. 2020, algorithm 2, <https://arxiv.org/abs/1908.03265>.
#[must_use]
pub fn scale_by_radam(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
) -> ScaleByMoments {
    ScaleByMoments::new(Moments::new(beta1, beta2, eps), |step, gradient| {
        let (first, second) = step.corrections();
        let longest = 2.0 / (1.0 - step.beta2) - 1.0;
        let length = longest - 2.0 * step.t as f64 * step.beta2.powf(step.t as f64) * second;
        if length > 5.0 {
            let trust = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
            let [factor, eps] = [first * (trust / second).sqrt(), step.eps].map(|x| x as f32);
            step.adam(
                gradient,
                #[inline(always)]
                move |_, m, v| over(m, v.sqrt() + eps) * factor,
            );
        } else {
            let first = first as f32;
            step.adam(
                gradient,
                #[inline(always)]
                move |_, m, _| m * first,
            );
        }
    })
}

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_radam(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "radam",
        summary: "adam times how far its scale can be trusted",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::EPS, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_radam",
        summary: "radam's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
