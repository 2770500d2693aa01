//! A whole multi-layer perceptron on the host: forward, backward into one gradient of all parameters, and along a
//! direction of the parameters.

use std::ops::Range;

use super::activation::Activation;
use super::layer::{Layer, activate, places, times_derivative};
use super::layer_norm::{normalise, times_jacobian};
use crate::params::Version;

/// Linear layers with one activation between them and none after the last, each hidden one normalised before its activation or not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Layer>,
    pub(crate) activation: Activation,
    pub(crate) layer_norm: bool,
}

/// A network's weights transposed, as passes forward take them, and which parameters they are of.
#[derive(Debug, Default)]
pub(crate) struct Transposed {
    weights: Vec<Vec<f32>>,
    of: Option<(Version, Vec<Layer>)>,
}

impl Transposed {
    /// Whether these are the weights that a network was passed with.
    fn are_those(&self, of: Option<&(Version, Mlp)>, mlp: &Mlp) -> bool {
        matches!((&self.of, of), (Some((now, _)), Some((then, network))) if now == then && network == mlp)
    }

    /// Of one layer.
    pub(super) fn weight(&self, layer: usize) -> &[f32] {
        &self.weights[layer]
    }

    /// Of each layer in order.
    pub(super) fn weights(&self) -> impl Iterator<Item = &[f32]> {
        self.weights.iter().map(Vec::as_slice)
    }

    /// Turns the weights round, unless they are those of these parameters already.
    pub(crate) fn update(&mut self, mlp: &Mlp, theta: &[f32], version: &Version) {
        self.update_by(&mlp.layers, version, |layer, transposed| layer.transpose_weight(theta, transposed));
    }

    /// The same of layers that are no perceptron, each turned round in this way.
    pub(super) fn update_by(&mut self, of: &[Layer], version: &Version, turn: impl Fn(&Layer, &mut Vec<f32>)) {
        match &mut self.of {
            Some((at, layers)) if *at == *version && *layers == *of => return,
            Some((at, layers)) => {
                at.clone_from(version);
                of.clone_into(layers);
            }
            known => *known = Some((version.clone(), of.to_vec())),
        }
        self.weights.resize_with(of.len(), Vec::new);
        of.iter().zip(&mut self.weights).for_each(|(layer, transposed)| turn(layer, transposed));
    }
}

/// What an operation keeps from call to call: fresh buffers of this size would be mapped and faulted in each time.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) transposed: Transposed,
    pub(crate) passes: Passes,
}

/// What passes over a batch leave behind, and room for the next.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    /// Which network, of which parameters, rows were added by; none where they were not.
    of: Option<(Version, Mlp)>,
    /// `[rows, inputs]`: those rows.
    added: Vec<f32>,
    /// `[batch, outputs]` of each layer, after its activation.
    outputs: Vec<Vec<f32>>,
    /// The same before the activation, kept only where the derivative cannot be had from the output.
    sums: Vec<Vec<f32>>,
    /// The same normalised, and what each of its rows was multiplied by, kept only where layers are.
    normalised: Vec<(Vec<f32>, Vec<f32>)>,
    /// `∂L/∂` what each layer puts out before its activation; or, after a tangent, that of each layer's output.
    deltas: Vec<Vec<f32>>,
    sigmoid: Vec<f32>,
    scratch: Vec<f32>,
}

impl Passes {
    /// `[batch, outputs]` of the last layer of the last forward pass.
    pub(crate) fn output(&self) -> &[f32] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }

    /// Notes by what rows are added from now on.
    fn note(&mut self, mlp: &Mlp, transposed: &Transposed) {
        match (&mut self.of, &transposed.of) {
            (Some((version, of)), Some((now, _))) => {
                version.clone_from(now);
                of.clone_from(mlp);
            }
            (of, now) => *of = now.as_ref().map(|(version, _)| (version.clone(), mlp.clone())),
        }
    }

    /// Leaves the first rows.
    fn truncate(&mut self, rows: usize, of: &Mlp) {
        let Self { added, outputs, sums, normalised, .. } = self;
        added.truncate(rows * of.inputs());
        for (l, layer) in of.layers.iter().enumerate() {
            outputs[l].truncate(rows * layer.outputs);
            sums[l].truncate(rows * layer.outputs);
            normalised[l].0.truncate(rows * layer.outputs);
            normalised[l].1.truncate(rows);
        }
    }

    /// `[batch, units]` of the last hidden layer of the last forward pass; without any `x`, which it was of.
    pub(crate) fn hidden<'a>(&'a self, x: &'a [f32]) -> &'a [f32] {
        match &self.outputs[..] {
            [.., hidden, _] => hidden,
            _ => x,
        }
    }
}

