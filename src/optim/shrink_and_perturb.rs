//! Shrinking parameters and shaking them.

use rand_distr::{Distribution, StandardNormal};

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, Schedule, Slot, Span};
use crate::Result;
use crate::seed::{Rng, Seed};
use crate::words::{Param, Range};

/// See [`shrink_and_perturb`].
#[derive(Debug, Clone)]
pub struct ShrinkAndPerturb {
    shrink: Schedule,
    deviation: Schedule,
    every: u64,
    last_update: u64,
    rng: Rng,
}

/// Shrinks the parameters after a step and adds normal noise to them, once in so many rollouts.
///
/// ```math
///   θ ← shrink·(θ + u) + ξ,   ξ ~ N(0, deviation²) for each number
/// ```
///
/// It stands last in a chain, after the learning rate, and acts in the first step from the rollout `every` on, in that
/// from `2·every` on, …; in a run of fewer rollouts never. The noise is drawn from the stream `perturb` of the seed and
/// of the link's place in its chain. (The paper's noise is a fresh initialisation times a number; ours is one normal
/// deviation for all.)
///
/// Ash and Adams 2020, section 4, <https://arxiv.org/abs/1910.08475>.
#[must_use]
pub fn shrink_and_perturb(
    shrink: impl Into<Schedule>,
    deviation: impl Into<Schedule>,
    every: u64,
    seed: u64,
) -> ShrinkAndPerturb {
    let rng = Seed(seed).stream("perturb", 0);
    ShrinkAndPerturb { shrink: shrink.into(), deviation: deviation.into(), every: every.max(1), last_update: 0, rng }
}

impl GradientTransform for ShrinkAndPerturb {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let update = context.when.update;
        // Not every rollout need come by: within `accumulate` a step may learn from several.
        if update / self.every <= self.last_update / self.every {
            return Ok(());
        }
        self.last_update = update;
        let [shrink, deviation] = [&self.shrink, &self.deviation].map(|x| x.at(context.when) as f32);
        for (u, theta) in gradient.iter_mut().zip(context.theta) {
            let xi: f32 = StandardNormal.sample(&mut self.rng);
            *u = shrink * (theta + *u) + deviation * xi - theta;
        }
        Ok(())
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        show("every of shrink_and_perturb", Span::Rollouts(self.every));
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("shrink", Slot::Schedule(&mut self.shrink));
        visit("deviation", Slot::Schedule(&mut self.deviation));
        visit("last_update", Slot::Count(&mut self.last_update));
        visit("rng", Slot::Rng(&mut self.rng));
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "shrink_and_perturb",
    summary: "shrinks the parameters and adds noise, once in so many rollouts; stands last",
    params: &[
        Param::number("shrink", Range::Share, "0.9", "what the parameters are multiplied by"),
        Param::number("deviation", Range::NotNegative, "0.01", "standard deviation of the noise"),
        Param::steps("every", 1, "100", "rollouts from one time to the next"),
        Param::seed(),
    ],
    make: Make::Link(Place::Last, |a| {
        let (shrink, deviation) = (a.schedule("shrink")?, a.schedule("deviation")?);
        Ok(Chain::new().then(shrink_and_perturb(shrink, deviation, a.count("every")?, a.count("seed")?)))
    }),
}];
