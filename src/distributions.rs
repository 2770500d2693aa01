//! Distributions over actions: what a network's outputs mean.
//!
//! A [`Distribution`] is a kind: how many numbers it reads of a network's output, and its two twins. [`DistributionRows`] is
//! many of them on the host, for acting and for gradients without a graph; [`DistributionTensor`] is the same on tensors, under
//! autograd. Both give the same numbers, and the tests hold them against each other.

mod bernoulli;
mod bernoulli_rows;
mod categorical;
mod categorical_rows;
mod diag_gaussian;
mod diag_gaussian_rows;
mod multi_categorical;
mod multi_categorical_rows;

use std::fmt;
use std::sync::Arc;

use candle_core::Tensor;
use uphill_envs::{Actions, Space, quoted};

pub use bernoulli::{Bernoulli, BernoulliTensor};
pub use bernoulli_rows::BernoulliRows;
pub use categorical::{Categorical, CategoricalTensor};
pub use categorical_rows::CategoricalRows;
pub use diag_gaussian::{DiagGaussian, DiagGaussianTensor};
pub use diag_gaussian_rows::DiagGaussianRows;
pub use multi_categorical::{MultiCategorical, MultiCategoricalTensor};
pub use multi_categorical_rows::MultiCategoricalRows;

pub use crate::rollout::{ActionKind, ActionMut};

use crate::seed::Rng;
use crate::{Error, Result};

/// A kind of distribution over the actions of a space.
///
/// A new one is a file here and a row of [`DISTRIBUTIONS`]: models, algorithms and the command line take it as they take
/// the others.
pub trait Distribution: fmt::Debug + Send + Sync {
    /// Numbers that it reads for one action: a network's outputs, and after them those that are its [own](Self::own).
    fn outputs(&self) -> usize;

    /// The last of its outputs, where no network gives them and they are parameters of its own, the same in every state;
    /// `None`, the default, without any.
    fn own(&self) -> Option<OwnBlock> {
        None
    }

    /// Outputs that a network gives: all but its own.
    fn network_outputs(&self) -> usize {
        self.outputs() - self.own().map_or(0, |own| own.len)
    }

    /// `K`, the numbers of one action.
    fn action_len(&self) -> usize {
        1
    }

    /// What an action is made of.
    fn action_kind(&self) -> ActionKind {
        ActionKind::Discrete
    }

    /// How many of its first outputs are logits of choices, which a mask of an environment's can forbid; 0, the default, without
    /// any.
    fn choices(&self) -> usize {
        0
    }

    /// Brings actions that are numbers, `[B, action_len]`, into the space, for an environment to take. What is learnt from is
    /// what was drawn.
    fn clip(&self, _actions: &mut [f32]) {}

    /// Whether it is over the actions of this space.
    fn is_over(&self, space: &Space) -> bool;

    /// The largest entropy that it can have, in nats; `None` without one.
    fn max_entropy(&self) -> Option<f64>;

    /// Rows of it on the host, none yet.
    fn rows(&self) -> Box<dyn DistributionRows>;

    /// `B` of it under autograd, from a network's outputs `[B, outputs]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape.
    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>>;
}

/// A block of parameters that is a distribution's own: all begin at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnBlock {
    /// Its name.
    pub name: &'static str,
    /// How many there are.
    pub len: usize,
}

/// `B` distributions on the host, in buffers that are kept.
pub trait DistributionRows: fmt::Debug + Send + Sync {
    /// Replaces all rows by those of `[B, stride]` numbers, of which each row's first are the network's outputs. A row that is
    /// no distribution becomes one of NaN.
    ///
    /// # Panics
    /// If `stride` is below the numbers that a row reads, or there is no whole number of rows.
    fn set(&mut self, outputs: &[f32], stride: usize);

    /// Writes an action of a row drawn with `rng`, and returns its log-probability; `None` if the row holds no distribution.
    ///
    /// # Panics
    /// If there is no such row.
    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32>;

    /// Writes the likeliest action of a row, the first of equals; `None` if the row holds no distribution.
    ///
    /// # Panics
    /// If there is no such row.
    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()>;

