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
    /// The numbers of an image, and of what each stage makes of it.
    inputs: usize,
    sizes: Vec<usize>,
    /// All filters, in order.
    filters: Vec<Layer>,
    share: usize,
    /// Images that go through all stages together.
    group: usize,
}

/// The weights of filters and perceptron as passes take them.
#[derive(Debug, Default)]
pub(crate) struct TurnedCnn {
    filters: Transposed,
    tail: Transposed,
    /// The perceptron's first, by columns: for passes backward alone.
    first: Transposed,
}

/// What passes over a batch leave behind, and room for the next.
#[derive(Debug, Default)]
pub(crate) struct CnnPasses {
    /// Images on scale.
    images: Vec<f32>,
    kept: Vec<Kept>,
    tail: Passes,
    /// `∂L/∂` what the last stage put out, all of a batch.
    by_flat: Vec<f32>,
    /// `∂L/∂` what the stage at hand put out, and took.
    delta: Vec<f32>,
    previous: Vec<f32>,
    /// The same within a residual block.
    inner: [Vec<f32>; 2],
    /// For each of the filters.
    rooms: Vec<Room>,
    put_off: PutOff,
}

/// Rows that the gradient of the perceptron's first weight is yet to be made of.
#[derive(Debug, Default)]
struct PutOff {
    /// `[rows, inputs]`.
    x: Vec<f32>,
    /// `∂L/∂` what its layer put out, `[rows, outputs]`.
    delta: Vec<f32>,
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

    /// Forgets what was put off.
    pub(crate) fn begin(&mut self) {
        self.put_off.x.clear();
        self.put_off.delta.clear();
    }

    /// Takes what others have put off after its own.
    pub(crate) fn join(&mut self, other: &Self) {
        self.put_off.x.extend_from_slice(&other.put_off.x);
        self.put_off.delta.extend_from_slice(&other.put_off.delta);
    }
}

/// Numbers that a share of a minibatch keeps: enough that the perceptron's products are large.
const SHARE: usize = 5 << 17;
/// The least and the most images of a share.
const IMAGES: (usize, usize) = (8, 256);
/// Numbers of images that go through all stages together: they stay in the second cache, and products have rows enough.
const GROUP: usize = 3 << 16;

/// What no rectifier needs.
const NOTHING: &[f32] = &[];

impl Cnn {
    pub(crate) fn new(scale: f32, inputs: usize, stages: Vec<Stage>, tail: Mlp) -> Self {
        let filters = stages.iter().flat_map(Stage::convs).map(|conv| conv.layer).collect();
        let (mut sizes, mut kept) = (Vec::with_capacity(stages.len()), 0);
        for stage in &stages {
            let before = sizes.last().copied().unwrap_or(inputs);
            let (size, keeps) = match stage {
                Stage::Conv(conv) => (conv.outputs(), conv.outputs()),
                Stage::Pool(windows) => (windows.count() * windows.channels, windows.count() * windows.channels),
                Stage::Residual(..) => (before, 3 * before),
                Stage::Relu => (before, 0),
            };
            sizes.push(size);
            kept += keeps;
        }
        let share = (SHARE / kept.max(1)).clamp(IMAGES.0, IMAGES.1);
        // Without stages all images go to the perceptron at once.
        let group = if stages.is_empty() { usize::MAX } else { (GROUP / (inputs + kept)).max(1) };
        Self { scale, stages, tail, inputs, sizes, filters, share, group }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.tail.outputs()
    }

    /// Images that are worth a share of their own.
    pub(crate) fn share(&self) -> usize {
        self.share
    }

    /// Where its parameters stand among all.
    pub(crate) fn places(&self) -> Range<usize> {
        places(self.filters.iter().chain(&self.tail.layers))
    }

    /// Images that go through together: so many that the perceptron's products are large, so few that what is kept of them is not.
    pub(crate) fn block(&self) -> usize {
        2 * self.share
    }

    /// Turns the weights round for passes forward, unless they are those of these parameters already.
    pub(crate) fn turn(&self, turned: &mut TurnedCnn, theta: &[f32], version: &Version) {
        turned.filters.update_by(&self.filters, version, |layer, turned| layer.turn_all(theta, turned));
        turned.tail.update(&self.tail, theta, version);
    }

