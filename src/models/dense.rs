//! A linear layer, its normalisation and its activation in candle's own operations.

use candle_core::Tensor;

use super::Activation;
use crate::kernels::{LEAK, Layer};
use crate::{Params, Result};

/// Views of a layer's parameters, under autograd.
pub(super) struct Dense {
    /// `[inputs, outputs]`.
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    pub(super) fn of(params: &Params, layer: &Layer) -> Result<Self> {
        let theta = params.read_only();
        let weight = theta.narrow(0, layer.weight, layer.outputs * layer.inputs)?;
        let weight = weight.reshape((layer.outputs, layer.inputs))?.t()?;
        Ok(Self { weight, bias: theta.narrow(0, layer.bias, layer.outputs)? })
    }

    /// `x·Wᵀ + b`, `[B, inputs]` to `[B, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weight)?.broadcast_add(&self.bias)?)
    }
}

/// Rows of mean 0 and deviation 1, in operations that all have a backward pass; candle-nn's fused one has none.
///
/// ```text
///   y = (x − mean x) / √(var x + ε)
/// ```
///
/// Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.
pub(super) fn normalised(x: &Tensor, eps: f64) -> candle_core::Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(1)? + eps)?.sqrt()?;
    centred.broadcast_div(&deviation)
}

/// The activation of every element.
pub(super) fn activated(f: Activation, y: &Tensor) -> candle_core::Result<Tensor> {
    Ok(match f {
        Activation::Tanh => y.tanh()?,
        // candle's own has a slope of 1 at 0, where the fused one, as nearly all, has none.
        Activation::Relu => y.gt(0.0)?.where_cond(y, &y.zeros_like()?)?,
        Activation::Silu => y.silu()?,
        Activation::Gelu => y.gelu_erf()?,
        Activation::LeakyRelu => y.gt(0.0)?.where_cond(y, &(y * f64::from(LEAK))?)?,
        Activation::Identity => y.clone(),
    })
}
