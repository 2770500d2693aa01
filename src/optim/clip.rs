//! Gradient clipping.

use super::{Context, GradientTransform, scale};
use crate::Result;
use crate::kernels::{sum_of_squares, vectorised};

/// See [`clip_by_global_norm`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipByGlobalNorm {
    max_grad_norm: f64,
}

/// Scales the gradient down if its norm over all parameters is too large.
///
/// ```text
///   g ← g·min(1, max_grad_norm / (‖g‖ + 1e-6))
/// ```
///
/// The 1e-6 is PyTorch's (`torch.nn.utils.clip_grad_norm_`). An infinite `max_grad_norm` never clips.
///
/// Pascanu et al. 2013, algorithm 1, <https://arxiv.org/abs/1211.5063>.
#[must_use]
pub fn clip_by_global_norm(max_grad_norm: f64) -> ClipByGlobalNorm {
    ClipByGlobalNorm { max_grad_norm }
}

impl GradientTransform for ClipByGlobalNorm {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        if self.max_grad_norm.is_finite() {
            let factor = self.max_grad_norm / (sum_of_squares(gradient).sqrt() + 1e-6);
            if factor < 1.0 {
                scale(gradient, factor);
            }
        }
        Ok(())
    }
}

/// See [`clip_by_value`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipByValue {
    max_grad_value: f64,
}

/// Clips every number of the gradient to `±max_grad_value`; infinite never clips.
///
/// As `torch.nn.utils.clip_grad_value_`. Mikolov 2012, section 3.2.2.
#[must_use]
pub fn clip_by_value(max_grad_value: f64) -> ClipByValue {
    ClipByValue { max_grad_value }
}

impl GradientTransform for ClipByValue {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        if self.max_grad_value.is_finite() {
            let limit = self.max_grad_value as f32;
            vectorised(
                #[inline(always)]
                || gradient.iter_mut().for_each(|g| *g = g.clamp(-limit, limit)),
            );
        }
        Ok(())
    }
}
