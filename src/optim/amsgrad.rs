//! AMSGrad: Adam whose step never grows back.

use candle_core::Tensor;

use super::moments::{Moments, over};
use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State, tensors};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::Param;

/// See [`scale_by_amsgrad`].
#[derive(Debug, Clone)]
pub struct ScaleByAmsgrad {
    moments: Moments,
    largest: State,
}

/// [`scale_by_adam`](super::scale_by_adam) over the largest running mean of squares so far.
///
/// ```math
///   m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²      w ← max(w, v)
///   u = m / (1 − β₁ᵗ) / ( √w / √(1 − β₂ᵗ) + ε )
/// ```
///
/// The maximum is of `v` before its bias correction, as in PyTorch; optax takes it after, the paper corrects neither
/// mean. The recipe `amsgrad` decays before it, as `torch.optim.Adam(amsgrad=True)`.
///
/// Reddi et al. 2018, algorithm 2, <https://arxiv.org/abs/1904.09237>.
#[must_use]
pub fn scale_by_amsgrad(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
) -> ScaleByAmsgrad {
    ScaleByAmsgrad { moments: Moments::new(beta1, beta2, eps), largest: State::default() }
}

impl GradientTransform for ScaleByAmsgrad {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let largest = self.largest.part(gradient.len(), context, 0.0);
        let step = self.moments.step(gradient.len(), context);
        let [first, second, eps] = step.factors();
        let [b1, b2, c1, c2] = [step.beta1, step.beta2, 1.0 - step.beta1, 1.0 - step.beta2].map(|x| x as f32);
        let (mean, square) = (step.mean, step.square);
        vectorised(
            #[inline(always)]
            move || {
                for (((g, m), v), w) in gradient.iter_mut().zip(mean).zip(square).zip(largest) {
                    *m = b1 * *m + c1 * *g;
                    *v = b2 * *v + c2 * (*g * *g);
                    *w = w.max(*v);
                    *g = over(*m, w.sqrt() * second + eps) * first;
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.moments.state(visit);
        visit("largest", self.largest.slot());
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByAmsgrad {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let step = self.moments.begin(context.when);
        let [first, second, eps] = step.factors().map(f64::from);
        let [mean, square] = self.moments.on_tensors(&step, gradient, state)?;
        let largest = state.take(gradient.elem_count(), 0.0)?.maximum(&square)?;
        state.put(largest.clone());
        let root = largest.sqrt()?.affine(second, eps)?;
        Ok(tensors::over(&mean, &root, eps > 0.0)?.affine(first, 0.0)?)
    }
}

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_amsgrad(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "amsgrad",
        summary: "adam over the largest root mean square so far",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::EPS, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_amsgrad",
        summary: "amsgrad's direction",
        params: &[Param::BETA1, Param::BETA2, Param::EPS],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
