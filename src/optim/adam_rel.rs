//! Adam on local time.

use super::table::{Make, Row};
use super::{Args, Chain, Place, scale_by_learning_rate};
use super::{Context, GradientTransform, ScaleByMoments, Schedule, Slot, scale_by_adam};
use crate::Result;
use crate::words::Param;

/// See [`scale_by_adam_rel`].
#[derive(Debug, Clone)]
pub struct ScaleByAdamRel {
    adam: ScaleByMoments,
    update: u64,
}

/// [`scale_by_adam`] whose step count begins again with each rollout; its running means go on.
///
/// ```math
///   t ← 1 on the first step of a new rollout, else t + 1              m, v, u as Adam's
/// ```
///
/// New data moves the objective, and gradients may grow at once. With t counted from the start of training v lags
/// behind m and Adam steps too far; with t counted from the change the first steps are divided by √v/√(1 − β₂), which
/// is large. Rollouts are told apart by [`When::update`](super::When::update).
///
/// Ellis et al. 2024, section 4, <https://arxiv.org/abs/2412.17113>.
#[must_use]
pub fn scale_by_adam_rel(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
) -> ScaleByAdamRel {
    ScaleByAdamRel { adam: scale_by_adam(beta1, beta2, eps), update: 0 }
}

impl GradientTransform for ScaleByAdamRel {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        if self.update != context.when.update {
            self.update = context.when.update;
            self.adam.restart();
        }
        self.adam.update(gradient, context)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.adam.state(visit);
        visit("update", Slot::Count(&mut self.update));
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adam_rel",
        summary: "adam whose step count begins again with each rollout",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Recipe(|a| Ok(link(a)?.then(scale_by_learning_rate(a.schedule("lr")?)))),
    },
    Row {
        name: "scale_by_adam_rel",
        summary: "adam_rel's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Link(Place::BeforeRate, link),
    },
];

fn link(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_adam_rel(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?)))
}
