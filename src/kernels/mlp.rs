//! A whole multi-layer perceptron on the host: forward, backward into one gradient of all parameters, and along a
//! direction of the parameters.

use super::layer::{Layer, times_derivative};
use crate::nn::Activation;

/// Linear layers with one activation between them and none after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Layer>,
    pub(crate) activation: Activation,
}

/// Room for a network's passes over a batch, kept from pass to pass: fresh buffers of this size would be mapped and
/// faulted in each time. It holds no state that matters: any may be used with any network.
#[derive(Debug, Default)]
pub struct Workspace {
    /// `[batch, outputs]` of each layer, after its activation.
    outputs: Vec<Vec<f32>>,
    /// The same before the activation, kept only where the derivative cannot be had from the output.
    sums: Vec<Vec<f32>>,
    /// `∂L/∂` the output of the layer at hand, and of the layer before it; or the tangents of the same.
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
            if l + 1 < self.layers.len() {
                layer.activated(theta, input, batch, self.activation, &mut rest[0], &mut workspace.sums[l]);
            } else {
                layer.forward(theta, input, batch, &mut rest[0]);
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
            layer.add_weight_gradient(if l == 0 { x } else { &outputs[l - 1] }, delta, gradient, previous);
            layer.add_bias_gradient(delta, gradient);
            if l > 0 {
                layer.input_gradient(theta, delta, previous);
                times_derivative(self.activation, previous, &outputs[l - 1], &sums[l - 1], sigmoid);
                std::mem::swap(delta, previous);
            }
        }
    }

    /// `∂y/∂θ·direction`, `[batch, outputs]`, at the last forward pass, `direction` `[P]`: Pearlmutter's R-operator,
    /// <https://doi.org/10.1162/neco.1994.6.1.147>.
    pub(crate) fn tangent<'a>(
        &self,
        theta: &[f32],
        direction: &[f32],
        x: &[f32],
        batch: usize,
        workspace: &'a mut Workspace,
    ) -> &'a [f32] {
        let Workspace { outputs, sums, delta, previous, sigmoid } = workspace;
        for (l, layer) in self.layers.iter().enumerate() {
            let (input, input_tangent) = if l == 0 { (x, None) } else { (&outputs[l - 1][..], Some(&previous[..])) };
            layer.tangent([theta, direction], input, input_tangent, batch, delta);
            if l + 1 < self.layers.len() {
                times_derivative(self.activation, delta, &outputs[l], &sums[l], sigmoid);
            }
            std::mem::swap(delta, previous);
        }
        previous
    }
}
