//! Long short-term memory, and the model of it by its word.

use candle_core::Tensor;

use super::ops::{sigmoid, tanh};
use super::recurrent_model::{PARAMS, layout, made};
use super::{Cell, Make, Recurrence, Row};
use crate::Result;

/// Gates in torch's order: input, forget, cell, output. What is remembered is `h`, then `c`.
///
/// ```math
///   i = σ(W_ii·x + b_ii + W_hi·h + b_hi)
///   f = σ(W_if·x + b_if + W_hf·h + b_hf)
///   g = tanh(W_ig·x + b_ig + W_hg·h + b_hg)
///   o = σ(W_io·x + b_io + W_ho·h + b_ho)
///   c' = f⊙c + i⊙g
///   h' = o⊙tanh(c')
/// ```
///
/// Hochreiter and Schmidhuber 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>, in the form of
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>.
pub const CELL: Cell = Cell { name: "lstm", gates: 4, states: 2, next, recurrence: Recurrence::Lstm, is_fused: false };

fn next(from_input: &Tensor, from_memory: &Tensor, memory: &Tensor) -> Result<Tensor> {
    let units = memory.dim(1)? / CELL.states;
    let gates = (from_input + from_memory)?;
    let input_and_forget = sigmoid(&gates.narrow(1, 0, 2 * units)?)?;
    let cell = tanh(&gates.narrow(1, 2 * units, units)?)?;
    let output = sigmoid(&gates.narrow(1, 3 * units, units)?)?;
    let (input, forget) = (input_and_forget.narrow(1, 0, units)?, input_and_forget.narrow(1, units, units)?);
    let kept = (forget * memory.narrow(1, units, units)?)?;
    let c = (kept + (input * cell)?)?;
    let h = (output * tanh(&c)?)?;
    Ok(Tensor::cat(&[h, c], 1)?)
}

pub(super) const ROW: Row = Row {
    name: "lstm",
    summary: "long short-term memory between hidden layers and the heads of actor and critic, which share it",
    params: PARAMS,
    make: Make { layout: Some(|args, site| layout(&CELL, args, site)), build: |args, site| made(&CELL, args, site) },
};
