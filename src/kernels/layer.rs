//! One linear layer and the activation behind it: forward, backward, and along a direction.

use std::ops::Range;

use super::activation::{Activation, LEAK};
use super::elementary::{normal_cdf, normal_pdf, sigmoid_in_place, tanh_in_place};
use super::matmul::{Left, Start, matmul};
use super::scalar_products::scalar_products;
use super::transpose::transpose;
use super::vector::{add, vectorised};

/// Where a layer's weight `[outputs, inputs]` and bias `[outputs]` begin in the parameter vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
}

/// Up to so many outputs are one scalar product each: a matrix product's vectors would be mostly empty.
const FEW: usize = 4;
/// Numbers in a vector of a matrix product.
const NARROW: usize = 16;

/// From the first parameter of these layers to the last.
pub(super) fn places<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Range<usize> {
    layers.into_iter().fold(usize::MAX..0, |all, layer| {
        let (weight, bias) = (layer.weight_range(), layer.bias..layer.bias + layer.outputs);
        all.start.min(weight.start).min(bias.start)..all.end.max(weight.end).max(bias.end)
    })
}

impl Layer {
    fn weight_range(&self) -> Range<usize> {
        self.weight..self.weight + self.outputs * self.inputs
    }

    /// `[outputs, inputs]`.
    fn weight<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.weight_range()]
    }

    fn bias<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.bias..self.bias + self.outputs]
    }

    /// Replaces `transposed` by the weight's transpose, `[inputs, outputs]`, which passes forward take; a layer of few
    /// outputs needs none.
    pub(super) fn transpose_weight(&self, theta: &[f32], transposed: &mut Vec<f32>) {
        if self.outputs > FEW {
            transpose(self.weight(theta), self.outputs, self.inputs, transposed);
        }
    }

    /// `out = x·Wᵀ + b` for `batch` rows of `x`; `transposed` is what [`transpose_weight`](Self::transpose_weight) made of the weight.
    pub(super) fn forward(&self, theta: &[f32], transposed: &[f32], x: &[f32], batch: usize, out: &mut Vec<f32>) {
        out.resize(batch * self.outputs, 0.0);
        self.forward_to(theta, transposed, x, batch, out);
    }

    /// The same into room of that length, `[batch, outputs]`.
    pub(super) fn forward_to(&self, theta: &[f32], transposed: &[f32], x: &[f32], batch: usize, out: &mut [f32]) {
        if self.outputs <= FEW {
            scalar_products(self.weight(theta), self.bias(theta), x, out);
        } else {
            let start = Start::Row(self.bias(theta));
            matmul(out, start, Left::Rows(x), transposed, [batch, self.inputs, self.outputs]);
        }
    }

    /// Given `∂L/∂(x·Wᵀ + b)`, `[B, outputs]`, adds `∂L/∂W = deltaᵀ·x` and `∂L/∂b = Σ rows of delta` to this layer's
    /// places of `gradient`, `[P]`.
    pub(super) fn add_gradient(&self, x: &[f32], delta: &[f32], gradient: &mut [f32], scratch: &mut Vec<f32>) {
        let batch = delta.len() / self.outputs;
        let weight = &mut gradient[self.weight_range()];
        if self.inputs < NARROW.min(self.outputs) {
            // Rows this short would leave most of a vector empty: the transpose is made, and transposed back.
            scratch.resize(weight.len(), 0.0);
            matmul(scratch, Start::Zero, Left::Columns(x), delta, [self.inputs, batch, self.outputs]);
            for (o, row) in weight.chunks_exact_mut(self.inputs).enumerate() {
                row.iter_mut().enumerate().for_each(|(i, g)| *g += scratch[i * self.outputs + o]);
            }
        } else {
            matmul(weight, Start::Output, Left::Columns(delta), x, [self.outputs, batch, self.inputs]);
        }
        let bias = &mut gradient[self.bias..self.bias + self.outputs];
        vectorised(
            #[inline(always)]
            move || delta.chunks_exact(bias.len()).for_each(|row| bias.iter_mut().zip(row).for_each(|(s, d)| *s += d)),
        );
    }

    /// As [`add_gradient`](Self::add_gradient), but to sums `[inputs + 1, outputs]` that are the weight turned round, and the
    /// bias: products of rows so long, however many the inputs are. Each call's own sum is taken by itself first.
    pub(super) fn add_gradient_turned(&self, x: &[f32], delta: &[f32], sums: &mut [f32], scratch: &mut Vec<f32>) {
        let (batch, o) = (delta.len() / self.outputs, self.outputs);
        let weight = self.inputs * o;
        scratch.resize(weight + o, 0.0);
        matmul(&mut scratch[..weight], Start::Zero, Left::Columns(x), delta, [self.inputs, batch, o]);
        let bias = &mut scratch[weight..];
        bias.fill(0.0);
        vectorised(
            #[inline(always)]
            move || delta.chunks_exact(o).for_each(|row| bias.iter_mut().zip(row).for_each(|(s, d)| *s += d)),
        );
        add(sums, scratch);
    }

    /// Adds such sums to this layer's places of `gradient`, `[P]`.
    pub(super) fn take_turned(&self, sums: &[f32], gradient: &mut [f32]) {
        let (weight, bias) = sums.split_at(self.inputs * self.outputs);
        for (o, row) in gradient[self.weight_range()].chunks_exact_mut(self.inputs).enumerate() {
            row.iter_mut().zip(weight.chunks_exact(self.outputs)).for_each(|(g, sums)| *g += sums[o]);
        }
        add(&mut gradient[self.bias..self.bias + self.outputs], bias);
    }

    /// `∂L/∂x = delta·W`.
    pub(super) fn input_gradient(&self, theta: &[f32], delta: &[f32], out: &mut Vec<f32>) {
        let batch = delta.len() / self.outputs;
        out.resize(batch * self.inputs, 0.0);
        matmul(out, Start::Zero, Left::Rows(delta), self.weight(theta), [batch, self.outputs, self.inputs]);
    }

    /// The change of `x·Wᵀ + b` when the parameters move along `direction`, `[P]`, and `x` along `x_tangent` (nothing for
    /// the first layer, whose input stands still): `x_tangent·Wᵀ + x·Vᵀ + v`. The second buffer is room for a transpose.
    pub(super) fn tangent(
        &self,
        [theta, direction]: [&[f32]; 2],
        x: &[f32],
        x_tangent: Option<&[f32]>,
        batch: usize,
        [out, transposed]: [&mut Vec<f32>; 2],
    ) {
        let shape = [batch, self.inputs, self.outputs];
        out.resize(batch * self.outputs, 0.0);
        transpose(self.weight(direction), self.outputs, self.inputs, transposed);
        matmul(out, Start::Row(self.bias(direction)), Left::Rows(x), transposed, shape);
        if let Some(x_tangent) = x_tangent {
            transpose(self.weight(theta), self.outputs, self.inputs, transposed);
            matmul(out, Start::Output, Left::Rows(x_tangent), transposed, shape);
        }
    }
}

