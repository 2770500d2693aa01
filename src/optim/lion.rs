//! Lion: the sign of a momentum that looks at the present gradient twice.

use candle_core::Tensor;

use super::recipes::decoupled;
use super::sign::sign;
use super::table::{Make, Row};
use super::tensors::mix;
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Param, Range};

/// See [`scale_by_lion`].
#[derive(Debug, Clone)]
pub struct ScaleByLion {
    beta1: Schedule,
    beta2: Schedule,
    mean: State,
}

/// The sign of a gradient mixed into a running mean that itself moves more slowly.
///
/// ```math
///   u = sign(β₁·m + (1 − β₁)·g)      then      m ← β₂·m + (1 − β₂)·g
/// ```
///
/// `m` starts at 0; the sign of 0 is 0. The recipe `lion` decays after it and times the learning rate, as `optax.lion`.
///
/// Chen et al. 2023, algorithm 2, <https://arxiv.org/abs/2302.06675>.
#[must_use]
pub fn scale_by_lion(beta1: impl Into<Schedule>, beta2: impl Into<Schedule>) -> ScaleByLion {
    ScaleByLion { beta1: beta1.into(), beta2: beta2.into(), mean: State::default() }
}

impl GradientTransform for ScaleByLion {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let [beta1, beta2] = [&self.beta1, &self.beta2].map(|beta| beta.at(context.when));
        let [b1, b2, c1, c2] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2].map(|x| x as f32);
        let mean = self.mean.part(gradient.len(), context, 0.0);
        vectorised(
            #[inline(always)]
            move || {
                for (g, m) in gradient.iter_mut().zip(mean) {
                    let direction = sign(b1 * *m + c1 * *g);
                    *m = b2 * *m + c2 * *g;
                    *g = direction;
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("beta1", Slot::Schedule(&mut self.beta1));
        visit("beta2", Slot::Schedule(&mut self.beta2));
        visit("mean", self.mean.slot());
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByLion {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let [beta1, beta2] = [&self.beta1, &self.beta2].map(|beta| beta.at(context.when));
        let mean = state.take(gradient.elem_count(), 0.0)?;
        state.put(mix(beta2, &mean, 1.0 - beta2, gradient)?);
        Ok(mix(beta1, &mean, 1.0 - beta1, gradient)?.sign()?)
    }
}

const BETA1: Param = Param::number("beta1", Range::Decay, "0.9", "weight of the running mean in the direction");
const BETA2: Param = Param::number("beta2", Range::Decay, "0.99", "decay of the running mean of gradients");

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_lion(a.schedule("beta1")?, a.schedule("beta2")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "lion",
        summary: "the sign of a momentum",
        params: &[Param::lr("1e-4"), BETA1, BETA2, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| decoupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_lion",
        summary: "lion's direction",
        params: &[BETA1, BETA2],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