    /// The same for passes backward as well.
    pub(crate) fn turn_for_learning(&self, turned: &mut TurnedCnn, theta: &[f32], version: &Version) {
        self.turn(turned, theta, version);
        turned.first.update_by(&self.tail.layers[..1], version, |layer, panels| layer.weight_by_columns(theta, panels));
    }

    /// Which stage's output a stage takes; none takes the images. A rectifier's stands in the place of what it took.
    fn before(&self, stage: usize) -> Option<usize> {
        let rectifiers = self.stages[..stage].iter().rev().take_while(|stage| **stage == Stage::Relu).count();
        stage.checked_sub(1).map(|last| last - rectifiers.min(last))
    }

    /// Replaces what is kept in `passes` by that of `batch` images; `turned` is of these parameters.
    pub(crate) fn forward(&self, theta: &[f32], turned: &TurnedCnn, x: &[f32], batch: usize, passes: &mut CnnPasses) {
        let CnnPasses { images, kept, tail, rooms, .. } = passes;
        kept.resize_with(self.stages.len(), Kept::default);
        rooms.resize_with(self.filters.len(), Room::default);
        for first in (0..batch).step_by(self.group) {
            let group = first..(first + self.group.min(batch)).min(batch);
            scaled(&x[group.start * self.inputs..group.end * self.inputs], self.scale, images);
            let mut filters = turned.filters.weights().zip(&mut *rooms);
            for (s, (stage, size)) in self.stages.iter().zip(&self.sizes).enumerate() {
                let before = self.before(s);
                let x_len = s.checked_sub(1).map_or(self.inputs, |before| self.sizes[before]);
                let (numbers, taken) = (group.start * size..group.end * size, group.start * x_len..group.end * x_len);
                let (earlier, rest) = kept.split_at_mut(s);
                if let (Stage::Relu, Some(before)) = (stage, before) {
                    activate(Activation::Relu, &mut earlier[before].output[numbers], &mut Vec::new());
                    continue;
                }
                let x = before.map_or(&images[..], |before| &earlier[before].output[taken.clone()]);
                let Kept { output, chosen, taken: [first_taken, second_taken] } = &mut rest[0];
                output.resize(batch * size, 0.0);
                let output = &mut output[numbers.clone()];
                let mut filtered = |conv: &Conv, x: &[f32], out: &mut [f32]| {
                    if let Some((turned, room)) = filters.next() {
                        conv.forward((theta, turned), x, out, room);
                    }
                };
                match stage {
                    Stage::Conv(conv) => filtered(conv, x, output),
                    Stage::Relu => rectified(x, output),
                    Stage::Pool(windows) => {
                        chosen.resize(batch * size, 0);
                        windows.largest(x, output, &mut chosen[numbers]);
                    }
                    Stage::Residual(first, second) => {
                        first_taken.resize(batch * size, 0.0);
                        second_taken.resize(batch * size, 0.0);
                        let taken = [&mut first_taken[numbers.clone()], &mut second_taken[numbers]];
                        let [first_taken, second_taken] = taken;
                        rectified(x, first_taken);
                        filtered(first, first_taken, second_taken);
                        activate(Activation::Relu, second_taken, &mut Vec::new());
                        filtered(second, second_taken, output);
                        add(output, x);
                    }
                }
            }
        }
        let flat = self.flat(images, kept, batch);
        self.tail.forward(theta, &turned.tail, flat, batch, tail);
    }

    /// `[batch, numbers]`: what the perceptron takes.
    fn flat<'a>(&self, images: &'a [f32], kept: &'a [Kept], batch: usize) -> &'a [f32] {
        match self.before(self.stages.len()) {
            Some(last) => &kept[last].output[..batch * self.sizes[self.sizes.len() - 1]],
            None => &images[..batch * self.inputs],
        }
    }

