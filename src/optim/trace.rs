//! Momentum.

use super::{Context, GradientTransform, State};
use crate::Result;
use crate::kernels::vectorised;

/// See [`trace`].
#[derive(Debug, Clone)]
pub struct Trace {
    momentum: f64,
    velocity: State,
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
    Trace { momentum, velocity: State::default() }
}

impl GradientTransform for Trace {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        let momentum = self.momentum as f32;
        let velocity = self.velocity.of(gradient.len());
        vectorised(
            #[inline(always)]
            || {
                for (g, v) in gradient.iter_mut().zip(velocity) {
                    *v = momentum * *v + *g;
                    *g = *v;
                }
            },
        );
        Ok(())
    }
}
