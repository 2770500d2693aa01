//! The length of a step.

use super::{Context, GradientTransform, Schedule, Slot, When, scale};
use crate::Result;

/// See [`scale_by_learning_rate`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleByLearningRate {
    schedule: Schedule,
}

/// `u ← −lr·u`: turns a direction of ascent into a step of descent.
#[must_use]
pub fn scale_by_learning_rate(schedule: impl Into<Schedule>) -> ScaleByLearningRate {
    ScaleByLearningRate { schedule: schedule.into() }
}

impl GradientTransform for ScaleByLearningRate {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        scale(gradient, -self.schedule.at(context.when));
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("lr", Slot::Schedule(&mut self.schedule));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        Some(self.schedule.at(when))
    }
}
