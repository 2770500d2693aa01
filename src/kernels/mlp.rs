//! A whole multi-layer perceptron as one operation: forward, and backward into one gradient of all parameters.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::activation::tanh_in_place;
use super::gemm::{Matrix, matmul};
use super::vector::vectorised;
use crate::nn::Activation;
use crate::params::Version;

/// One linear layer: where its weight `[outputs, inputs]` and bias `[outputs]` begin in the parameter vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
}

impl Layer {
    pub(crate) fn weight<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.weight..self.weight + self.outputs * self.inputs]
    }

    pub(crate) fn bias<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.bias..self.bias + self.outputs]
    }
}

/// Linear layers with one activation between them and none after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Layer>,
    pub(crate) activation: Activation,
}

/// What a forward pass leaves behind, every layer's output and what its activation's derivative needs, and room for a
/// backward pass. It is kept from pass to pass: fresh buffers of this size would be mapped and faulted in each time.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// `[batch, outputs]` of each layer, after its activation.
    outputs: Vec<Vec<f32>>,
    /// The same before the activation, kept only where the derivative cannot be had from the output.
    sums: Vec<Vec<f32>>,
    /// `∂L/∂` the output of the layer at hand, and of the layer before it.
    delta: Vec<f32>,
    previous: Vec<f32>,
    sigmoid: Vec<f32>,
}

impl Workspace {
    /// `[batch, outputs]` of the last layer of the last forward pass.
    pub(crate) fn output(&self) -> &[f32] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }
}

impl Mlp {
    pub(crate) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// `yₗ = f(yₗ₋₁·Wₗᵀ + bₗ)` for `batch` rows of `x`, `f` missing on the last layer.
    pub(crate) fn forward(&self, theta: &[f32], x: &[f32], batch: usize, workspace: &mut Workspace) {
        workspace.outputs.resize_with(self.layers.len(), Vec::new);
        workspace.sums.resize_with(self.layers.len(), Vec::new);
        for (l, layer) in self.layers.iter().enumerate() {
            let (before, rest) = workspace.outputs.split_at_mut(l);
            let input = before.last().map_or(x, Vec::as_slice);
            let out = &mut rest[0];
            out.clear();
            for _ in 0..batch {
                out.extend_from_slice(layer.bias(theta));
            }
            let weight = Matrix::row_major(layer.weight(theta), layer.outputs, layer.inputs);
            matmul(out, true, Matrix::row_major(input, batch, layer.inputs), weight.transposed());
            if l + 1 < self.layers.len() {
                self.activation.apply(out, &mut workspace.sums[l]);
            }
        }
    }

    /// Given `∂L/∂y` of the last forward pass, adds `∂L/∂θ` to this network's places of `gradient` (`[P]`).
    pub(crate) fn backward(
        &self,
        theta: &[f32],
        x: &[f32],
        workspace: &mut Workspace,
        output_gradient: &[f32],
        gradient: &mut [f32],
    ) {
        let Workspace { outputs, sums, delta, previous, sigmoid } = workspace;
        delta.clear();
        delta.extend_from_slice(output_gradient);
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let batch = delta.len() / layer.outputs;
            let input = if l == 0 { x } else { &outputs[l - 1] };
            let rows = Matrix::row_major(delta, batch, layer.outputs);
            let weight_gradient = &mut gradient[layer.weight..layer.weight + layer.outputs * layer.inputs];
            matmul(weight_gradient, true, rows.transposed(), Matrix::row_major(input, batch, layer.inputs));
            add_rows(delta, &mut gradient[layer.bias..layer.bias + layer.outputs]);
            if l > 0 {
                previous.clear();
                previous.resize(batch * layer.inputs, 0.0);
                let weight = Matrix::row_major(layer.weight(theta), layer.outputs, layer.inputs);
                matmul(previous, false, rows, weight);
                self.activation.times_derivative(previous, &outputs[l - 1], &sums[l - 1], sigmoid);
                std::mem::swap(delta, previous);
            }
        }
    }
}

/// `out[j] += Σᵢ rows[i, j]`, rows in order.
fn add_rows(rows: &[f32], out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(out.len()) {
                for (sum, x) in out.iter_mut().zip(row) {
                    *sum += x;
                }
            }
        },
    );
}

