//! The length of a step, and how it changes over training.

use super::{Context, GradientTransform, scale};
use crate::Result;

/// A hyper-parameter as a function of progress, the share of training that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same all along.
    Constant(f64),
    /// From `start` at progress 0 in a straight line to `end` at progress 1.
    Linear {
        /// Its value at progress 0.
        start: f64,
        /// Its value at progress 1.
        end: f64,
    },
}

impl Schedule {
    /// The value at some progress, which is clamped to `[0, 1]`.
    #[must_use]
    pub fn at(self, progress: f64) -> f64 {
        match self {
            Schedule::Constant(value) => value,
            Schedule::Linear { start, end } => start + (end - start) * progress.clamp(0.0, 1.0),
        }
    }
}

/// See [`scale_by_learning_rate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleByLearningRate {
    schedule: Schedule,
}

/// `u ← −lr·u`: turns a direction of ascent into a step of descent.
#[must_use]
pub fn scale_by_learning_rate(schedule: Schedule) -> ScaleByLearningRate {
    ScaleByLearningRate { schedule }
}

impl GradientTransform for ScaleByLearningRate {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        scale(gradient, -self.schedule.at(context.progress));
        Ok(())
    }

    fn learning_rate(&self, progress: f64) -> Option<f64> {
        Some(self.schedule.at(progress))
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn a_linear_schedule_is_a_line_between_its_ends() {
        let schedule = Schedule::Linear { start: 4.0, end: 2.0 };
        let values: Vec<f64> = [-1.0, 0.0, 0.25, 1.0, 2.0].map(|p| schedule.at(p)).to_vec();
        assert_eq!(values, [4.0, 4.0, 3.5, 2.0, 2.0]);
        assert_eq!(Schedule::Constant(3.0).at(0.7), 3.0);
    }
}
