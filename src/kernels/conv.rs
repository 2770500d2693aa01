//! Filters over images: forward, and backward to filters and images.
//!
//! What lies under windows is never copied together: each product finds the numbers of its left factor, or of what it adds to, where
//! they are in the images.

use super::layer::Layer;
use super::places::{Ascending, At, Every, Next};
use super::product::{Left, Right, Start, product};
use super::vector::{add, vectorised};
use super::windows::Windows;

/// A linear layer over what lies under each window: `[B, height, width, channels]` to `[B, rows, columns, filters]`.
///
/// Its weight is `[filters, side·side·channels]`, a filter row by row, pixel by pixel, channels last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conv {
    pub(crate) windows: Windows,
    pub(crate) layer: Layer,
}

/// Where the windows of a layer lie, and what its passes need room for.
#[derive(Debug, Default)]
pub(super) struct Room {
    of: Option<Windows>,
    /// Where each window over some images begins, and where each number under one is from there.
    corners: Ascending,
    under: Ascending,
    /// Images within their border, and `∂L/∂` them.
    bordered: Vec<f32>,
    by_bordered: Vec<f32>,
    /// What is due to filters, turned round, and biases.
    weight: Vec<f32>,
    bias: Vec<f32>,
    turned: Vec<f32>,
}

impl Room {
    /// Knows where these windows over so many images lie.
    fn find(&mut self, windows: &Windows, images: usize) {
        let windows = windows.with_border();
        if self.of != Some(windows) {
            self.of = Some(windows);
            self.corners.clear();
            self.under.clear();
            self.under.extend(windows.under());
        }
        let known = self.corners.places().len();
        self.corners.extend((known..images * windows.count()).map(|i| windows.corner(i)));
    }
}

impl Conv {
    /// Numbers of an image that it puts out.
    pub(crate) fn outputs(&self) -> usize {
        self.windows.count() * self.layer.outputs
    }

    /// `out = filters of x, and their biases`; `turned` is the layer's weight turned round.
    pub(super) fn forward(&self, (theta, turned): (&[f32], &[f32]), x: &[f32], out: &mut [f32], room: &mut Room) {
        let (o, images) = (self.layer.outputs, x.len() / self.windows.image());
        room.find(&self.windows, images);
        let numbers = self.windows.bordered(x, &mut room.bordered);
        let left = Left { numbers, rows: At(&room.corners), depths: At(&room.under) };
        let shape = [images * self.windows.count(), self.windows.len(), o];
        let (start, right) = (Start::Row(self.layer.bias(theta)), Right::Rows(turned, o));
        product((out, Every(o)), start, left, right, shape);
    }

    /// Begins with nothing that is due to filters and biases.
    pub(super) fn begin(&self, room: &mut Room) {
        room.weight.clear();
        room.weight.resize(self.windows.len() * self.layer.outputs, 0.0);
        room.bias.clear();
        room.bias.resize(self.layer.outputs, 0.0);
    }

    /// Given `∂L/∂out`, adds what is due to filters and biases.
    pub(super) fn add_gradient(&self, x: &[f32], delta: &[f32], room: &mut Room) {
        let (o, images) = (self.layer.outputs, x.len() / self.windows.image());
        room.find(&self.windows, images);
        let numbers = self.windows.bordered(x, &mut room.bordered);
        let left = Left { numbers, rows: At(&room.under), depths: At(&room.corners) };
        let shape = [self.windows.len(), images * self.windows.count(), o];
        product((&mut room.weight, Every(o)), Start::Output, left, Right::Rows(delta, o), shape);
        let bias = &mut room.bias[..];
        vectorised(
            #[inline(always)]
            move || delta.chunks_exact(o).for_each(|row| bias.iter_mut().zip(row).for_each(|(s, d)| *s += d)),
        );
    }

    /// Adds what is due to filters and biases to this layer's places of `gradient`, `[P]`.
    pub(super) fn take_gradient(&self, gradient: &mut [f32], room: &mut Room) {
        self.layer.add_turned(&room.weight, gradient, &mut room.turned);
        add(self.layer.bias_mut(gradient), &room.bias);
    }

    /// Replaces `by_x` by `∂L/∂x`: pixel by pixel of the windows, what it is due through each of them.
    pub(super) fn input_gradient(&self, theta: &[f32], delta: &[f32], by_x: &mut Vec<f32>, room: &mut Room) {
        let (o, c, images) = (self.layer.outputs, self.windows.channels, delta.len() / self.outputs());
        room.find(&self.windows, images);
        let windows = self.windows.with_border();
        let by = if self.windows.padding == 0 { &mut *by_x } else { &mut room.by_bordered };
        by.clear();
        by.resize(images * windows.image(), 0.0);
        let left = Left { numbers: delta, rows: Every(o), depths: Next };
        let shape = [images * windows.count(), o, c];
        for (pixel, &place) in room.under.places().iter().step_by(c).enumerate() {
            let right = Right::Rows(&self.layer.weight(theta)[pixel * c..], windows.len());
            product((&mut by[place..], At(&room.corners)), Start::Output, left, right, shape);
        }
        if self.windows.padding > 0 {
            self.windows.without_border(&room.by_bordered, by_x);
        }
    }
}