    /// Replaces `log_prob` by `log π(a|s)` and `entropy` by the entropy of each row in nats, `[B]`, for actions
    /// `[B, action_len]`.
    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>);

    /// Writes `∂L/∂outputs` into the first columns of `out`, `[B, stride]`, given `∂L/∂ log π(a|s)` and `∂L/∂entropy`, `[B]`;
    /// `entropy` is what [`judge`](Self::judge) said.
    fn backward(&self, actions: Actions<'_>, entropy: &[f32], by: [&[f32]; 2], out: &mut [f32], stride: usize);

    /// Replaces tangents of the outputs, `[B, outputs]`, by `M·t`, `M` the Fisher information of each row in its outputs.
    fn fisher(&self, tangents: &mut [f32]);
}

/// Rows that are kept from call to call, for whichever distribution is at hand.
#[derive(Debug, Default)]
pub struct KeptRows(Option<(Arc<dyn Distribution>, Box<dyn DistributionRows>)>);

impl KeptRows {
    /// The rows of this distribution; fresh ones where the last were another's.
    pub fn of(&mut self, distribution: &Arc<dyn Distribution>) -> &mut dyn DistributionRows {
        if !self.0.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, distribution)) {
            self.0 = None;
        }
        &mut *self.0.get_or_insert_with(|| (distribution.clone(), distribution.rows())).1
    }
}

/// Forbids choices: where `mask`, `[B, choices]`, is false, the logit becomes −∞ among outputs `[B, stride]`. No mask forbids
/// nothing.
pub(crate) fn forbid(outputs: &mut [f32], stride: usize, mask: &[bool], choices: usize) {
    if choices == 0 {
        return;
    }
    for (row, mask) in outputs.chunks_exact_mut(stride).zip(mask.chunks_exact(choices)) {
        row.iter_mut().zip(mask).filter(|(_, legal)| !**legal).for_each(|(logit, _)| *logit = f32::NEG_INFINITY);
    }
}

/// `B` distributions as tensors, under autograd.
pub trait DistributionTensor: fmt::Debug {
    /// What it was made of, `[B, outputs]`.
    fn outputs(&self) -> &Tensor;

    /// `log π(a|s)` of actions, `[B]`: of indices `[B]`, or `[B, action_len]` of more than one, and of numbers
    /// `[B, action_len]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape, or an action outside the space.
    fn log_prob(&self, action: &Tensor) -> Result<Tensor>;

    /// The entropy in nats, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    fn entropy(&self) -> Result<Tensor>;

    /// What all else of it follows from, `[B, K]`: log-probabilities of all actions, or a mean and the logarithm of a
    /// deviation. A gradient is checked by it.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    fn described(&self) -> Result<Tensor>;
}

/// A kind of distribution.
#[derive(Debug, Clone, Copy)]
pub struct DistributionKind {
    /// What the actions that it is over are called, [`Space::kind`].
    pub actions: &'static str,
    /// Makes it for a space, if that is one of its kind.
    pub over: fn(&Space) -> Option<Arc<dyn Distribution>>,
}

/// Every kind, the first that fits being taken.
pub const DISTRIBUTIONS: &[DistributionKind] =
    &[Categorical::ROW, MultiCategorical::ROW, Bernoulli::ROW, DiagGaussian::ROW];

/// The distribution over the actions of an environment.
///
/// # Errors
/// [`Error::Config`] for a space that none is over, [`Error::Env`] for one without any action.
pub fn over(id: &str, space: &Space) -> Result<Arc<dyn Distribution>> {
    space.check_actions()?;
    DISTRIBUTIONS.iter().find_map(|row| (row.over)(space)).ok_or_else(|| {
        let known: Vec<&str> = DISTRIBUTIONS.iter().map(|row| row.actions).collect();
        let (id, kind, known) = (quoted(id), space.kind(), known.join(" and "));
        Error::Config(format!("{id}: {kind} actions have no policy yet, only {known} ones"))
    })
}

/// The error for a row of outputs that is no distribution.
pub(crate) fn no_distribution(outputs: &[f32]) -> Error {
    Error::NotFinite { what: format!("one of the policy's outputs {outputs:?}") }
}

/// The indices among actions. There are no others where a distribution of indices is asked: a rollout has what its own
/// distribution wrote.
fn indices(actions: Actions<'_>) -> &[u32] {
    match actions {
        Actions::Discrete(indices) => indices,
        Actions::Continuous(_) => &[],
    }
}

/// Where an action's indices go; nowhere for an action of numbers.
fn places(action: ActionMut<'_>) -> &mut [u32] {
    match action {
        ActionMut::Discrete(places) => places,
        ActionMut::Continuous(_) => &mut [],
    }
}
