//! AdaBelief: Adam that steps far where gradients are as expected.

use super::moments::{Moments, over};
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, scale_by_learning_rate};
use crate::Result;
use crate::words::{Param, Range};

/// See [`scale_by_belief`].
#[derive(Debug, Clone)]
pub struct ScaleByBelief {
    moments: Moments,
    eps_root: Schedule,
}

/// Divides a running mean of gradients by the root mean square of how far they are from it.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      s ← β₂·s + (1 − β₂)·(g − m)² + ε_root
///   u = m / (1 − β₁ᵗ) / ( √(s / (1 − β₂ᵗ)) + ε )
/// ```
///
/// The new `m` is subtracted; ε_root is added to the state in every step, before the bias correction, and ε outside the
/// root: optax's form (`optax.adabelief`), and the paper's but for its single ε.
///
/// Zhuang et al. 2020, algorithm 2, <https://arxiv.org/abs/2010.07468>.
#[must_use]
pub fn scale_by_belief(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
    eps_root: impl Into<Schedule>,
) -> ScaleByBelief {
    ScaleByBelief { moments: Moments::new(beta1, beta2, eps), eps_root: eps_root.into() }
}

impl GradientTransform for ScaleByBelief {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let step = self.moments.step(gradient.len(), context);
        let [first, second, eps] = step.factors();
        let [b2, c2, eps_root] = [step.beta2, 1.0 - step.beta2, self.eps_root.at(context.when)].map(|x| x as f32);
        step.with(
            gradient,
            #[inline(always)]
            move |g, m, s| b2 * s + c2 * ((g - m) * (g - m)) + eps_root,
            #[inline(always)]
            move |_, m, s| over(m, s.sqrt() * second + eps) * first,
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.moments.state(visit);
        visit("eps_root", Slot::Schedule(&mut self.eps_root));
    }
}

const EPS_ROOT: Param =
    Param::number("eps_root", Range::NotNegative, "1e-16", "added to the running mean of squares in every step");

fn direction(a: &Args<'_>) -> Result<Chain> {
    let [beta1, beta2] = [a.schedule("beta1")?, a.schedule("beta2")?];
    Ok(Chain::new().then(scale_by_belief(beta1, beta2, a.schedule("eps")?, a.schedule("eps_root")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adabelief",
        summary: "running mean over the root mean square of its own errors",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::eps("1e-16"), EPS_ROOT],
        make: Make::Recipe(|a| Ok(direction(a)?.then(scale_by_learning_rate(a.schedule("lr")?)))),
    },
    Row {
        name: "scale_by_belief",
        summary: "adabelief's direction",
        params: &[Param::BETA1, Param::BETA2, Param::eps("1e-16"), EPS_ROOT],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
