//! Weight decay.

use super::{Context, GradientTransform};
use crate::Result;
use crate::kernels::vectorised;

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
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let decay = self.weight_decay as f32;
        if decay != 0.0 {
            vectorised(
                #[inline(always)]
                || {
                    for (g, theta) in gradient.iter_mut().zip(context.theta) {
                        *g += decay * theta;
                    }
                },
            );
        }
        Ok(())
    }
}
