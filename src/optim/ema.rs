//! An average of the parameters for evaluation.

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, Schedule, Slot, Span, State};
use crate::words::{Param, Range};
use crate::{Layout, Result};

/// See [`ema`].
#[derive(Debug, Clone)]
pub struct Ema {
    decay: Schedule,
    warmup: bool,
    average: State,
    last: f64,
    steps: u64,
}

/// Keeps an exponential average of the parameters, which a finished policy has; training does not notice.
///
/// ```math
///   a₀ = θ₀            aₜ = dₜ·aₜ₋₁ + (1 − dₜ)·θₜ            θₜ: the parameters after step t
///   dₜ = min(decay, (1 + t) / (10 + t))
/// ```
///
/// So the average is over the last tenth of the steps, about, until that is more than the 1 / (1 − decay) of a long run:
/// a run of any length forgets where it began. As TensorFlow's `ExponentialMovingAverage` with `num_updates`; with
/// [`Ema::without_warmup`] as torch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`, where θ₀ keeps a share of
/// decayᵗ. It goes by the parameters alone, so its place in the chain does not matter.
///
/// Polyak and Juditsky 1992, <https://doi.org/10.1137/0330046>, with a memory that fades.
#[must_use]
pub fn ema(decay: impl Into<Schedule>) -> Ema {
    Ema { decay: decay.into(), warmup: true, average: State::default(), last: 0.0, steps: 0 }
}

impl Ema {
    /// The same with one decay from the first step on.
    #[must_use]
    pub fn without_warmup(self) -> Self {
        Self { warmup: false, ..self }
    }
}

impl GradientTransform for Ema {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        // What this step makes of the parameters is seen when the next one begins, or by the evaluation.
        let share = if self.average.begun().is_some() { (1.0 - self.last) as f32 } else { 1.0 };
        let average = self.average.of(gradient.len());
        average.iter_mut().zip(context.theta).for_each(|(a, theta)| *a += share * (theta - *a));
        self.steps += 1;
        let decay = self.decay.at(context.when);
        let t = self.steps as f64;
        self.last = if self.warmup { decay.min((1.0 + t) / (10.0 + t)) } else { decay };
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("decay", Slot::Schedule(&mut self.decay));
        visit("average", self.average.slot());
        visit("last_decay", Slot::Scalar(&mut self.last));
        visit("steps", Slot::Count(&mut self.steps));
    }

    fn averages(&self) -> bool {
        true
    }

    fn evaluation(&self, theta: &[f32], _: &Layout) -> Result<Option<Vec<f32>>> {
        let share = (1.0 - self.last) as f32;
        let average = self.average.beside(theta)?;
        Ok(average.map(|average| average.iter().zip(theta).map(|(a, theta)| a + share * (theta - a)).collect()))
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        if !self.warmup {
            let memory = 1.0 / (1.0 - self.decay.at(Default::default()));
            show("the memory of ema, 1 / (1 - decay),", Span::Steps(memory.round() as u64));
        }
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "ema",
    summary: "an exponential average of the parameters, for evaluation",
    params: &[
        Param::number("decay", Range::Decay, "0.999", "share that the average so far keeps in a step"),
        Param::flag("warmup", "true", "whether the first steps keep less, so that a short run forgets its start"),
    ],
    make: Make::Link(Place::Beside, |a| {
        let ema = ema(a.schedule("decay")?);
        Ok(Chain::new().then(if a.flag("warmup")? { ema } else { ema.without_warmup() }))
    }),
}];