    /// Given `∂L/∂y` of the last forward pass, that of `x`, adds `∂L/∂θ` to this network's places of `gradient`, `[P]`, but for those
    /// that are put off.
    pub(crate) fn backward(
        &self,
        (theta, turned): (&[f32], &TurnedCnn),
        x: &[f32],
        passes: &mut CnnPasses,
        output_gradient: &[f32],
        gradient: &mut [f32],
    ) {
        let CnnPasses { images, kept, tail, by_flat, delta, previous, inner, rooms, put_off } = passes;
        let batch = x.len() / self.inputs;
        let by_first = self.tail.backward_to_first(theta, tail, output_gradient, gradient);
        let layer = &self.tail.layers[0];
        layer.add_bias_gradient(by_first, gradient);
        put_off.x.extend_from_slice(self.flat(images, kept, batch));
        put_off.delta.extend_from_slice(by_first);
        if self.filters.is_empty() {
            return;
        }
        layer.input_gradient_by(turned.first.weight(0), by_first, by_flat);
        let [by_second, by_first] = inner;
        let convs = self.stages.iter().flat_map(Stage::convs).zip(&mut *rooms);
        convs.for_each(|(conv, room)| conv.begin(room));
        for first in (0..batch).step_by(self.group) {
            let group = first..(first + self.group).min(batch);
            let of = |numbers: usize| group.start * numbers..group.end * numbers;
            delta.clear();
            delta.extend_from_slice(&by_flat[of(layer.inputs)]);
            if matches!(self.stages[0], Stage::Conv(_)) {
                scaled(&x[of(self.inputs)], self.scale, images);
            }
            let mut filter = self.filters.len();
            for (s, (stage, &size)) in self.stages.iter().zip(&self.sizes).enumerate().rev() {
                let x_len = s.checked_sub(1).map_or(self.inputs, |before| self.sizes[before]);
                let x = self.before(s).map_or(&images[..], |before| &kept[before].output[of(x_len)]);
                filter -= stage.convs().count();
                let rooms = &mut rooms[filter..];
                let Kept { output, chosen, taken } = &kept[s];
                match stage {
                    Stage::Conv(conv) => {
                        conv.add_gradient(x, delta, &mut rooms[0]);
                        // Images are data.
                        if s > 0 {
                            conv.input_gradient(theta, delta, previous, &mut rooms[0]);
                            std::mem::swap(delta, previous);
                        }
                    }
                    Stage::Relu => {
                        let output = self.before(s).map_or(output, |before| &kept[before].output);
                        times_derivative(Activation::Relu, delta, &output[of(size)], NOTHING, previous);
                    }
                    Stage::Pool(windows) => {
                        windows.give_back(delta, &chosen[of(size)], group.len(), previous);
                        std::mem::swap(delta, previous);
                    }
                    Stage::Residual(first, second) => {
                        let [first_taken, second_taken] = [&taken[0][of(size)], &taken[1][of(size)]];
                        second.add_gradient(second_taken, delta, &mut rooms[1]);
                        second.input_gradient(theta, delta, by_second, &mut rooms[1]);
                        times_derivative(Activation::Relu, by_second, second_taken, NOTHING, previous);
                        first.add_gradient(first_taken, by_second, &mut rooms[0]);
                        first.input_gradient(theta, by_second, by_first, &mut rooms[0]);
                        times_derivative(Activation::Relu, by_first, first_taken, NOTHING, previous);
                        add(delta, by_first);
                    }
                }
            }
        }
        let convs = self.stages.iter().flat_map(Stage::convs).zip(rooms);
        convs.for_each(|(conv, room)| conv.take_gradient(gradient, room));
    }

    /// The places among the parameters whose gradient is put off, until one product of all rows makes it: a weight of many numbers
    /// is not added to again and again.
    pub(crate) fn put_off(&self) -> Range<usize> {
        self.tail.layers[0].weight_range()
    }

    /// Rows of that weight, and numbers in each.
    pub(crate) fn put_off_shape(&self) -> [usize; 2] {
        let Layer { inputs, outputs, .. } = self.tail.layers[0];
        [outputs, inputs]
    }

    /// Replaces some rows of that gradient by what was put off.
    pub(crate) fn make_up(&self, passes: &CnnPasses, rows: Range<usize>, gradient: &mut [f32]) {
        let PutOff { x, delta } = &passes.put_off;
        self.tail.layers[0].gradient_rows(x, delta, rows, gradient);
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
fn rectified(x: &[f32], to: &mut [f32]) {
    vectorised(
        #[inline(always)]
        move || to.iter_mut().zip(x).for_each(|(to, x)| *to = x.max(0.0)),
    );
}
