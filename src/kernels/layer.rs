//! One linear layer and the activation behind it: forward, backward, and along a direction.

use super::elementary::{sigmoid_in_place, tanh};
use super::gemm::{Matrix, matmul};
use super::vector::vectorised;
use crate::nn::Activation;

/// Where a layer's weight `[outputs, inputs]` and bias `[outputs]` begin in the parameter vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
}

/// Up to so many outputs are one scalar product each: a matrix product's tiles would be mostly empty.
const FEW: usize = 4;
/// Numbers in a row of a matrix product's tile.
const NARROW: usize = 16;

impl Layer {
    fn weight_range(&self) -> std::ops::Range<usize> {
        self.weight..self.weight + self.outputs * self.inputs
    }

    fn weight<'a>(&self, theta: &'a [f32]) -> Matrix<'a> {
        Matrix::row_major(&theta[self.weight_range()], self.outputs, self.inputs)
    }

    fn bias<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.bias..self.bias + self.outputs]
    }

    /// `out = x·Wᵀ + b` for `batch` rows of `x`.
    pub(super) fn forward(&self, theta: &[f32], x: &[f32], batch: usize, out: &mut Vec<f32>) {
        if self.outputs <= FEW {
            out.resize(batch * self.outputs, 0.0);
            scalar_products(&theta[self.weight_range()], self.bias(theta), x, out);
        } else {
            self.product(theta, x, batch, out);
            add_to_rows(self.bias(theta), out);
        }
    }

    /// `out = f(x·Wᵀ + b)`; `sums` receives the argument of `f` where [`times_derivative`] will need it.
    pub(super) fn activated(
        &self,
        theta: &[f32],
        x: &[f32],
        batch: usize,
        f: Activation,
        out: &mut Vec<f32>,
        sums: &mut Vec<f32>,
    ) {
        sums.clear();
        self.product(theta, x, batch, out);
        let bias = self.bias(theta);
        match f {
            Activation::Tanh => map_rows(bias, out, tanh),
            Activation::Relu => map_rows(bias, out, |x| x.max(0.0)),
            Activation::Silu => {
                add_to_rows(bias, out);
                sums.extend_from_slice(out);
                sigmoid_in_place(out);
                multiply(out, sums);
            }
        }
    }

    fn product(&self, theta: &[f32], x: &[f32], batch: usize, out: &mut Vec<f32>) {
        out.resize(batch * self.outputs, 0.0);
        matmul(out, false, Matrix::row_major(x, batch, self.inputs), self.weight(theta).transposed());
    }

    /// Given `∂L/∂(x·Wᵀ + b)`, `[B, outputs]`, adds `∂L/∂W = deltaᵀ·x` to the weight's places of `gradient`, `[P]`.
    pub(super) fn add_weight_gradient(&self, x: &[f32], delta: &[f32], gradient: &mut [f32], scratch: &mut Vec<f32>) {
        let batch = delta.len() / self.outputs;
        let delta = Matrix::row_major(delta, batch, self.outputs);
        let x = Matrix::row_major(x, batch, self.inputs);
        let gradient = &mut gradient[self.weight_range()];
        if self.inputs < NARROW.min(self.outputs) {
            // Rows this short would leave most of a tile empty: the transpose is made, and turned round.
            scratch.resize(gradient.len(), 0.0);
            matmul(scratch, false, x.transposed(), delta);
            for (o, row) in gradient.chunks_exact_mut(self.inputs).enumerate() {
                row.iter_mut().enumerate().for_each(|(i, g)| *g += scratch[i * self.outputs + o]);
            }
        } else {
            matmul(gradient, true, delta.transposed(), x);
        }
    }

    /// `Σ rows of delta`: adds `∂L/∂b` to the bias's places of `gradient`.
    pub(super) fn add_bias_gradient(&self, delta: &[f32], gradient: &mut [f32]) {
        let sums = &mut gradient[self.bias..self.bias + self.outputs];
        vectorised(
            #[inline(always)]
            || delta.chunks_exact(sums.len()).for_each(|row| sums.iter_mut().zip(row).for_each(|(s, d)| *s += d)),
        );
    }

    /// `∂L/∂x = delta·W`.
    pub(super) fn input_gradient(&self, theta: &[f32], delta: &[f32], out: &mut Vec<f32>) {
        let batch = delta.len() / self.outputs;
        out.resize(batch * self.inputs, 0.0);
        matmul(out, false, Matrix::row_major(delta, batch, self.outputs), self.weight(theta));
    }

    /// The change of `x·Wᵀ + b` when the parameters move along `direction`, `[P]`, and `x` along `x_tangent` (nothing for
    /// the first layer, whose input stands still): `x_tangent·Wᵀ + x·Vᵀ + v`.
    pub(super) fn tangent(
        &self,
        [theta, direction]: [&[f32]; 2],
        x: &[f32],
        x_tangent: Option<&[f32]>,
        batch: usize,
        out: &mut Vec<f32>,
    ) {
        self.product(direction, x, batch, out);
        add_to_rows(self.bias(direction), out);
        if let Some(x_tangent) = x_tangent {
            matmul(out, true, Matrix::row_major(x_tangent, batch, self.inputs), self.weight(theta).transposed());
        }
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
            || delta.iter_mut().zip(outputs).for_each(|(d, y)| *d *= 1.0 - y * y),
        ),
        Activation::Relu => vectorised(
            #[inline(always)]
            || delta.iter_mut().zip(outputs).for_each(|(d, &y)| *d = if y > 0.0 { *d } else { 0.0 }),
        ),
        Activation::Silu => {
            // With s = σ(x), silu' = s·(1 + x·(1 − s)) = s + y·(1 − s).
            sigmoid.clear();
            sigmoid.extend_from_slice(sums);
            sigmoid_in_place(sigmoid);
            vectorised(
                #[inline(always)]
                || {
                    for ((d, &y), &s) in delta.iter_mut().zip(outputs).zip(&*sigmoid) {
                        *d *= s + y * (1.0 - s);
                    }
                },
            );
        }
    }
}

