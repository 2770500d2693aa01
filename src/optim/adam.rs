//! Adam's direction.

use super::{Context, GradientTransform, State};
use crate::Result;
use crate::kernels::vectorised;

/// See [`scale_by_adam`].
#[derive(Debug, Clone)]
pub struct ScaleByAdam {
    beta1: f64,
    beta2: f64,
    eps: f64,
    mean: State,
    square: State,
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
    ScaleByAdam { beta1, beta2, eps, mean: State::default(), square: State::default(), steps: 0 }
}

impl GradientTransform for ScaleByAdam {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        self.steps += 1;
        let correction = |beta: f64| 1.0 / (1.0 - beta.powi(self.steps));
        let (first, second) = (correction(self.beta1) as f32, correction(self.beta2).sqrt() as f32);
        let [b1, b2, eps] = [self.beta1, self.beta2, self.eps].map(|x| x as f32);
        let [c1, c2] = [self.beta1, self.beta2].map(|beta| (1.0 - beta) as f32);
        let (mean, square) = (self.mean.of(gradient.len()), self.square.of(gradient.len()));
        vectorised(
            #[inline(always)]
            || {
                for ((g, m), v) in gradient.iter_mut().zip(mean).zip(square) {
                    *m = b1 * *m + c1 * *g;
                    *v = b2 * *v + c2 * (*g * *g);
                    *g = *m / (v.sqrt() * second + eps) * first;
                }
            },
        );
        Ok(())
    }
}
