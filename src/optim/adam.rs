//! Adam's direction.

use candle_core::Tensor;

use super::{Context, GradientTransform};
use crate::Result;

/// See [`scale_by_adam`].
#[derive(Debug, Clone)]
pub struct ScaleByAdam {
    beta1: f64,
    beta2: f64,
    eps: f64,
    moments: Option<(Tensor, Tensor)>,
    steps: i32,
}

/// Divides a running mean of gradients by the root of a running mean of their squares.
///
/// ```text
///   m ← β₁·m + (1 − β₁)·g            v ← β₂·v + (1 − β₂)·g²
///   u = m / (1 − β₁ᵗ) / ( √v / √(1 − β₂ᵗ) + ε )
/// ```
///
/// `m` and `v` start at 0, `t` counts from 1; ε is added outside the root, after the bias correction, as in PyTorch.
///
/// Kingma and Ba 2015, algorithm 1, <https://arxiv.org/abs/1412.6980>.
#[must_use]
pub fn scale_by_adam(beta1: f64, beta2: f64, eps: f64) -> ScaleByAdam {
    ScaleByAdam { beta1, beta2, eps, moments: None, steps: 0 }
}

impl GradientTransform for ScaleByAdam {
    fn update(&mut self, gradient: Tensor, _: Context<'_>) -> Result<Tensor> {
        let (m, v) = match self.moments.take() {
            Some(moments) => moments,
            None => (gradient.zeros_like()?, gradient.zeros_like()?),
        };
        self.steps += 1;
        let m = ((m * self.beta1)? + (&gradient * (1.0 - self.beta1))?)?;
        let v = ((v * self.beta2)? + (gradient.sqr()? * (1.0 - self.beta2))?)?;
        let root = (v.sqrt()? * (1.0 / (1.0 - self.beta2.powi(self.steps)).sqrt()))?;
        let update = ((&m / (root + self.eps)?)? * (1.0 / (1.0 - self.beta1.powi(self.steps))))?;
        self.moments = Some((m, v));
        Ok(update)
    }
}
