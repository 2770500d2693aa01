//! A linear layer, its normalisation and its activation in candle's own operations.

use candle_core::{DType, Tensor};

use super::Activation;
use super::low_product::low_product;
use crate::kernels::{LEAK, Layer};
use crate::{Params, Result};

/// A layer's parameters in the type that a network is to see them in, under autograd: views where that is their own.
pub(super) struct Dense {
    /// `[inputs, outputs]`.
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    pub(super) fn of(params: &Params, layer: &Layer) -> Result<Self> {
        let block = |from: usize, len: usize| params.read_only().narrow(0, from, len)?.to_dtype(params.dtype());
        let weight = block(layer.weight, layer.outputs * layer.inputs)?;
        let weight = weight.reshape((layer.outputs, layer.inputs))?.t()?;
        Ok(Self { weight, bias: block(layer.bias, layer.outputs)? })
    }

    /// `x·Wᵀ + b`, `[B, inputs]` to `[B, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if self.weight.dtype() == DType::F32 || x.dtype() != self.weight.dtype() {
            return Ok(x.matmul(&self.weight)?.broadcast_add(&self.bias)?);
        }
        // The way back of what is repeated is a sum over rows in its own type; that of a product is one in f32, rounded once.
        let ones = Tensor::ones((x.dim(0)?, 1), x.dtype(), x.device())?;
        Ok((low_product(x, &self.weight)? + low_product(&ones, &self.bias.unsqueeze(0)?)?)?)
    }
}

/// Rows of mean 0 and deviation 1, in f32 whatever type they are of, and in operations that all have a backward pass; candle-nn's
/// fused one has none.
///
/// ```math
///   y = (x − mean x) / √(var x + ε)
/// ```
///
/// Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.
pub(super) fn normalised(x: &Tensor, eps: f64) -> candle_core::Result<Tensor> {
    let dtype = x.dtype();
    let x = x.to_dtype(DType::F32)?;
    let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(1)? + eps)?.sqrt()?;
    centred.broadcast_div(&deviation)?.to_dtype(dtype)
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
