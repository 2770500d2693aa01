//! What an actor computes, as operations one after the other: what a policy is written to other programs from.

use super::Activation;
use crate::kernels::{Cnn, Conv, EPS, Layer, Mlp, Stage, Windows};

/// A linear layer.
///
/// ```math
///   y = W·x + b
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Length of `x`.
    pub inputs: usize,
    /// `W`, `[outputs, inputs]`.
    pub weight: Vec<f32>,
    /// `b`, `[outputs]`.
    pub bias: Vec<f32>,
}

impl Linear {
    /// The first `outputs` of a layer among all parameters.
    pub(super) fn of(theta: &[f32], layer: &Layer, outputs: usize) -> Self {
        let block = |from: usize, len: usize| theta[from..from + len].to_vec();
        let weight = block(layer.weight, outputs * layer.inputs);
        Self { inputs: layer.inputs, weight, bias: block(layer.bias, outputs) }
    }

    /// Length of `y`.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// Square windows that slide over images, channels last, with a border around each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliding {
    /// Rows of an image.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Pixels of a window's side.
    pub side: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Pixels of border.
    pub padding: usize,
}

impl Sliding {
    fn of(windows: &Windows) -> Self {
        let &Windows { height, width, channels, side, stride, padding } = windows;
        Self { height, width, channels, side, stride, padding }
    }

    /// Rows and columns of windows.
    #[must_use]
    pub fn places(&self) -> [usize; 2] {
        [self.height, self.width].map(|side| (side + 2 * self.padding - self.side) / self.stride + 1)
    }

    /// Numbers of an image.
    #[must_use]
    pub fn image(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// How a recurrent cell goes on from what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// [`GRU`](super::GRU): it remembers what it puts out.
    Gru,
    /// [`LSTM`](super::LSTM): it remembers what it puts out, and then its cells.
    Lstm,
}

impl Recurrence {
    /// How many arrays of `units` numbers it remembers.
    #[must_use]
    pub fn states(self) -> usize {
        match self {
            Self::Gru => 1,
            Self::Lstm => 2,
        }
    }
}

/// An operation from numbers `x` to numbers `y`, of one lane.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `y = clip((x − mean)·scale, ±clip)`, number by number.
    Normalise {
        /// What is taken off, `[D]`.
        mean: Vec<f32>,
        /// What is multiplied with, `[D]`.
        scale: Vec<f32>,
        /// How far `y` may lie from 0.
        clip: f32,
    },
    /// `y = factor·x`.
    Scale(f32),
    /// A linear layer.
    Linear(Linear),
    /// `y = (x − mean x)/√(var x + ε)·gain + bias`, over all numbers of `x`.
    LayerNorm {
        /// `ε`.
        eps: f32,
        /// Gain and bias, `[D]` each; none are 1 and 0.
        affine: Option<[Vec<f32>; 2]>,
    },
    /// An activation, number by number.
    Activation(Activation),
    /// Under each window a linear layer of its pixels, row by row, each pixel's channels side by side; in the border are zeros.
    Filters(Sliding, Linear),
    /// The largest number of each channel under each window; there is nothing in the border.
    Pool(Sliding),
    /// `x` plus what these make of it.
    Residual(Vec<Operation>),
    /// A recurrent cell: what it puts out, from what its layers make of `x` and of what it put out before. Gates are in torch's order.
    Cell {
        /// Which one.
        recurrence: Recurrence,
        /// From `x`, to all gates.
        input: Linear,
        /// From what it put out before, to all gates.
        recurrent: Linear,
    },
}

impl Operation {
    /// How many numbers it makes of so many.
    #[must_use]
    pub fn outputs(&self, inputs: usize) -> usize {
        match self {
            Self::Linear(layer) => layer.outputs(),
            Self::Filters(sliding, layer) => sliding.places().iter().product::<usize>() * layer.outputs(),
            Self::Pool(sliding) => sliding.places().iter().product::<usize>() * sliding.channels,
            Self::Cell { recurrent, .. } => recurrent.inputs,
            Self::Normalise { .. } | Self::Scale(_) | Self::LayerNorm { .. } => inputs,
            Self::Activation(_) | Self::Residual(_) => inputs,
        }
    }

    /// What a perceptron does, of whose last layer the first `outputs` are wanted.
    pub(super) fn of_mlp(theta: &[f32], net: &Mlp, outputs: usize) -> Vec<Self> {
        let mut operations = Vec::new();
        for (l, layer) in net.layers.iter().enumerate() {
            if l + 1 == net.layers.len() {
                operations.push(Self::Linear(Linear::of(theta, layer, outputs)));
                break;
            }
            operations.push(Self::Linear(Linear::of(theta, layer, layer.outputs)));
            operations.extend(net.layer_norm.then_some(Self::LayerNorm { eps: EPS, affine: None }));
            operations.push(Self::Activation(net.activation));
        }
        operations
    }

    /// What a convolutional network does, of whose last layer the first `outputs` are wanted.
    pub(super) fn of_cnn(theta: &[f32], net: &Cnn, outputs: usize) -> Vec<Self> {
        let relu = || Self::Activation(Activation::Relu);
        let filters =
            |conv: &Conv| Self::Filters(Sliding::of(&conv.windows), Linear::of(theta, &conv.layer, conv.layer.outputs));
        let stage = |stage: &Stage| match stage {
            Stage::Conv(conv) => filters(conv),
            Stage::Relu => relu(),
            Stage::Pool(windows) => Self::Pool(Sliding::of(windows)),
            Stage::Residual(first, second) => Self::Residual(vec![relu(), filters(first), relu(), filters(second)]),
        };
        let stages = net.stages.iter().map(stage);
        [Self::Scale(net.scale)].into_iter().chain(stages).chain(Self::of_mlp(theta, &net.tail, outputs)).collect()
    }
}
