//! Adam's direction.

use super::{Context, GradientTransform, Schedule, Slot, State};
use crate::Result;
use crate::kernels::vectorised;

/// See [`scale_by_adam`].
#[derive(Debug, Clone)]
pub struct ScaleByAdam {
    beta1: Schedule,
    beta2: Schedule,
    eps: Schedule,
    mean: State,
    square: State,
    steps: u64,
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
pub fn scale_by_adam(beta1: impl Into<Schedule>, beta2: impl Into<Schedule>, eps: impl Into<Schedule>) -> ScaleByAdam {
    let [beta1, beta2, eps] = [beta1.into(), beta2.into(), eps.into()];
    ScaleByAdam { beta1, beta2, eps, mean: State::default(), square: State::default(), steps: 0 }
}

impl ScaleByAdam {
    /// Counts steps from 1 again.
    pub(super) fn restart(&mut self) {
        self.steps = 0;
    }
}

impl GradientTransform for ScaleByAdam {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += 1;
        let [beta1, beta2, eps] = [&self.beta1, &self.beta2, &self.eps].map(|x| x.at(context.when));
        let correction = |beta: f64| 1.0 / (1.0 - beta.powi(self.steps as i32));
        let (first, second) = (correction(beta1) as f32, correction(beta2).sqrt() as f32);
        let [b1, b2, c1, c2, eps] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2, eps].map(|x| x as f32);
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

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        for (name, schedule) in [("beta1", &mut self.beta1), ("beta2", &mut self.beta2), ("eps", &mut self.eps)] {
            visit(name, Slot::Schedule(schedule));
        }
        visit("mean", self.mean.slot());
        visit("square", self.square.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }
}