/// `y = f(y)`; `sums` receives the argument of `f` where [`times_derivative`] will need it.
pub(super) fn activate(f: Activation, y: &mut [f32], sums: &mut Vec<f32>) {
    sums.clear();
    match f {
        Activation::Tanh => tanh_in_place(y),
        Activation::Relu => vectorised(
            #[inline(always)]
            move || y.iter_mut().for_each(|v| *v = v.max(0.0)),
        ),
        Activation::Silu => {
            sums.extend_from_slice(y);
            sigmoid_in_place(y);
            vectorised(
                #[inline(always)]
                move || y.iter_mut().zip(&*sums).for_each(|(y, x)| *y *= x),
            );
        }
        Activation::Gelu => {
            sums.extend_from_slice(y);
            vectorised(
                #[inline(always)]
                move || y.iter_mut().for_each(|y| *y *= normal_cdf(*y)),
            );
        }
        Activation::LeakyRelu => vectorised(
            #[inline(always)]
            move || y.iter_mut().for_each(|v| *v = if *v > 0.0 { *v } else { LEAK * *v }),
        ),
        Activation::Identity => {}
    }
}

/// `delta *= f'(sum)`, from the outputs `f(sum)` where they suffice.
pub(super) fn times_derivative(
    f: Activation,
    delta: &mut [f32],
    outputs: &[f32],
    sums: &[f32],
    sigmoid: &mut Vec<f32>,
) {
    match f {
        Activation::Tanh => vectorised(
            #[inline(always)]
            move || delta.iter_mut().zip(outputs).for_each(|(d, y)| *d *= 1.0 - y * y),
        ),
        Activation::Relu => vectorised(
            #[inline(always)]
            move || delta.iter_mut().zip(outputs).for_each(|(d, &y)| *d = if y > 0.0 { *d } else { 0.0 }),
        ),
        Activation::Silu => {
            // With s = σ(x), silu' = s·(1 + x·(1 − s)) = s + y·(1 − s).
            sigmoid.clear();
            sigmoid.extend_from_slice(sums);
            sigmoid_in_place(sigmoid);
            vectorised(
                #[inline(always)]
                move || {
                    for ((d, &y), &s) in delta.iter_mut().zip(outputs).zip(&*sigmoid) {
                        *d *= s + y * (1.0 - s);
                    }
                },
            );
        }
        Activation::Gelu => vectorised(
            // With φ the density, gelu' = Φ(x) + x·φ(x).
            #[inline(always)]
            move || delta.iter_mut().zip(sums).for_each(|(d, &x)| *d *= normal_pdf(x).mul_add(x, normal_cdf(x))),
        ),
        Activation::LeakyRelu => vectorised(
            #[inline(always)]
            move || delta.iter_mut().zip(outputs).for_each(|(d, &y)| *d = if y > 0.0 { *d } else { LEAK * *d }),
        ),
        Activation::Identity => {}
    }
}
