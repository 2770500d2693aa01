//! The length of a step.

use candle_core::Tensor;

use super::recipes::coupled;
use super::table::{Make, Row};
use super::tensors::scaled;
use super::{Chain, Context, GradientTransform, Place, Schedule, Slot, When, scale};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::words::Param;

/// See [`scale_by_learning_rate`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleByLearningRate {
    schedule: Schedule,
}

/// `u ← −lr·u`: turns a direction of ascent into a step of descent.
///
/// The recipe `sgd` is this after coupled decay, as `torch.optim.SGD`. Cauchy 1847; stochastic: Robbins and Monro 1951,
/// <https://doi.org/10.1214/aoms/1177729586>.
#[must_use]
pub fn scale_by_learning_rate(schedule: impl Into<Schedule>) -> ScaleByLearningRate {
    ScaleByLearningRate { schedule: schedule.into() }
}

impl GradientTransform for ScaleByLearningRate {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        scale(gradient, -context.learning_rate(&self.schedule));
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("lr", Slot::Schedule(&mut self.schedule));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        Some(self.schedule.at(when))
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByLearningRate {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        scaled(gradient, -context.learning_rate(&self.schedule))
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "sgd",
        summary: "plain gradient descent",
        params: &[Param::lr("0.1"), Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, Chain::new())),
    },
    Row {
        name: "scale_by_learning_rate",
        summary: "times minus the learning rate: the last link of a chain of atoms",
        params: &[Param::lr("")],
        make: Make::Link(Place::Rate, |a| Ok(Chain::new().then(scale_by_learning_rate(a.schedule("lr")?)))),
    },
];
