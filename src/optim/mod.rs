//! Optimizers as chains of gradient transforms.
//!
//! A transform changes a gradient `[P]` in place; what the last of a chain leaves is the update that is added to the
//! parameters. A named optimizer is a one-expression [`Recipe`].
//!
//! All of it is host memory, on whatever device the network learns: policies are small, so one copy there and back
//! takes less time than the launches of the dozen small kernels that each step would otherwise be.

mod adam;
mod clip;
mod learning_rate;
mod recipes;
mod rms;
mod trace;
mod weight_decay;

use std::fmt;

pub use adam::{ScaleByAdam, scale_by_adam};
pub use clip::{ClipByGlobalNorm, ClipByValue, clip_by_global_norm, clip_by_value};
pub use learning_rate::{ScaleByLearningRate, Schedule, scale_by_learning_rate};
pub use recipes::{OPTIMIZERS, OptimizerConfig, Recipe, adam, adamw, momentum, recipe, rmsprop, sgd};
pub use rms::{ScaleByRms, scale_by_rms};
pub use trace::{Trace, trace};
pub use weight_decay::{AddDecayedWeights, add_decayed_weights};

use crate::kernels::{add, sum_of_squares, vectorised};
use crate::params::check_len;
use crate::{Error, Layout, Params, Result};

/// What a transform may know besides the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The parameters before the step, `[P]`.
    pub theta: &'a [f32],
    /// Which of them are what.
    pub layout: &'a Layout,
    /// The share of training that is done, from 0 to 1: what schedules go by.
    pub progress: f64,
}

/// One link of a chain: a gradient `[P]` in, a gradient `[P]` out.
pub trait GradientTransform: fmt::Debug + Send {
    /// Transforms a gradient in place and updates whatever state the transform keeps.
    ///
    /// # Errors
    /// Whatever makes the step impossible; those of this crate never fail.
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()>;

    /// The learning rate that this transform applies at some progress, if it is the one that applies it.
    fn learning_rate(&self, _progress: f64) -> Option<f64> {
        None
    }
}

/// Several transforms, one after the other.
#[derive(Debug, Default)]
pub struct Chain(Vec<Box<dyn GradientTransform>>);

impl Chain {
    /// The chain without a link: it gives back what it got.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain with another link at its end.
    #[must_use]
    pub fn then(mut self, transform: impl GradientTransform + 'static) -> Self {
        self.0.push(Box::new(transform));
        self
    }
}

impl GradientTransform for Chain {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.0.iter_mut().try_for_each(|transform| transform.update(gradient, context))
    }

    fn learning_rate(&self, progress: f64) -> Option<f64> {
        self.0.iter().find_map(|transform| transform.learning_rate(progress))
    }
}

/// What one step of an optimizer was like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Euclidean norm of the gradient, before any clipping.
    pub grad_norm: f64,
    /// Euclidean norm of what was added to the parameters.
    pub update_norm: f64,
}

/// A chain that moves parameters.
#[derive(Debug)]
pub struct Optimizer {
    chain: Chain,
    update: Vec<f32>,
}

impl Optimizer {
    /// An optimizer whose updates are what the chain makes of gradients.
    #[must_use]
    pub fn new(chain: Chain) -> Self {
        Self { chain, update: Vec::new() }
    }

    /// `theta += chain(gradient)`, `gradient` `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a gradient of another length. [`Error::NotFinite`], with the first bad block's name, for a NaN
    /// or infinite gradient: neither parameters nor optimizer state have changed then. [`Error::NotFinite`] too if the
    /// chain makes a NaN or infinite update of a finite gradient: the parameters have not changed then, though the
    /// optimizer's state has.
    pub fn step(&mut self, params: &mut Params, gradient: &[f32], progress: f64) -> Result<StepReport> {
        check_len("the gradient", params.layout().len(), gradient.len())?;
        let grad_norm = finite_norm("gradient", params.layout(), gradient)?;
        self.update.clear();
        self.update.extend_from_slice(gradient);
        let (chain, update) = (&mut self.chain, &mut self.update);
        params.read(|theta| chain.update(update, &Context { theta, layout: params.layout(), progress }))??;
        let update_norm = finite_norm("update", params.layout(), update)?;
        params.update(|theta| add(theta, update))?;
        Ok(StepReport { grad_norm, update_norm })
    }

    /// The learning rate at some progress, from 0 to 1; `None` if the chain has none.
    #[must_use]
    pub fn learning_rate(&self, progress: f64) -> Option<f64> {
        self.chain.learning_rate(progress)
    }
}

/// A vector as long as the parameters that a transform keeps from step to step; it starts at zero.
#[derive(Debug, Clone, Default)]
struct State(Vec<f32>);

impl State {
    fn of(&mut self, len: usize) -> &mut [f32] {
        self.0.resize(len, 0.0);
        &mut self.0
    }
}

fn scale(x: &mut [f32], factor: f64) {
    let factor = factor as f32;
    vectorised(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x *= factor),
    );
}

/// Euclidean norm of a gradient or an update, which must be finite.
fn finite_norm(what: &str, layout: &Layout, x: &[f32]) -> Result<f64> {
    let norm = sum_of_squares(x).sqrt();
    if norm.is_finite() {
        return Ok(norm);
    }
    let block = x.iter().position(|x| !x.is_finite()).and_then(|i| layout.block_at(i));
    let name = block.map_or("the parameters", |block| block.name.as_str());
    Err(Error::NotFinite { what: format!("the {what} of {name}") })
}
