//! Yogi: Adam whose scale changes by no more than the gradient's square.

use super::moments::{Moments, ScaleByMoments, over};
use super::sign::sign;
use super::table::{Make, Row};
use super::{Args, Chain, Place, Schedule, scale_by_learning_rate};
use crate::Result;
use crate::words::{Kind, Param, Range};

/// [`scale_by_adam`](super::scale_by_adam) with a mean of squares that moves towards `g²` at a rate of its own.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      v ← v − (1 − β₂)·sign(v − g²)·g²
///   u = m / (1 − β₁ᵗ) / ( √(v / (1 − β₂ᵗ)) + ε )
/// ```
///
/// Both `m` and `v` start at `initial_accumulator`, as in optax (`optax.yogi`); the paper starts `m` at 0 and corrects
/// neither. ε is added outside the root, after the bias correction.
///
/// Zaheer et al. 2018, algorithm 2,
/// <https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization>.
#[must_use]
pub fn scale_by_yogi(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
    initial_accumulator: f64,
) -> ScaleByMoments {
    ScaleByMoments::new(Moments::new(beta1, beta2, eps).from(initial_accumulator), |step, gradient| {
        let ([first, second, eps], c2) = (step.factors(), (1.0 - step.beta2) as f32);
        step.with(
            gradient,
            #[inline(always)]
            move |g, _, v| {
                let square = g * g;
                v - c2 * sign(v - square) * square
            },
            #[inline(always)]
            move |_, m, v| over(m, v.sqrt() * second + eps) * first,
        );
    })
}

const INITIAL: Param = Param {
    name: "initial_accumulator",
    kind: Kind::Fixed(Range::NotNegative),
    default: "1e-6",
    meaning: "where both running means start",
};

fn direction(a: &Args<'_>) -> Result<Chain> {
    let [beta1, beta2] = [a.schedule("beta1")?, a.schedule("beta2")?];
    Ok(Chain::new().then(scale_by_yogi(beta1, beta2, a.schedule("eps")?, a.number("initial_accumulator")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "yogi",
        summary: "adam whose scale changes slowly",
        params: &[Param::lr("1e-2"), Param::BETA1, Param::BETA2, Param::eps("1e-3"), INITIAL],
        make: Make::Recipe(|a| Ok(direction(a)?.then(scale_by_learning_rate(a.schedule("lr")?)))),
    },
    Row {
        name: "scale_by_yogi",
        summary: "yogi's direction",
        params: &[Param::BETA1, Param::BETA2, Param::eps("1e-3"), INITIAL],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