impl Clone for Mlp {
    fn clone(&self) -> Self {
        Self { layers: self.layers.clone(), activation: self.activation, layer_norm: self.layer_norm }
    }

    // Rows are noted by their network once an update: the room of its layers is kept.
    fn clone_from(&mut self, other: &Self) {
        self.layers.clone_from(&other.layers);
        (self.activation, self.layer_norm) = (other.activation, other.layer_norm);
    }
}

impl Mlp {
    pub(crate) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Where its parameters stand among all.
    pub(crate) fn places(&self) -> Range<usize> {
        places(&self.layers)
    }

    /// `yₗ = f(yₗ₋₁·Wₗᵀ + bₗ)` for `batch` rows of `x`, `f` missing on the last layer. `transposed` is of these parameters. Rows that
    /// were [added](Self::add) first have gone through already.
    pub(crate) fn forward(&self, theta: &[f32], transposed: &Transposed, x: &[f32], batch: usize, passes: &mut Passes) {
        if self.has_passed(transposed, x, passes) {
            return passes.truncate(batch, self);
        }
        passes.added.clear();
        self.pass(theta, transposed, (x, 0..batch), passes);
    }

    /// The same for rows that are added to those before them, if the parameters are still the same and all are no more than `most`: who
    /// learns from them next has no need to do it again. Returns what the last layer puts out for these rows, `[batch, outputs]`, and the
    /// hidden one before it; without any `x`.
    pub(crate) fn add<'a>(
        &self,
        theta: &[f32],
        transposed: &Transposed,
        (x, batch): (&'a [f32], usize),
        most: usize,
        passes: &'a mut Passes,
    ) -> [&'a [f32]; 2] {
        let mut from = passes.added.len().checked_div(self.inputs()).unwrap_or(0);
        if batch > most {
            (passes.of, from) = (None, 0);
            passes.added.clear();
        } else {
            if from + batch > most || !transposed.are_those(passes.of.as_ref(), self) {
                from = 0;
                passes.added.clear();
                passes.note(self, transposed);
            }
            passes.added.extend_from_slice(x);
        }
        self.pass(theta, transposed, (x, from..from + batch), passes);
        let of = |l: usize| &passes.outputs[l][from * self.layers[l].outputs..];
        match self.layers.len() {
            0 => [&[], x],
            1 => [of(0), x],
            n => [of(n - 1), of(n - 2)],
        }
    }

    /// Whether these rows are the first of those that were added.
    fn has_passed(&self, transposed: &Transposed, x: &[f32], passes: &Passes) -> bool {
        let added = passes.added.get(..x.len()).unwrap_or_default();
        let are_those = || added.iter().zip(x).all(|(a, b)| a.to_bits() == b.to_bits());
        !added.is_empty() && are_those() && transposed.are_those(passes.of.as_ref(), self)
    }

    /// Goes forward with `x`, the rows of these numbers among all.
    fn pass(&self, theta: &[f32], transposed: &Transposed, (x, rows): (&[f32], Range<usize>), passes: &mut Passes) {
        passes.outputs.resize_with(self.layers.len(), Vec::new);
        passes.sums.resize_with(self.layers.len(), Vec::new);
        passes.normalised.resize_with(self.layers.len(), Default::default);
        for (l, layer) in self.layers.iter().enumerate() {
            let (before, rest) = passes.outputs.split_at_mut(l);
            let input = before.last().map_or(x, |before| &before[rows.start * layer.inputs..]);
            let from = rows.start * layer.outputs;
            rest[0].resize(rows.end * layer.outputs, 0.0);
            let output = &mut rest[0][from..];
            layer.forward(theta, &transposed.weights[l], input, rows.len(), output);
            if l + 1 < self.layers.len() {
                if self.layer_norm {
                    let (normalised, inverse) = &mut passes.normalised[l];
                    inverse.truncate(rows.start);
                    normalise(output, layer.outputs, inverse);
                    normalised.truncate(from);
                    normalised.extend_from_slice(output);
                }
                passes.sums[l].truncate(from);
                activate(self.activation, output, &mut passes.sums[l]);
            }
        }
    }

