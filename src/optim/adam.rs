//! Adam's direction, and its recipes.

use super::moments::Moments;
use super::recipes::{coupled, decoupled};
use super::table::{Make, Param, Row};
use super::{Args, Chain, Context, GradientTransform, Schedule, Slot};
use crate::Result;

/// See [`scale_by_adam`].
#[derive(Debug, Clone)]
pub struct ScaleByAdam {
    moments: Moments,
    eps: Schedule,
}

/// Divides a running mean of gradients by the root of a running mean of their squares.
///
/// ```text
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
pub fn scale_by_adam(beta1: impl Into<Schedule>, beta2: impl Into<Schedule>, eps: impl Into<Schedule>) -> ScaleByAdam {
    ScaleByAdam { moments: Moments::new(beta1, beta2), eps: eps.into() }
}

impl ScaleByAdam {
    /// Counts steps from 1 again.
    pub(super) fn restart(&mut self) {
        self.moments.restart();
    }
}

impl GradientTransform for ScaleByAdam {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let step = self.moments.step(gradient.len(), context);
        let (first, second) = step.corrections();
        let [first, second, eps] = [first, second.sqrt(), self.eps.at(context.when)].map(|x| x as f32);
        step.adam(
            gradient,
            #[inline(always)]
            move |_, m, v| m / (v.sqrt() * second + eps) * first,
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.moments.state(visit);
        visit("eps", Slot::Schedule(&mut self.eps));
    }
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
        make: Make::Link(direction),
    },
];
