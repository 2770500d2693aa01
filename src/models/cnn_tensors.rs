//! A convolutional network in candle's own operations, on images with channels last. Windows are cut out pixel by pixel and filters
//! a product over them: candle's convolutions take no gradient where an image and a stride leave a rest.

use candle_core::{Device, Tensor};

use super::dense::{Dense, activated};
use super::{Activation, brought_to};
use crate::kernels::{Cnn, Conv, Stage, Windows};
use crate::{Params, Result};

/// What a network puts out, `[B, outputs]`, for images `[B, height·width·channels]` of this height, width and number of channels,
/// differentiable in the parameters.
pub(super) fn answer(net: &Cnn, image: [usize; 3], params: &Params, observation: &Tensor) -> Result<Tensor> {
    let [height, width, channels] = image;
    let (batch, _) = observation.dims2()?;
    let scaled = brought_to(params.dtype(), &(observation.contiguous()? * f64::from(net.scale))?)?;
    let mut x = scaled.reshape((batch, height, width, channels))?;
    for stage in &net.stages {
        x = match stage {
            Stage::Conv(conv) => filtered(conv, params, &x)?,
            Stage::Relu => activated(Activation::Relu, &x)?,
            Stage::Pool(windows) => largest(windows, &x)?,
            Stage::Residual(first, second) => {
                let inner = filtered(first, params, &activated(Activation::Relu, &x)?)?;
                (&x + filtered(second, params, &activated(Activation::Relu, &inner)?)?)?
            }
        };
    }
    let mut y = x.flatten_from(1)?;
    for (l, layer) in net.tail.layers.iter().enumerate() {
        y = Dense::of(params, layer)?.forward(&y)?;
        if l + 1 < net.tail.layers.len() {
            y = activated(net.tail.activation, &y)?;
        }
    }
    Ok(y)
}

/// Filters of `[B, height, width, channels]`.
fn filtered(conv: &Conv, params: &Params, x: &Tensor) -> Result<Tensor> {
    let (windows, batch) = (&conv.windows, x.dim(0)?);
    let under = Tensor::cat(&pixels(windows, x, 0.0)?, 3)?.reshape((batch * windows.count(), windows.len()))?;
    let filtered = Dense::of(params, &conv.layer)?.forward(&under)?;
    Ok(filtered.reshape((batch, windows.rows(), windows.columns(), conv.layer.outputs))?)
}

/// The largest number of each channel under each window of `[B, height, width, channels]`, the first of several.
fn largest(windows: &Windows, x: &Tensor) -> Result<Tensor> {
    let mut pixels = pixels(windows, x, f32::NEG_INFINITY)?.into_iter();
    let first = pixels.next().unwrap_or_else(|| x.clone());
    pixels.try_fold(first, |most, pixel| Ok(pixel.gt(&most)?.where_cond(&pixel, &most)?))
}

/// Each pixel of all windows over `[B, height, width, channels]`, `[B, rows, columns, channels]`, with this number in the border.
fn pixels(windows: &Windows, x: &Tensor, border: f32) -> Result<Vec<Tensor>> {
    let &Windows { side, stride, padding, .. } = windows;
    let x = bordered(&bordered(x, 1, padding, border)?, 2, padding, border)?;
    let each = (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
    let cut = |(row, column)| {
        every(&every(&x, 1, (row, windows.rows(), stride))?, 2, (column, windows.columns(), stride))?.contiguous()
    };
    Ok(each.map(cut).collect::<candle_core::Result<_>>()?)
}

/// So many places of a dimension from a first one on, `stride` apart.
fn every(x: &Tensor, dim: usize, (first, count, stride): (usize, usize, usize)) -> candle_core::Result<Tensor> {
    if stride == 1 {
        return x.narrow(dim, first, count);
    }
    let places: Vec<u32> = (0..count).map(|i| (first + i * stride) as u32).collect();
    x.contiguous()?.index_select(&Tensor::from_vec(places, count, x.device())?, dim)
}

/// A border of one number on both sides of a dimension.
fn bordered(x: &Tensor, dim: usize, padding: usize, number: f32) -> Result<Tensor> {
    if padding == 0 {
        return Ok(x.clone());
    }
    let mut shape = x.dims().to_vec();
    shape[dim] = padding;
    let border = Tensor::full(number, shape, &Device::Cpu)?.to_device(x.device())?.to_dtype(x.dtype())?;
    Ok(Tensor::cat(&[&border, x, &border], dim)?)
}
