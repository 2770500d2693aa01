//! Filters over images: forward, and backward to filters and images.

use std::ops::Range;

use super::layer::Layer;
use super::windows::Windows;

/// A linear layer over what lies under each window: `[B, height, width, channels]` to `[B, rows, columns, filters]`.
///
/// Its weight is `[filters, side·side·channels]`, a filter row by row, pixel by pixel, channels last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conv {
    pub(crate) windows: Windows,
    pub(crate) layer: Layer,
}

/// Room for what lies under some windows, and for what is made of it.
#[derive(Debug, Default)]
pub(crate) struct Room {
    under: Vec<f32>,
    sums: Vec<f32>,
    product: Vec<f32>,
}

/// Numbers under windows that are gathered at a time: so few that they stay in the cache between being copied and used.
const GATHERED: usize = 1 << 14;

impl Conv {
    /// Windows over so many images, some at a time.
    fn parts(&self, batch: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = batch * self.windows.count();
        // A multiple of the rows of a product's tile.
        let some = (GATHERED / self.windows.len()).max(1).next_multiple_of(12);
        (0..count).step_by(some).map(move |start| start..(start + some).min(count))
    }

    /// Numbers of an image that it puts out.
    pub(crate) fn outputs(&self) -> usize {
        self.windows.count() * self.layer.outputs
    }

    /// `out = filters of x, and their biases`; `transposed` is the layer's weight turned round.
    pub(super) fn forward(
        &self,
        theta: &[f32],
        transposed: &[f32],
        x: &[f32],
        batch: usize,
        (out, room): (&mut Vec<f32>, &mut Room),
    ) {
        let o = self.layer.outputs;
        out.resize(batch * self.outputs(), 0.0);
        for part in self.parts(batch) {
            self.windows.gather(x, part.clone(), &mut room.under);
            let out = &mut out[part.start * o..part.end * o];
            self.layer.forward_to(theta, transposed, &room.under, part.len(), out);
        }
    }

    /// Given `∂L/∂out`, adds what is due to filters and biases to this layer's places of `gradient`, `[P]`.
    pub(super) fn add_gradient(&self, x: &[f32], batch: usize, delta: &[f32], gradient: &mut [f32], room: &mut Room) {
        let (o, Room { under, sums, product }) = (self.layer.outputs, room);
        sums.clear();
        sums.resize((self.windows.len() + 1) * o, 0.0);
        for part in self.parts(batch) {
            self.windows.gather(x, part.clone(), under);
            self.layer.add_gradient_turned(under, &delta[part.start * o..part.end * o], sums, product);
        }
        self.layer.take_turned(sums, gradient);
    }

    /// Replaces `by_x` by `∂L/∂x`.
    pub(super) fn input_gradient(
        &self,
        theta: &[f32],
        batch: usize,
        delta: &[f32],
        by_x: &mut Vec<f32>,
        room: &mut Room,
    ) {
        let o = self.layer.outputs;
        by_x.clear();
        by_x.resize(batch * self.windows.image(), 0.0);
        for part in self.parts(batch) {
            self.layer.input_gradient(theta, &delta[part.start * o..part.end * o], &mut room.under);
            self.windows.scatter(&room.under, part, by_x);
        }
    }
}
