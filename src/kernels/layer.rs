//! One linear layer and the activation behind it: forward, backward, and along a direction.

use std::ops::Range;

use super::activation::{Activation, LEAK};
use super::elementary::{normal_cdf, normal_pdf, sigmoid_in_place, tanh_in_place};
use super::matmul::{Left, Start, matmul};
use super::places::{Every, Next, TILE, Tiles};
use super::product::{Left as Factor, Right, panel_width, product};
use super::scalar_products::scalar_products;
use super::transpose::{transpose, transpose_to};
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
/// A weight of so many numbers is more than is near: products take it panel by panel, each in the order in which they read it.
const LARGE: usize = 1 << 17;

/// From the first parameter of these layers to the last.
pub(super) fn places<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Range<usize> {
    let (start, end) = layers.into_iter().fold((usize::MAX, 0), |(start, end), layer| {
        let (weight, bias) = (layer.weight_range(), layer.bias..layer.bias + layer.outputs);
        (start.min(weight.start).min(bias.start), end.max(weight.end).max(bias.end))
    });
    start..end
}

impl Layer {
    pub(super) fn weight_range(&self) -> Range<usize> {
        self.weight..self.weight + self.outputs * self.inputs
    }

    /// `[outputs, inputs]`.
    pub(super) fn weight<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.weight_range()]
    }

    pub(super) fn bias<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.bias..self.bias + self.outputs]
    }

    pub(super) fn bias_mut<'a>(&self, gradient: &'a mut [f32]) -> &'a mut [f32] {
        &mut gradient[self.bias..self.bias + self.outputs]
    }

    /// Columns of a panel, of so many columns in all.
    fn panel(&self, columns: usize) -> usize {
        if self.inputs * self.outputs < LARGE { columns.max(1) } else { panel_width() }
    }

    /// Replaces `transposed` by the weight's transpose, `[inputs, outputs]`, which passes forward take, a large one some columns
    /// after the others; a layer of few outputs needs none.
    pub(super) fn transpose_weight(&self, theta: &[f32], transposed: &mut Vec<f32>) {
        if self.outputs <= FEW {
            return;
        }
        let (weight, i) = (self.weight(theta), self.inputs);
        let panel = self.panel(self.outputs) * i.max(1);
        transposed.resize(weight.len(), 0.0);
        for (rows, to) in weight.chunks(panel).zip(transposed.chunks_mut(panel)) {
            transpose_to(rows, rows.len() / i, i, to);
        }
    }

    /// The same of any layer, and as a whole.
    pub(super) fn turn_all(&self, theta: &[f32], transposed: &mut Vec<f32>) {
        transpose(self.weight(theta), self.outputs, self.inputs, transposed);
    }

    /// Replaces `panels` by the weight as [`input_gradient_by`](Self::input_gradient_by) takes it, a large one some columns after
    /// the others.
    pub(super) fn weight_by_columns(&self, theta: &[f32], panels: &mut Vec<f32>) {
        /// Rows that are read side by side.
        const SOME: usize = 16;
        let (width, o) = (self.panel(self.inputs), self.outputs);
        panels.resize(o * self.inputs, 0.0);
        for (block, rows) in self.weight(theta).chunks(SOME * self.inputs.max(1)).enumerate() {
            for (p, panel) in panels.chunks_mut(width * o).enumerate() {
                let wide = panel.len() / o;
                let to = panel[block * SOME * wide..].chunks_exact_mut(wide);
                for (to, row) in to.zip(rows.chunks_exact(self.inputs)) {
                    let from = &row[p * width..p * width + wide];
                    match (to.as_chunks_mut::<NARROW>(), from.as_chunks::<NARROW>()) {
                        ((to, []), (from, [])) => to.copy_from_slice(from),
                        _ => to.copy_from_slice(from),
                    }
                }
            }
        }
    }

    /// `out = x·Wᵀ + b` for `batch` rows of `x`; `transposed` is what [`transpose_weight`](Self::transpose_weight) made of the weight.
    pub(super) fn forward(&self, theta: &[f32], transposed: &[f32], x: &[f32], batch: usize, out: &mut [f32]) {
        let (i, o) = (self.inputs, self.outputs);
        if o <= FEW {
            return scalar_products(self.weight(theta), self.bias(theta), x, out);
        }
        let left = Factor { numbers: x, rows: Every(i), depths: Next };
        let right = Right::Panels(transposed, self.panel(o));
        product((out, Every(o)), Start::Row(self.bias(theta)), left, right, [batch, i, o]);
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
        self.add_bias_gradient(delta, gradient);
    }

    /// The rows of `∂L/∂W` of some outputs, in place of what `gradient` holds.
    pub(super) fn gradient_rows(
        &self,
        x: &[f32],
        delta: &[f32],
        outputs: std::ops::Range<usize>,
        gradient: &mut [f32],
    ) {
        /// Rows whose factor is packed at a time.
        const SOME: usize = 32 * TILE;
        let (i, batch) = (self.inputs, delta.len() / self.outputs);
        let mut packed = Vec::new();
        for first in outputs.clone().step_by(SOME) {
            let rows = first..(first + SOME).min(outputs.end);
            packed.clear();
            packed.resize(rows.len().next_multiple_of(TILE) * batch, 0.0);
            for (b, delta) in delta.chunks_exact(self.outputs).enumerate() {
                let tiles = packed.chunks_exact_mut(TILE * batch).map(|tile| &mut tile[b * TILE..]);
                tiles
                    .zip(delta[rows.clone()].chunks(TILE))
                    .for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
            }
            let left = Factor { numbers: &packed, rows: Tiles(batch), depths: Every(TILE) };
            let to = &mut gradient[(first - outputs.start) * i..];
            product((to, Every(i)), Start::Zero, left, Right::Rows(x, i), [rows.len(), batch, i]);
        }
    }

    /// Adds to `∂L/∂b` the rows of `delta`.
    pub(super) fn add_bias_gradient(&self, delta: &[f32], gradient: &mut [f32]) {
        // A product with a row of ones: the same sums, which stay in registers.
        let ones = Factor { numbers: &[1.0], rows: Every(0), depths: Every(0) };
        let (o, bias) = (self.outputs, self.bias_mut(gradient));
        product((bias, Every(o)), Start::Output, ones, Right::Rows(delta, o), [1, delta.len() / o, o]);
    }

    /// Adds `∂L/∂W` turned round, `[inputs, outputs]`, to this layer's places of `gradient`, `[P]`.
    pub(super) fn add_turned(&self, sums: &[f32], gradient: &mut [f32], scratch: &mut Vec<f32>) {
        transpose(sums, self.inputs, self.outputs, scratch);
        add(&mut gradient[self.weight_range()], scratch);
    }

    /// `∂L/∂x = delta·W`; `panels` is what [`weight_by_columns`](Self::weight_by_columns) made of the weight.
    pub(super) fn input_gradient_by(&self, panels: &[f32], delta: &[f32], out: &mut Vec<f32>) {
        let (i, o, batch) = (self.inputs, self.outputs, delta.len() / self.outputs);
        out.resize(batch * i, 0.0);
        let left = Factor { numbers: delta, rows: Every(o), depths: Next };
        product((out, Every(i)), Start::Zero, left, Right::Panels(panels, self.panel(i)), [batch, o, i]);
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

/// `y = f(y)`; to `sums` the argument of `f` is added where [`times_derivative`] will need it.
pub(super) fn activate(f: Activation, y: &mut [f32], sums: &mut Vec<f32>) {
    let from = sums.len();
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
                move || y.iter_mut().zip(&sums[from..]).for_each(|(y, x)| *y *= x),
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

#[cfg(test)]
mod tests;
