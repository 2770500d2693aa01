//! Adamax: Adam with the largest gradient in place of the root mean square.

use super::moments::{Moments, ScaleByMoments, over};
use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Place, Schedule};
use crate::Result;
use crate::words::Param;

/// Divides a running mean of gradients by a decaying maximum of their sizes.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      w ← max(β₂·w, |g| + ε)      u = m / (1 − β₁ᵗ) / w
/// ```
///
/// ε is added to the gradient's size inside the maximum, as in PyTorch; the paper has none. The recipe `adamax` decays
/// before it, as `torch.optim.Adamax`.
///
/// Kingma and Ba 2015, algorithm 2, <https://arxiv.org/abs/1412.6980>.
#[must_use]
pub fn scale_by_adamax(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
) -> ScaleByMoments {
    ScaleByMoments::new(Moments::new(beta1, beta2, eps), |step, gradient| {
        let [first, beta2, eps] = [step.corrections().0, step.beta2, step.eps].map(|x| x as f32);
        step.with(
            gradient,
            #[inline(always)]
            move |g, _, w| (beta2 * w).max(g.abs() + eps),
            #[inline(always)]
            move |_, m, w| over(m, w) * first,
        );
    })
}

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_adamax(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adamax",
        summary: "running mean over a decaying maximum",
        params: &[Param::lr("2e-3"), Param::BETA1, Param::BETA2, Param::EPS, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_adamax",
        summary: "adamax's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
