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
mod gsde;
mod gsde_rows;
mod head;
mod multi_categorical;
mod multi_categorical_rows;
mod squashed_diag_gaussian;
mod squashed_diag_gaussian_rows;

use std::any::Any;
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
pub use gsde::{Gsde, GsdeTensor};
pub use gsde_rows::GsdeRows;
pub use head::{Deviation, Head};
pub use multi_categorical::{MultiCategorical, MultiCategoricalTensor};
pub use multi_categorical_rows::MultiCategoricalRows;
pub use squashed_diag_gaussian::{SquashedDiagGaussian, SquashedDiagGaussianTensor};
pub use squashed_diag_gaussian_rows::SquashedDiagGaussianRows;

pub use crate::rollout::{ActionKind, ActionMut};

use crate::seed::Rng;
use crate::words::{self, Args, Word};
use crate::{Error, Result};

/// A kind of distribution over the actions of a space.
///
/// A new one is a file here and a row of [`ROWS`], or in a program of one's own a row of its
/// [`Catalogue`](crate::Catalogue): models, algorithms and the command line take it as they take the others.
pub trait Distribution: fmt::Debug + Send + Sync {
    /// Numbers that it reads for one action: a network's outputs, and after them its [features](Self::features) and those that
    /// are its [own](Self::own).
    fn outputs(&self) -> usize;

    /// `F`, the outputs of the actor's last hidden layer that it reads, too. No gradient goes into them: rows write zeros there,
    /// and tensors detach them. 0, the default, without any, and as long as no network is known.
    fn features(&self) -> usize {
        0
    }

    /// The same for a network whose actor has so many of them; `None`, the default, if it reads none.
    fn with_features(&self, _features: usize) -> Option<Arc<dyn Distribution>> {
        None
    }

    /// The last of its outputs, where no network gives them and they are parameters of its own, the same in every state;
    /// `None`, the default, without any.
    fn own(&self) -> Option<OwnBlock> {
        None
    }

    /// Outputs that a network's last layer gives: all but features and its own.
    fn network_outputs(&self) -> usize {
        self.outputs() - self.features() - self.own().map_or(0, |own| own.len)
    }

    /// `K`, the numbers of one action.
    fn action_len(&self) -> usize {
        1
    }

    /// What an action is made of.
    fn action_kind(&self) -> ActionKind {
        ActionKind::Discrete
    }

    /// Among how many there is to choose in each of its choices, `[K]`; none, the default, of numbers.
    fn components(&self) -> Vec<usize> {
        Vec::new()
    }

    /// How many of its first outputs are logits of choices, which a mask of an environment's can forbid; 0, the default, without
    /// any.
    fn choices(&self) -> usize {
        0
    }

    /// How many of its first outputs are means: adding to one moves the number of the action that it is of as far. 0, the default, where
    /// it has none, as a choice has not.
    fn means(&self) -> usize {
        0
    }

    /// Brings actions that are numbers, `[B, action_len]`, from where they were drawn into the space, for an environment to
    /// take: clips them to it, or scales them. What is kept and learnt from is what was drawn.
    fn map_action(&self, _actions: &mut [f32]) {}

    /// How its likeliest action follows from its outputs; `None`, the default, where it does not say: a policy of it cannot be
    /// exported.
    fn head(&self) -> Option<Head> {
        None
    }

    /// Whether it is over the actions of this space.
    fn is_over(&self, space: &Space) -> bool;

    /// The largest entropy that it can have, in nats, where it is a choice among so many; `None` for numbers, whose entropy is
    /// relative to a unit.
    fn max_entropy(&self) -> Option<f64>;

    /// Rows of it on the host, none yet.
    fn rows(&self) -> Box<dyn DistributionRows>;

    /// `B` of it under autograd, from a network's outputs `[B, outputs]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape.
    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>>;

    /// How actions are drawn where the outputs are; `None`, the default, if they are drawn on the host only.
    fn sampler(&self) -> Option<&dyn TensorSampler> {
        None
    }
}

/// Draws actions as tensor operations, by numbers that are uniform in `[0, 1)`.
pub trait TensorSampler {
    /// How many such numbers an action takes.
    fn draws(&self) -> usize;

