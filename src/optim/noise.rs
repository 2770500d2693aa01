//! Noise in gradients.

use rand_distr::{Distribution, StandardNormal};

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, Schedule, Slot};
use crate::Result;
use crate::seed::{Rng, Seed};
use crate::words::{Param, Range};

/// See [`add_noise`].
#[derive(Debug, Clone)]
pub struct AddNoise {
    eta: Schedule,
    gamma: Schedule,
    rng: Rng,
    steps: u64,
}

/// Adds normal noise that dies away.
///
/// ```math
///   g ← g + ξ,   ξ ~ N(0, η / tᵞ) for each number
/// ```
///
/// `t` counts from 1, as in `optax.add_noise`; the paper divides by `(1 + t)ᵞ` with `t` from 0, which is the same. The
/// noise is drawn from the stream `noise` of the seed and of the link's place in its chain, which
/// [`Optimizer::new`](super::Optimizer::new) tells it.
///
/// Neelakantan et al. 2015, section 3, <https://arxiv.org/abs/1511.06807>.
#[must_use]
pub fn add_noise(eta: impl Into<Schedule>, gamma: impl Into<Schedule>, seed: u64) -> AddNoise {
    AddNoise { eta: eta.into(), gamma: gamma.into(), rng: Seed(seed).stream("noise", 0), steps: 0 }
}

impl GradientTransform for AddNoise {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += 1;
        let variance = self.eta.at(context.when) / (self.steps as f64).powf(self.gamma.at(context.when));
        let deviation = variance.sqrt() as f32;
        for g in gradient {
            let xi: f32 = StandardNormal.sample(&mut self.rng);
            *g += deviation * xi;
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("eta", Slot::Schedule(&mut self.eta));
        visit("gamma", Slot::Schedule(&mut self.gamma));
        visit("rng", Slot::Rng(&mut self.rng));
        visit("steps", Slot::Count(&mut self.steps));
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "add_noise",
    summary: "adds normal noise that dies away",
    params: &[
        Param::number("eta", Range::NotNegative, "0.01", "variance of the noise in the first step"),
        Param::number("gamma", Range::NotNegative, "0.55", "power of the step's number that divides it"),
        Param::seed(),
    ],
    make: Make::Link(Place::BeforeRate, |a| {
        Ok(Chain::new().then(add_noise(a.schedule("eta")?, a.schedule("gamma")?, a.count("seed")?)))
    }),
}];
