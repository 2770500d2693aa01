//! Outputs that no network gives: parameters of the distribution's own.

use std::ops::Range;

use candle_core::{Shape, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::distributions::{Distribution, OwnBlock};
use crate::layout::Layout;
use crate::{Params, Result};

/// Where a distribution's own parameters stand among all, and how they become the last of each row's outputs. Most have none.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnOutputs {
    place: usize,
    len: usize,
    initial: f32,
}

/// Where blocks of a distribution's own lie, beside those of whoever acts.
const PATH: &str = "actor";

impl OwnOutputs {
    /// Lays them out, after all other blocks so far.
    pub(super) fn push(distribution: &dyn Distribution, layout: &mut Layout) -> Self {
        distribution.own().map_or_else(Self::default, |own| Self {
            place: layout.push(format!("{PATH}.{}", own.name), &[own.len]),
            len: own.len,
            initial: own.initial,
        })
    }

    /// Fills them with what they begin at.
    pub(super) fn begin(&self, theta: &mut [f32]) {
        theta[self.place..self.place + self.len].fill(self.initial);
    }

    /// Their number.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Their values, of all parameters or of a gradient.
    pub(super) fn of<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.place..self.place + self.len]
    }

    /// Puts them after a network's outputs, `[B, n]`, under autograd.
    pub(super) fn after(&self, params: &Params, outputs: Tensor) -> Result<Tensor> {
        match self.len {
            0 => Ok(outputs),
            len => Ok(appended(outputs, Some(&params.read_only().narrow(0, self.place, len)?))?),
        }
    }

    /// Whole rows, and their length, from those of which the first `columns` of each `stride` are a network's outputs:
    /// these themselves where nothing is to come after.
    pub(super) fn rows<'a>(
        &self,
        theta: &[f32],
        (outputs, stride): (&'a [f32], usize),
        columns: usize,
        room: &'a mut Vec<f32>,
    ) -> (&'a [f32], usize) {
        if self.len == 0 {
            return (outputs, stride);
        }
        room.clear();
        for row in outputs.chunks_exact(stride) {
            room.extend_from_slice(&row[..columns]);
            room.extend_from_slice(self.of(theta));
        }
        (room, columns + self.len)
    }

    /// Adds derivatives by these outputs to a gradient, `[P]`.
    pub(super) fn add(&self, by_outputs: &[f32], gradient: &mut [f32]) {
        let own: Range<usize> = self.place..self.place + self.len;
        gradient[own].iter_mut().zip(by_outputs).for_each(|(g, d)| *g += d);
    }

    /// The way back of [`rows`](Self::rows): moves derivatives by these outputs into a gradient, `[P]`, and leaves rows of
    /// length `stride`, the first `columns` of each the derivatives by the network's outputs.
    pub(super) fn take(&self, by_outputs: &mut Vec<f32>, columns: usize, stride: usize, gradient: &mut [f32]) {
        if self.len == 0 {
            return;
        }
        let width = columns + self.len;
        let rows = by_outputs.len() / width;
        // A network has one output more than are the policy's, the value, or none: a row does not become longer.
        by_outputs.chunks_exact(width).for_each(|row| self.add(&row[columns..], gradient));
        (0..rows).for_each(|row| by_outputs.copy_within(row * width..row * width + columns, row * stride));
        by_outputs.truncate(rows * stride);
    }
}

/// A distribution's own block from a builder of parameters, as it begins.
pub(super) fn own_block(distribution: &dyn Distribution, vb: &VarBuilder<'_>) -> candle_core::Result<Option<Tensor>> {
    let own = |own: OwnBlock| vb.pp(PATH).get_with_hints(own.len, own.name, Init::Const(own.initial.into()));
    distribution.own().map(own).transpose()
}

/// Outputs `[B, n]` with the same numbers, `[len]`, after each row.
pub(super) fn appended(outputs: Tensor, own: Option<&Tensor>) -> candle_core::Result<Tensor> {
    let Some(own) = own else { return Ok(outputs) };
    let shape = Shape::from((outputs.dim(0)?, own.elem_count()));
    Tensor::cat(&[&outputs, &own.unsqueeze(0)?.broadcast_as(shape)?], 1)
}
