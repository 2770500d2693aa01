//! Signs of gradients.

use candle_core::Tensor;

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, scale_by_learning_rate};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::Param;

/// See [`scale_by_sign`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleBySign;

/// `u = sign(g)`, of which the sign of 0 is 0.
///
/// The recipe `sign_sgd` is `optax.sign_sgd`. Bernstein et al. 2018, algorithm 1, <https://arxiv.org/abs/1802.04434>.
#[must_use]
pub fn scale_by_sign() -> ScaleBySign {
    ScaleBySign
}

/// −1, 0 or 1.
#[inline(always)]
pub(super) fn sign(x: f32) -> f32 {
    f32::from(u8::from(x > 0.0)) - f32::from(u8::from(x < 0.0))
}

impl GradientTransform for ScaleBySign {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        vectorised(
            #[inline(always)]
            move || gradient.iter_mut().for_each(|g| *g = sign(*g)),
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleBySign {
    fn update_tensor(&mut self, gradient: &Tensor, _: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        Ok(gradient.sign()?)
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "sign_sgd",
        summary: "every parameter by the same length",
        params: &[Param::lr("1e-3")],
        make: Make::Recipe(|a| Ok(Chain::new().then(scale_by_sign()).then(scale_by_learning_rate(a.schedule("lr")?)))),
    },
    Row {
        name: "scale_by_sign",
        summary: "sign_sgd's direction",
        params: &[],
        make: Make::Link(Place::BeforeRate, |_| Ok(Chain::new().then(scale_by_sign()))),
    },
];
