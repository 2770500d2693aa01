//! Outputs that no last layer gives: the actor's features, and parameters of the distribution's own.

use std::ops::Range;

use candle_core::{DType, Shape, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::distributions::{Distribution, OwnBlock};
use crate::layout::Layout;
use crate::{Params, Result};

/// Where a distribution's own parameters stand among all, and how features and they become the last of each row's outputs. Most
/// have neither.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnOutputs {
    place: usize,
    len: usize,
    initial: f32,
    /// `F`, the features that stand before them.
    features: usize,
}

/// Where blocks of a distribution's own lie, beside those of whoever acts.
const PATH: &str = "actor";

impl OwnOutputs {
    /// Lays them out, after all other blocks so far.
    pub(super) fn push(distribution: &dyn Distribution, layout: &mut Layout) -> Self {
        let features = distribution.features();
        distribution.own().map_or(Self { features, ..Self::default() }, |own| Self {
            place: layout.push(format!("{PATH}.{}", own.name), &[own.len]),
            len: own.len,
            initial: own.initial,
            features,
        })
    }

    /// Fills them with what they begin at.
    pub(super) fn begin(&self, theta: &mut [f32]) {
        theta[self.places()].fill(self.initial);
    }

    /// How many outputs come after a network's: `F` features, and those of its own.
    pub(super) fn len(&self) -> usize {
        self.features + self.len
    }

    /// `F`, how many features come after a network's outputs.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Where its own parameters stand among all.
    pub(super) fn places(&self) -> Range<usize> {
        self.place..self.place + self.len
    }

    /// Their values, of all parameters or of a gradient.
    pub(super) fn of<'a>(&self, theta: &'a [f32]) -> &'a [f32] {
        &theta[self.places()]
    }

    /// Puts them after a network's outputs, `[B, n]`, under autograd, and before them what its actor's last hidden layer puts out,
    /// `[B, F]`, where that is read: all of f32, which they themselves always are.
    pub(super) fn after(&self, params: &Params, outputs: Tensor, hidden: Option<&Tensor>) -> Result<Tensor> {
        let outputs = match hidden.filter(|_| self.features > 0) {
            Some(hidden) => Tensor::cat(&[&outputs, hidden], 1)?,
            None => outputs,
        };
        let outputs = outputs.to_dtype(DType::F32)?;
        match self.len {
            0 => Ok(outputs),
            len => Ok(appended(outputs, Some(&params.read_only().narrow(0, self.place, len)?))?),
        }
    }

    /// Adds a whole row to `rows`: a network's outputs, the row's features of `hidden`, `[B, F]`, and these. Where no features are
    /// read, `hidden` is let be.
    pub(super) fn push_row(&self, theta: &[f32], (row, outputs): (usize, &[f32]), hidden: &[f32], rows: &mut Vec<f32>) {
        rows.extend_from_slice(outputs);
        rows.extend_from_slice(&hidden[row * self.features..(row + 1) * self.features]);
        rows.extend_from_slice(self.of(theta));
    }

    /// Whole rows, and their length, from those of which the first `columns` of each `stride` are a network's outputs, and from
    /// features `[B, F]`: the former themselves where nothing is to come after.
    pub(super) fn rows<'a>(
        &self,
        theta: &[f32],
        (outputs, stride): (&'a [f32], usize),
        columns: usize,
        hidden: &[f32],
        room: &'a mut Vec<f32>,
    ) -> (&'a [f32], usize) {
        if self.len() == 0 {
            return (outputs, stride);
        }
        let (width, own) = (columns + self.len(), self.of(theta));
        room.resize(outputs.len() / stride * width, 0.0);
        // Number by number: a row has few, and there are many rows.
        for (row, (to, outputs)) in room.chunks_exact_mut(width).zip(outputs.chunks_exact(stride)).enumerate() {
            let features = &hidden[row * self.features..(row + 1) * self.features];
            let from = outputs[..columns].iter().chain(features).chain(own);
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        (room, width)
    }

    /// Adds derivatives by the outputs after a network's to a gradient, `[P]`: into features none goes.
    pub(super) fn add(&self, by_outputs: &[f32], gradient: &mut [f32]) {
        gradient[self.places()].iter_mut().zip(&by_outputs[self.features..]).for_each(|(g, d)| *g += d);
    }

    /// The way back of [`rows`](Self::rows): moves derivatives by these outputs into a gradient, `[P]`, and leaves rows of
    /// length `stride`, the first `columns` of each the derivatives by the network's outputs.
    pub(super) fn take(&self, by_outputs: &mut Vec<f32>, columns: usize, stride: usize, gradient: &mut [f32]) {
        if self.len() == 0 {
            return;
        }
        let width = columns + self.len();
        let rows = by_outputs.len() / width;
        // A network has one output more than are the policy's, the value, or none: a row does not become longer.
        let own = &mut gradient[self.places()];
        for (index, sum) in own.iter_mut().enumerate() {
            let column = by_outputs.chunks_exact(width).map(|row| row[columns + self.features + index]);
            *sum = column.fold(*sum, |sum, d| sum + d);
        }
        for row in 0..rows {
            (0..columns).for_each(|column| by_outputs[row * stride + column] = by_outputs[row * width + column]);
        }
        by_outputs.truncate(rows * stride);
    }
}

/// A distribution's own block from a builder of parameters, of f32, as it begins.
pub(super) fn own_block(distribution: &dyn Distribution, vb: &VarBuilder<'_>) -> candle_core::Result<Option<Tensor>> {
    let own = |own: OwnBlock| {
        vb.pp(PATH).get_with_hints_dtype(own.len, own.name, Init::Const(own.initial.into()), DType::F32)
    };
    distribution.own().map(own).transpose()
}

/// Outputs `[B, n]` with the same numbers, `[len]`, after each row.
pub(super) fn appended(outputs: Tensor, own: Option<&Tensor>) -> candle_core::Result<Tensor> {
    let Some(own) = own else { return Ok(outputs) };
    let shape = Shape::from((outputs.dim(0)?, own.elem_count()));
    Tensor::cat(&[&outputs, &own.unsqueeze(0)?.broadcast_as(shape)?], 1)
}
