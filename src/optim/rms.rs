//! RMSprop's direction.

use candle_core::Tensor;

use super::{Context, GradientTransform};
use crate::Result;

/// See [`scale_by_rms`].
#[derive(Debug, Clone)]
pub struct ScaleByRms {
    alpha: f64,
    eps: f64,
    square: Option<Tensor>,
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
    ScaleByRms { alpha, eps, square: None }
}

impl GradientTransform for ScaleByRms {
    fn update(&mut self, gradient: Tensor, _: Context<'_>) -> Result<Tensor> {
        let square = match self.square.take() {
            Some(square) => square,
            None => gradient.zeros_like()?,
        };
        let square = ((square * self.alpha)? + (gradient.sqr()? * (1.0 - self.alpha))?)?;
        let update = (gradient / (square.sqrt()? + self.eps)?)?;
        self.square = Some(square);
        Ok(update)
    }
}
