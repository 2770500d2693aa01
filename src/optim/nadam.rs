//! NAdam: Adam with Nesterov's momentum.

use super::moments::{Moments, over};
use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot};
use crate::Result;
use crate::words::{Param, Range};

/// See [`scale_by_nadam`].
#[derive(Debug, Clone)]
pub struct ScaleByNadam {
    moments: Moments,
    momentum_decay: Schedule,
    /// `μ₁·…·μₜ`.
    product: f64,
}

/// [`scale_by_adam`](super::scale_by_adam) that already counts on the next step's momentum.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²      μₜ = β₁·(1 − ½·0.96^(t·ψ))      Π = μ₁·…·μₜ
///   u = ( (1 − μₜ) / (1 − Π)·g + μₜ₊₁ / (1 − Π·μₜ₊₁)·m ) / ( √(v / (1 − β₂ᵗ)) + ε )
/// ```
///
/// ψ is `momentum_decay`. ε is added outside the root, after the bias correction, as in PyTorch. The recipe `nadam`
/// decays before it, as `torch.optim.NAdam`.
///
/// Dozat 2016, algorithm 2, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
#[must_use]
pub fn scale_by_nadam(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
    momentum_decay: impl Into<Schedule>,
) -> ScaleByNadam {
    let moments = Moments::new(beta1, beta2, eps);
    ScaleByNadam { moments, momentum_decay: momentum_decay.into(), product: 1.0 }
}

impl GradientTransform for ScaleByNadam {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let decay = self.momentum_decay.at(context.when);
        let step = self.moments.step(gradient.len(), context);
        let momentum = |t: u64| step.beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * decay));
        let (now, next) = (momentum(step.t), momentum(step.t + 1));
        if context.begins() {
            self.product *= now;
        }
        let of_gradient = (1.0 - now) / (1.0 - self.product);
        let of_mean = next / (1.0 - self.product * next);
        let ([_, second, eps], [of_gradient, of_mean]) = (step.factors(), [of_gradient, of_mean].map(|x| x as f32));
        step.adam(
            gradient,
            #[inline(always)]
            move |g, m, v| over(of_gradient * g + of_mean * m, v.sqrt() * second + eps),
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.moments.state(visit);
        visit("momentum_decay", Slot::Schedule(&mut self.momentum_decay));
        visit("product", Slot::Scalar(&mut self.product));
    }
}

const MOMENTUM_DECAY: Param =
    Param::number("momentum_decay", Range::NotNegative, "4e-3", "how fast the momentum grows to beta1");

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_nadam(
        a.schedule("beta1")?,
        a.schedule("beta2")?,
        a.schedule("eps")?,
        a.schedule("momentum_decay")?,
    )))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "nadam",
        summary: "adam with nesterov's momentum",
        params: &[Param::lr("2e-3"), Param::BETA1, Param::BETA2, Param::EPS, MOMENTUM_DECAY, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_nadam",
        summary: "nadam's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS, MOMENTUM_DECAY],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