    /// Given `∂L/∂y` of the last forward pass, adds `∂L/∂θ` to this network's places of `gradient` (`[P]`).
    pub(crate) fn backward(
        &self,
        theta: &[f32],
        x: &[f32],
        passes: &mut Passes,
        output_gradient: &[f32],
        gradient: &mut [f32],
    ) {
        self.backward_to_first(theta, passes, output_gradient, gradient);
        let Passes { deltas, scratch, .. } = passes;
        self.layers
            .iter()
            .zip(deltas)
            .take(1)
            .for_each(|(layer, delta)| layer.add_gradient(x, delta, gradient, scratch));
    }

    /// The same but for the first layer; returns `∂L/∂` what that puts out before its activation.
    pub(super) fn backward_to_first<'a>(
        &self,
        theta: &[f32],
        passes: &'a mut Passes,
        output_gradient: &[f32],
        gradient: &mut [f32],
    ) -> &'a [f32] {
        let Passes { outputs, sums, normalised, deltas, sigmoid, scratch, .. } = passes;
        deltas.resize_with(self.layers.len(), Vec::new);
        if let Some(last) = deltas.last_mut() {
            output_gradient.clone_into(last);
        }
        for (l, layer) in self.layers.iter().enumerate().skip(1).rev() {
            let (before, delta) = deltas.split_at_mut(l);
            let (previous, delta) = (&mut before[l - 1], &delta[0]);
            layer.add_gradient(&outputs[l - 1], delta, gradient, scratch);
            layer.input_gradient(theta, delta, previous);
            times_derivative(self.activation, previous, &outputs[l - 1], &sums[l - 1], sigmoid);
            if self.layer_norm {
                times_jacobian(previous, &normalised[l - 1].0, &normalised[l - 1].1);
            }
        }
        deltas.first().map_or(&[], Vec::as_slice)
    }

    /// The same, and `∂L/∂x` in place of what `by_x` holds.
    pub(crate) fn backward_to_input(
        &self,
        theta: &[f32],
        x: &[f32],
        passes: &mut Passes,
        output_gradient: &[f32],
        (gradient, by_x): (&mut [f32], &mut Vec<f32>),
    ) {
        self.backward(theta, x, passes, output_gradient, gradient);
        self.layers[0].input_gradient(theta, &passes.deltas[0], by_x);
    }

    /// `∂y/∂θ·direction`, `[batch, outputs]`, at the last forward pass, `direction` `[P]`: Pearlmutter's R-operator,
    /// <https://doi.org/10.1162/neco.1994.6.1.147>.
    pub(crate) fn tangent<'a>(
        &self,
        theta: &[f32],
        direction: &[f32],
        x: &[f32],
        batch: usize,
        passes: &'a mut Passes,
    ) -> &'a [f32] {
        let Passes { outputs, sums, normalised, deltas, sigmoid, scratch, .. } = passes;
        deltas.resize_with(self.layers.len(), Vec::new);
        for (l, layer) in self.layers.iter().enumerate() {
            let (before, delta) = deltas.split_at_mut(l);
            let (input, input_tangent) = match before.last() {
                Some(tangent) => (&outputs[l - 1][..], Some(&tangent[..])),
                None => (x, None),
            };
            let delta = &mut delta[0];
            layer.tangent([theta, direction], input, input_tangent, batch, [&mut *delta, scratch]);
            if l + 1 < self.layers.len() {
                if self.layer_norm {
                    times_jacobian(delta, &normalised[l].0, &normalised[l].1);
                }
                times_derivative(self.activation, delta, &outputs[l], &sums[l], sigmoid);
            }
        }
        deltas.last().map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