impl Activation {
    /// `y = f(y)` in place; `sums` receives the argument where [`Activation::times_derivative`] will need it.
    fn apply(self, y: &mut [f32], sums: &mut Vec<f32>) {
        sums.clear();
        match self {
            Activation::Tanh => tanh_in_place(y),
            Activation::Relu => y.iter_mut().for_each(|v| *v = v.max(0.0)),
            Activation::Silu => {
                sums.extend_from_slice(y);
                y.iter_mut().for_each(|v| *v *= 0.5);
                tanh_in_place(y);
                for (v, &x) in y.iter_mut().zip(&*sums) {
                    *v = x * (0.5 + 0.5 * *v);
                }
            }
        }
    }

    /// `delta *= f'(sum)`, from the outputs where they suffice.
    fn times_derivative(self, delta: &mut [f32], outputs: &[f32], sums: &[f32], sigmoid: &mut Vec<f32>) {
        match self {
            Activation::Tanh => vectorised(
                #[inline(always)]
                || {
                    for (d, y) in delta.iter_mut().zip(outputs) {
                        *d *= 1.0 - y * y;
                    }
                },
            ),
            Activation::Relu => {
                for (d, &y) in delta.iter_mut().zip(outputs) {
                    *d = if y > 0.0 { *d } else { 0.0 };
                }
            }
            Activation::Silu => {
                // With s = σ(x), silu' = s·(1 + x·(1 − s)) = s + y·(1 − s).
                sigmoid.clear();
                sigmoid.extend(sums.iter().map(|x| 0.5 * x));
                tanh_in_place(sigmoid);
                for ((d, &y), t) in delta.iter_mut().zip(outputs).zip(&*sigmoid) {
                    let s = 0.5 + 0.5 * t;
                    *d *= s + y * (1.0 - s);
                }
            }
        }
    }
}

/// [`Mlp`] as a candle operation on `(theta [P], observation [B, D])` giving `[B, outputs]`.
///
/// Its gradient goes to theta alone: observations are data.
pub(crate) struct FusedMlp {
    mlp: Arc<Mlp>,
    /// The parameters' version at the forward pass. The activations kept here belong to that one and no other.
    version: Version,
    workspace: Mutex<Workspace>,
}

impl FusedMlp {
    pub(crate) fn new(mlp: Arc<Mlp>, version: Version) -> Self {
        Self { mlp, version, workspace: Mutex::default() }
    }
}

impl CustomOp2 for FusedMlp {
    fn name(&self) -> &'static str {
        "fused-mlp"
    }

    fn cpu_fwd(
        &self,
        theta: &CpuStorage,
        theta_layout: &Layout,
        observation: &CpuStorage,
        observation_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let theta = contiguous(theta, theta_layout)?;
        let x = contiguous(observation, observation_layout)?;
        let (batch, width) = observation_layout.shape().dims2()?;
        if width != self.mlp.inputs() {
            bail!("fused-mlp: observations have {width} numbers, the network takes {}", self.mlp.inputs());
        }
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        self.mlp.forward(theta, x, batch, &mut workspace);
        Ok((CpuStorage::F32(workspace.output().to_vec()), (batch, self.mlp.outputs()).into()))
    }

    fn bwd(
        &self,
        theta: &Tensor,
        observation: &Tensor,
        _result: &Tensor,
        result_gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if !self.version.is_current() {
            bail!("fused-mlp: the parameters were changed between the forward and the backward pass");
        }
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let result_gradient = result_gradient.contiguous()?;
        let mut gradient = vec![0.0; theta.elem_count()];
        with_slice(theta, |theta| {
            with_slice(observation, |x| {
                with_slice(&result_gradient, |g| {
                    self.mlp.backward(theta, x, &mut workspace, g, &mut gradient);
                    Ok(())
                })
            })
        })?;
        Ok((Some(Tensor::from_vec(gradient, theta.shape(), theta.device())?), None))
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("fused-mlp: tensors must be contiguous"),
    }
}

/// Reads a contiguous `f32` tensor on the CPU without copying it.
pub(crate) fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => f(contiguous(storage, layout)?),
        _ => bail!("fused-mlp: tensors must be on the CPU"),
    }
}
