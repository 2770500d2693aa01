//! Weight decay.

use candle_core::Tensor;

use super::{Context, GradientTransform};
use crate::Result;

/// See [`add_decayed_weights`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AddDecayedWeights {
    weight_decay: f64,
}

/// `u ← u + weight_decay·theta`.
///
/// What it means depends on its place. Before a direction such as [`scale_by_adam`](super::scale_by_adam) it is L2
/// regularisation, coupled with the adaptive scale; between the direction and the learning rate it is decoupled decay,
/// `theta ← (1 − lr·weight_decay)·theta`: Loshchilov and Hutter 2019, algorithm 2, <https://arxiv.org/abs/1711.05101>.
#[must_use]
pub fn add_decayed_weights(weight_decay: f64) -> AddDecayedWeights {
    AddDecayedWeights { weight_decay }
}

impl GradientTransform for AddDecayedWeights {
    fn update(&mut self, gradient: Tensor, context: Context<'_>) -> Result<Tensor> {
        if self.weight_decay == 0.0 {
            return Ok(gradient);
        }
        let theta = context.params.theta().detach();
        Ok((gradient + (theta * self.weight_decay)?)?)
    }
}
