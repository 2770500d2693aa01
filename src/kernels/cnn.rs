//! A network of images on the host: filters and what stands between them, then a perceptron.

use std::ops::Range;

use super::activation::Activation;
use super::conv::{Conv, Room};
use super::layer::{Layer, activate, places, times_derivative};
use super::mlp::{Mlp, Passes, Transposed};
use super::vector::{add, vectorised};
use super::windows::Windows;
use crate::params::Version;

/// A step from images to images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Filters.
    Conv(Conv),
    /// `max(x, 0)`.
    Relu,
    /// The largest number of each channel under each window.
    Pool(Windows),
    /// `x + second(relu(first(relu(x))))`: He et al. 2016, <https://arxiv.org/abs/1603.05027>.
    Residual(Conv, Conv),
}

impl Stage {
    /// Its filters.
    fn convs(&self) -> impl Iterator<Item = &Conv> {
        let (first, second) = match self {
            Self::Conv(conv) => (Some(conv), None),
            Self::Residual(first, second) => (Some(first), Some(second)),
            Self::Relu | Self::Pool(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// Images `[B, height, width, channels]` times `scale`, through stages, and as flat numbers through a perceptron.
#[derive(Debug)]
pub(crate) struct Cnn {
    pub(crate) scale: f32,
    pub(crate) stages: Vec<Stage>,
    pub(crate) tail: Mlp,
    /// The numbers of an image.
    inputs: usize,
    /// All filters, in order.
    filters: Vec<Layer>,
    /// Images that go through together.
    block: usize,
}

/// The weights of filters and perceptron turned round.
#[derive(Debug, Default)]
pub(crate) struct TurnedCnn {
    filters: Transposed,
    tail: Transposed,
}

/// What passes over a batch leave behind, and room for the next.
#[derive(Debug, Default)]
pub(crate) struct CnnPasses {
    /// `[batch, inputs]`: images on scale.
    images: Vec<f32>,
    kept: Vec<Kept>,
    tail: Passes,
    /// `∂L/∂` what the stage at hand put out, and took.
    delta: Vec<f32>,
    previous: Vec<f32>,
    /// The same within a residual block.
    inner: [Vec<f32>; 2],
    room: Room,
}

/// What a stage keeps.
#[derive(Debug, Default)]
struct Kept {
    output: Vec<f32>,
    /// Which pixel of a window was the largest.
    chosen: Vec<u8>,
    /// What each of a residual block's filters took.
    taken: [Vec<f32>; 2],
}

impl CnnPasses {
    /// `[batch, outputs]` of the last forward pass.
    pub(crate) fn output(&self) -> &[f32] {
        self.tail.output()
    }
}

/// Numbers of images and stages that are kept of a block: a few megabytes, in which products are large enough.
const KEPT: usize = 1 << 20;
/// The least and the most images of a block.
const IMAGES: (usize, usize) = (8, 256);

/// What no rectifier needs.
const NOTHING: &[f32] = &[];

impl Cnn {
    pub(crate) fn new(scale: f32, inputs: usize, stages: Vec<Stage>, tail: Mlp) -> Self {
        let filters = stages.iter().flat_map(Stage::convs).map(|conv| conv.layer).collect();
        let mut widest = inputs;
        let mut of_stage = |stage: &Stage| {
            widest = match stage {
                Stage::Conv(conv) => conv.outputs(),
                Stage::Pool(windows) => windows.count() * windows.channels,
                Stage::Residual(..) => return 3 * widest,
                Stage::Relu => widest,
            };
            widest
        };
        let kept = inputs + stages.iter().map(&mut of_stage).sum::<usize>();
        let block = (KEPT / kept).clamp(IMAGES.0, IMAGES.1);
        Self { scale, stages, tail, inputs, filters, block }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.tail.outputs()
    }

    /// Images that go through together: so many that products are large, so few that what is kept of them is not.
    pub(crate) fn block(&self) -> usize {
        self.block
    }

    /// Where its parameters stand among all.
    pub(crate) fn places(&self) -> Range<usize> {
        places(self.filters.iter().chain(&self.tail.layers))
    }

    /// Turns the weights round, unless they are those of these parameters already.
    pub(crate) fn turn(&self, turned: &mut TurnedCnn, theta: &[f32], version: &Version) {
        turned.filters.update_all(&self.filters, theta, version);
        turned.tail.update(&self.tail, theta, version);
    }

    /// Replaces what is kept in `passes` by that of `batch` images; `turned` is of these parameters.
    pub(crate) fn forward(&self, theta: &[f32], turned: &TurnedCnn, x: &[f32], batch: usize, passes: &mut CnnPasses) {
        let CnnPasses { images, kept, tail, room, .. } = passes;
        kept.resize_with(self.stages.len(), Kept::default);
        scaled(x, self.scale, images);
        let mut weights = turned.filters.weights();
        let mut filters = || weights.next().unwrap_or_default();
        for (s, stage) in self.stages.iter().enumerate() {
            let (before, rest) = kept.split_at_mut(s);
            let x = before.last().map_or(&images[..], |kept| &kept.output);
            let Kept { output, chosen, taken: [first_taken, second_taken] } = &mut rest[0];
            match stage {
                Stage::Conv(conv) => conv.forward(theta, filters(), x, batch, (output, room)),
                Stage::Relu => rectified(x, output),
                Stage::Pool(windows) => windows.largest(x, batch, output, chosen),
                Stage::Residual(first, second) => {
                    rectified(x, first_taken);
                    first.forward(theta, filters(), first_taken, batch, (second_taken, room));
                    activate(Activation::Relu, second_taken, &mut Vec::new());
                    second.forward(theta, filters(), second_taken, batch, (output, room));
                    add(output, x);
                }
            }
        }
        let flat = kept.last().map_or(&images[..], |kept| &kept.output);
        self.tail.forward(theta, &turned.tail, flat, batch, tail);
    }

    /// Given `∂L/∂y` of the last forward pass, adds `∂L/∂θ` to this network's places of `gradient`, `[P]`.
    pub(crate) fn backward(
        &self,
        theta: &[f32],
        passes: &mut CnnPasses,
        output_gradient: &[f32],
        gradient: &mut [f32],
    ) {
        let CnnPasses { images, kept, tail, delta, previous, inner: [by_second, by_first], room } = passes;
        let batch = images.len() / self.inputs;
        let flat = kept.last().map_or(&images[..], |kept| &kept.output);
        if self.stages.is_empty() {
            self.tail.backward(theta, flat, tail, output_gradient, gradient);
            return;
        }
        self.tail.backward_to_input(theta, flat, tail, output_gradient, (gradient, delta));
        for (s, stage) in self.stages.iter().enumerate().rev() {
            let x = s.checked_sub(1).map_or(&images[..], |before| &kept[before].output);
            let Kept { output, chosen, taken: [first_taken, second_taken] } = &kept[s];
            match stage {
                Stage::Conv(conv) => {
                    conv.add_gradient(x, batch, delta, gradient, room);
                    // Images are data.
                    if s > 0 {
                        conv.input_gradient(theta, batch, delta, previous, room);
                        std::mem::swap(delta, previous);
                    }
                }
                Stage::Relu => times_derivative(Activation::Relu, delta, output, NOTHING, previous),
                Stage::Pool(windows) => {
                    windows.give_back(delta, chosen, batch, previous);
                    std::mem::swap(delta, previous);
                }
                Stage::Residual(first, second) => {
                    second.add_gradient(second_taken, batch, delta, gradient, room);
                    second.input_gradient(theta, batch, delta, by_second, room);
                    times_derivative(Activation::Relu, by_second, second_taken, NOTHING, previous);
                    first.add_gradient(first_taken, batch, by_second, gradient, room);
                    first.input_gradient(theta, batch, by_second, by_first, room);
                    times_derivative(Activation::Relu, by_first, first_taken, NOTHING, previous);
                    add(delta, by_first);
                }
            }
        }
    }
}

/// Replaces `to` by `scale·x`.
fn scaled(x: &[f32], scale: f32, to: &mut Vec<f32>) {
    to.resize(x.len(), 0.0);
    vectorised(
        #[inline(always)]
        move || to.iter_mut().zip(x).for_each(|(to, x)| *to = scale * x),
    );
}

/// Replaces `to` by `max(x, 0)`.
fn rectified(x: &[f32], to: &mut Vec<f32>) {
    to.resize(x.len(), 0.0);
    vectorised(
        #[inline(always)]
        move || to.iter_mut().zip(x).for_each(|(to, x)| *to = x.max(0.0)),
    );
}
