//! Adam's direction, and its recipes.

use super::moments::{Moments, ScaleByMoments, over};
use super::recipes::{coupled, decoupled};
use super::table::{Make, Row};
use super::{Args, Chain, Place, Schedule, tensors};
use crate::Result;
use crate::words::Param;

/// Divides a running mean of gradients by the root of a running mean of their squares.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g            v ← β₂·v + (1 − β₂)·g²
///   u = m / (1 − β₁ᵗ) / ( √v / √(1 − β₂ᵗ) + ε )
/// ```
///
/// `m` and `v` start at 0, `t` counts from 1; ε is added outside the root, after the bias correction, as in PyTorch.
///
/// The recipe `adam` decays before it (L2, as `torch.optim.Adam`); `adamw` after it and times the learning rate, as
/// `torch.optim.AdamW`: Loshchilov and Hutter 2019, algorithm 2, <https://arxiv.org/abs/1711.05101>.
///
/// Kingma and Ba 2015, algorithm 1, <https://arxiv.org/abs/1412.6980>.
#[must_use]
pub fn scale_by_adam(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
) -> ScaleByMoments {
    ScaleByMoments::new(Moments::new(beta1, beta2, eps), |step, gradient| {
        let [first, second, eps] = step.factors();
        step.adam(
            gradient,
            #[inline(always)]
            move |_, m, v| over(m, v.sqrt() * second + eps) * first,
        );
    })
    .with_tensors(|step, mean, square| {
        let [first, second, eps] = step.factors().map(f64::from);
        let root = square.sqrt()?.affine(second, eps)?;
        Ok(tensors::over(mean, &root, eps > 0.0)?.affine(first, 0.0)?)
    })
}

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_adam(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adam",
        summary: "running mean over running root mean square",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::EPS, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "adamw",
        summary: "adam with decoupled weight decay",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::EPS, Param::weight_decay("0.01")],
        make: Make::Recipe(|a| decoupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_adam",
        summary: "adam's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
