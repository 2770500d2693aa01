//! RMSprop's direction.

use super::{Context, GradientTransform, State};
use crate::Result;
use crate::kernels::vectorised;

/// See [`scale_by_rms`].
#[derive(Debug, Clone)]
pub struct ScaleByRms {
    alpha: f64,
    eps: f64,
    square: State,
}

/// Divides a gradient by the root of a running mean of its squares.
///
/// ```text
///   v ← α·v + (1 − α)·g²
///   u = g / (√v + ε)
/// ```
///
/// `v` starts at 0 and is not bias-corrected; ε is added outside the root: PyTorch's convention (TensorFlow's starts at
/// 1 with ε inside).
///
/// Tieleman and Hinton 2012, lecture 6.5, <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>.
#[must_use]
pub fn scale_by_rms(alpha: f64, eps: f64) -> ScaleByRms {
    ScaleByRms { alpha, eps, square: State::default() }
}

impl GradientTransform for ScaleByRms {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        let (alpha, rest, eps) = (self.alpha as f32, (1.0 - self.alpha) as f32, self.eps as f32);
        let square = self.square.of(gradient.len());
        vectorised(
            #[inline(always)]
            || {
                for (g, v) in gradient.iter_mut().zip(square) {
                    *v = alpha * *v + rest * (*g * *g);
                    *g /= v.sqrt() + eps;
                }
            },
        );
        Ok(())
    }
}
