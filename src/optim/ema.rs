//! An average of the parameters for evaluation.

use super::table::{Make, Param, Range, Row};
use super::{Chain, Context, GradientTransform, Schedule, Slot, State};
use crate::{Layout, Result};

/// See [`ema`].
#[derive(Debug, Clone)]
pub struct Ema {
    decay: Schedule,
    average: State,
    last: f64,
}

/// Keeps an exponential average of the parameters, which a finished policy has; training does not notice.
///
/// ```text
///   a₀ = θ₀            aₜ = decay·aₜ₋₁ + (1 − decay)·θₜ            θₜ: the parameters after step t
/// ```
///
/// As torch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`, begun at the initial parameters: their share, decayᵗ, is
/// not corrected for. It goes by the parameters alone, so its place in the chain does not matter.
///
/// Polyak and Juditsky 1992, <https://doi.org/10.1137/0330046>, with a memory that fades.
#[must_use]
pub fn ema(decay: impl Into<Schedule>) -> Ema {
    Ema { decay: decay.into(), average: State::default(), last: 0.0 }
}

impl GradientTransform for Ema {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        // What this step makes of the parameters is seen when the next one begins, or by the evaluation.
        let share = if self.average.begun().is_some() { (1.0 - self.last) as f32 } else { 1.0 };
        let average = self.average.of(gradient.len());
        average.iter_mut().zip(context.theta).for_each(|(a, theta)| *a += share * (theta - *a));
        self.last = self.decay.at(context.when);
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("decay", Slot::Schedule(&mut self.decay));
        visit("average", self.average.slot());
        visit("last_decay", Slot::Scalar(&mut self.last));
    }

    fn evaluation(&self, theta: &[f32], _: &Layout) -> Option<Vec<f32>> {
        let share = (1.0 - self.last) as f32;
        Some(self.average.begun()?.iter().zip(theta).map(|(a, theta)| a + share * (theta - a)).collect())
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "ema",
    summary: "an exponential average of the parameters, for evaluation",
    params: &[Param::number("decay", Range::Decay, "0.999", "share that the average so far keeps in a step")],
    make: Make::Link(|a| Ok(Chain::new().then(ema(a.schedule("decay")?)))),
}];
