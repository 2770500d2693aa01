//! The gated recurrent unit, and the model of it by its word.

use candle_core::Tensor;

use super::ops::{sigmoid, tanh};
use super::recurrent_model::{PARAMS, layout, made};
use super::{Cell, Make, Recurrence, Row};
use crate::Result;

/// Gates in torch's order: reset, update, new.
///
/// ```math
///   r = σ(W_ir·x + b_ir + W_hr·h + b_hr)
///   z = σ(W_iz·x + b_iz + W_hz·h + b_hz)
///   n = tanh(W_in·x + b_in + r⊙(W_hn·h + b_hn))
///   h' = (1 − z)⊙n + z⊙h
/// ```
///
/// Cho et al. 2014, <https://arxiv.org/abs/1406.1078>, in the form of
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>.
pub const CELL: Cell = Cell { name: "gru", gates: 3, states: 1, next, recurrence: Recurrence::Gru, is_fused: true };

fn next(from_input: &Tensor, from_memory: &Tensor, memory: &Tensor) -> Result<Tensor> {
    let units = memory.dim(1)?;
    let both = |gate: usize, count: usize| {
        let part = |gates: &Tensor| gates.narrow(1, gate * units, count * units);
        Ok::<_, crate::Error>((part(from_input)?, part(from_memory)?))
    };
    let (x, h) = both(0, 2)?;
    let reset_and_update = sigmoid(&(x + h)?)?;
    let (reset, update) = (reset_and_update.narrow(1, 0, units)?, reset_and_update.narrow(1, units, units)?);
    let (x, h) = both(2, 1)?;
    let new = tanh(&(x + (reset * h)?)?)?;
    Ok((&new + (update * (memory - &new)?)?)?)
}

pub(super) const ROW: Row = Row {
    name: "gru",
    summary: "a gated recurrent unit between hidden layers and the heads of actor and critic, which share it",
    params: PARAMS,
    make: Make { layout: Some(|args, site| layout(&CELL, args, site)), build: |args, site| made(&CELL, args, site) },
};
