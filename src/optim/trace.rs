//! Momentum.

use candle_core::Tensor;

use super::{Context, GradientTransform};
use crate::Result;

/// See [`trace`].
#[derive(Debug, Clone)]
pub struct Trace {
    momentum: f64,
    velocity: Option<Tensor>,
}

/// A decaying sum of gradients: the heavy ball.
///
/// ```text
///   v ← μ·v + g
///   u = v
/// ```
///
/// `v` starts at 0; the gradient enters undamped, as in PyTorch's `SGD` with `dampening=0`.
///
/// Polyak 1964, eq. 9, <https://doi.org/10.1016/0041-5553(64)90137-5>.
#[must_use]
pub fn trace(momentum: f64) -> Trace {
    Trace { momentum, velocity: None }
}

impl GradientTransform for Trace {
    fn update(&mut self, gradient: Tensor, _: Context<'_>) -> Result<Tensor> {
        let velocity = match self.velocity.take() {
            Some(velocity) => ((velocity * self.momentum)? + gradient)?,
            None => gradient,
        };
        self.velocity = Some(velocity.clone());
        Ok(velocity)
    }
}