    /// The actions that such numbers, `[B, draws]`, make of a network's outputs, `[B, outputs]`: indices as `u32`, `[B]`, or numbers
    /// as `f32`, `[B, action_len]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape, and if the device fails.
    fn sample(&self, outputs: &Tensor, uniform: &Tensor) -> Result<Tensor>;

    /// As [`Distribution::map_action`]: what an environment takes for such actions. The default leaves them as they are.
    ///
    /// # Errors
    /// As [`sample`](TensorSampler::sample).
    fn map_action(&self, actions: &Tensor) -> Result<Tensor> {
        Ok(actions.clone())
    }
}

/// A block of parameters that is a distribution's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnBlock {
    /// Its name.
    pub name: &'static str,
    /// How many there are.
    pub len: usize,
    /// What each begins at.
    pub initial: f32,
}

/// `B` distributions on the host, in buffers that are kept.
pub trait DistributionRows: Any + fmt::Debug + Send + Sync {
    /// Replaces all rows by those of `[B, stride]` numbers, of which each row's first are the network's outputs. A row that is
    /// no distribution becomes one of NaN.
    ///
    /// # Panics
    /// If `stride` is below the numbers that a row reads, or there is no whole number of rows.
    fn set(&mut self, outputs: &[f32], stride: usize);

    /// Draws with `rng` what the actions of a row have in common over several steps, where that is due before step `step` of what an
    /// update learns from, of which the first is 0: there it always is, so that nothing outlives an update. Draws from a row that has never
    /// been renewed have nothing in common. The default has nothing to renew.
    fn renew(&mut self, _row: usize, _step: usize, _rng: &mut Rng) {}

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

    /// Replaces `kl` by the Kullback-Leibler divergence of each row from the same of another, `KL(self ‖ other)` in nats,
    /// `[B]`: NaN where either is no distribution, or they are not of the same kind.
    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>);
}

/// Fills `kl` with the sum over a row's `len` places of what each adds, for rows that `of` says what they are.
fn kl_by_place<T: DistributionRows>(
    other: &dyn DistributionRows,
    (rows, len): (usize, usize),
    kl: &mut Vec<f32>,
    of_place: impl Fn(&T, usize) -> f64,
) {
    kl.clear();
    let other = (other as &dyn Any).downcast_ref::<T>();
    let place = |place| other.map_or(f64::NAN, |other| of_place(other, place));
    kl.extend((0..rows).map(|row| (row * len..(row + 1) * len).map(place).sum::<f64>() as f32));
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

    /// The rows as they are, if there are any.
    pub(crate) fn get(&self) -> Option<&dyn DistributionRows> {
        self.0.as_ref().map(|(_, rows)| &**rows)
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

    /// The Kullback-Leibler divergence from the same of another, of the same kind: `KL(self ‖ other)` in nats, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape, or if the device fails.
    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor>;

    /// What all else of it follows from, `[B, K]`: log-probabilities of all actions, or a mean and the logarithm of a
    /// deviation. A gradient is checked by it.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    fn described(&self) -> Result<Tensor>;
}

/// A named distribution.
pub type Row = words::Row<Over>;

/// Makes a distribution for a space, if that is one that it can be over; what is wrong with a space that it nearly is.
pub type Over = fn(&Args, &Space) -> Result<Option<Arc<dyn Distribution>>>;

/// Every distribution. Where none is named, the first that is over a space is taken.
pub const ROWS: &[Row] = &[
    categorical::ROW,
    multi_categorical::ROW,
    bernoulli::ROW,
    diag_gaussian::ROW,
    squashed_diag_gaussian::ROW,
    gsde::ROW,
];

/// The word of the first that is over an environment's actions; what arguments it has are that one's.
pub const AUTO: &str = "auto";

/// The distribution over the actions of an environment that is taken where none is named.
///
/// # Errors
/// [`Error::Config`] for a space that none is over, [`Error::Env`] for one without any action.
pub fn over(id: &str, space: &Space) -> Result<Arc<dyn Distribution>> {
    named(ROWS, &Word::new(AUTO), id, space)
}

/// What a row makes without arguments, if it is over the actions.
fn by_default(row: &Row, space: &Space) -> Result<Option<Arc<dyn Distribution>>> {
    (row.make)(&Args::new(row, &Word::new(row.name))?, space)
}

/// The first row that is over the actions, and what it makes.
fn first<'a>(rows: &'a [Row], space: &Space) -> Result<Option<(&'a Row, Arc<dyn Distribution>)>> {
    let mut made = rows.iter().map(|row| Ok(by_default(row, space)?.map(|made| (row, made))));
    made.find_map(Result::transpose).transpose()
}