/// `y = f(y + b)` of every row.
fn map_rows(bias: &[f32], rows: &mut [f32], f: impl Fn(f32) -> f32) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(y, b)| *y = f(*y + b));
            }
        },
    );
}

fn add_to_rows(bias: &[f32], rows: &mut [f32]) {
    map_rows(bias, rows, |x| x);
}

fn multiply(x: &mut [f32], y: &[f32]) {
    vectorised(
        #[inline(always)]
        || x.iter_mut().zip(y).for_each(|(x, y)| *x *= y),
    );
}

/// `out[i, j] = b[j] + Σₖ x[i, k]·W[j, k]`, summed in sixteen parts and then those, in an order that depends on the
/// number of inputs alone.
fn scalar_products(weight: &[f32], bias: &[f32], x: &[f32], out: &mut [f32]) {
    const LANES: usize = 16;
    let inputs = weight.len() / bias.len();
    vectorised(
        #[inline(always)]
        || {
            for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(bias.len())) {
                for ((w, b), out) in weight.chunks_exact(inputs).zip(bias).zip(out) {
                    let ((x, x_rest), (w, w_rest)) = (x.as_chunks::<LANES>(), w.as_chunks::<LANES>());
                    let mut sums = [0.0f32; LANES];
                    for (x, w) in x.iter().zip(w) {
                        for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(w) {
                            *sum = x.mul_add(w, *sum);
                        }
                    }
                    for half in [8, 4, 2, 1] {
                        for l in 0..half {
                            sums[l] += sums[l + half];
                        }
                    }
                    let rest = x_rest.iter().zip(w_rest).fold(sums[0], |sum, (&x, &w)| x.mul_add(w, sum));
                    *out = rest + b;
                }
            }
        },
    );
}