/// The word itself, or where it is [`AUTO`] that of the row that is taken.
pub(crate) fn taken(rows: &[Row], word: &Word, space: &Space) -> Result<Word> {
    let found = if word.name == AUTO { first(rows, space)? } else { None };
    Ok(found.map_or_else(|| word.clone(), |(row, _)| Word { name: row.name.into(), args: word.args.clone() }))
}

/// The distribution of a word, of those of `rows`, over the actions of an environment; by [`AUTO`] the first that is.
///
/// # Errors
/// [`Error::Config`] for an unknown word or an impossible argument, and for one that is not over the actions, with those that
/// are; [`Error::Env`] for a space without any action.
pub(crate) fn named(rows: &[Row], word: &Word, id: &str, space: &Space) -> Result<Arc<dyn Distribution>> {
    space.check_actions()?;
    let by_default = |row: &Row| by_default(row, space);
    let (id, kind) = (quoted(id), space.kind());
    if word.name == AUTO {
        let found = first(rows, space)?;
        let known = || rows.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
        let none = || Error::Config(format!("{id}: no distribution is over {kind} actions; there are {}", known()));
        let (row, made) = found.ok_or_else(none)?;
        if word.args.is_empty() {
            return Ok(made);
        }
        let absent = |name: &&String| row.param(name).is_none();
        if let Some(name) = word.args.iter().filter_map(|(name, _)| name.as_ref()).find(absent) {
            let has = |row: &&Row| row.param(name).is_some() && by_default(row).is_ok_and(|made| made.is_some());
            let having: Vec<&str> = rows.iter().filter(has).map(|row| row.name).collect();
            let having = if having.is_empty() { String::new() } else { format!(", or take {}", having.join(" or ")) };
            let problem = format!("over the actions of {id} it is {}, which has no argument `{name}`", row.name);
            return Err(Error::Config(format!("distribution = {word}: {problem}; leave that out{having}")));
        }
        return named(rows, &Word { name: row.name.into(), args: word.args.clone() }, &id, space);
    }
    let known = || rows.iter().map(|row| row.name).chain([AUTO]);
    let row = rows.iter().find(|row| row.name == word.name);
    let row = row.ok_or_else(|| Error::unknown("distribution", &word.name, known()))?;
    (row.make)(&Args::new(row, word)?, space)?.ok_or_else(|| {
        let fitting: Vec<&str> =
            rows.iter().filter(|row| by_default(row).is_ok_and(|made| made.is_some())).map(|row| row.name).collect();
        let fitting = if fitting.is_empty() { "none is".into() } else { format!("take {}", fitting.join(" or ")) };
        Error::Config(format!(
            "distribution = {}: it is not over {kind} actions, as {id} has them; {fitting}",
            row.name
        ))
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

/// The numbers among actions; none among indices, as a rollout has what its own distribution wrote.
fn numbers(actions: Actions<'_>) -> &[f32] {
    match actions {
        Actions::Continuous(numbers) => numbers,
        Actions::Discrete(_) => &[],
    }
}

/// Where an action's numbers go.
fn numbers_of(action: ActionMut<'_>) -> &mut [f32] {
    match action {
        ActionMut::Continuous(numbers) => numbers,
        ActionMut::Discrete(_) => &mut [],
    }
}

/// Where an action's indices go; nowhere for an action of numbers.
fn places(action: ActionMut<'_>) -> &mut [u32] {
    match action {
        ActionMut::Discrete(places) => places,
        ActionMut::Continuous(_) => &mut [],
    }
}
