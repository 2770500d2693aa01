//! Optimizers as chains of gradient transforms.
//!
//! A transform takes a gradient `[P]` and gives back another; the last of a chain gives the update that is added to
//! the parameters. A named optimizer is a one-expression [`Recipe`].

mod adam;
mod clip;
mod learning_rate;
mod recipes;
mod rms;
mod trace;
mod weight_decay;

use std::fmt;

use candle_core::Tensor;

pub use adam::{ScaleByAdam, scale_by_adam};
pub use clip::{ClipByGlobalNorm, ClipByValue, clip_by_global_norm, clip_by_value};
pub use learning_rate::{ScaleByLearningRate, Schedule, scale_by_learning_rate};
pub use recipes::{OPTIMIZERS, OptimizerConfig, Recipe, adam, adamw, momentum, recipe, rmsprop, sgd};
pub use rms::{ScaleByRms, scale_by_rms};
pub use trace::{Trace, trace};
pub use weight_decay::{AddDecayedWeights, add_decayed_weights};

use crate::{Error, Params, Result};

/// What a transform may know besides the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The parameters before the step.
    pub params: &'a Params,
    /// The share of training that is done, from 0 to 1: what schedules go by.
    pub progress: f64,
}

/// One link of a chain: a gradient `[P]` in, a gradient `[P]` out.
pub trait GradientTransform: fmt::Debug + Send {
    /// Transforms a gradient and updates whatever state the transform keeps.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    fn update(&mut self, gradient: Tensor, context: Context<'_>) -> Result<Tensor>;

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
    fn update(&mut self, gradient: Tensor, context: Context<'_>) -> Result<Tensor> {
        self.0.iter_mut().try_fold(gradient, |gradient, transform| transform.update(gradient, context))
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
}

impl Optimizer {
    /// An optimizer whose updates are what the chain makes of gradients.
    #[must_use]
    pub fn new(chain: Chain) -> Self {
        Self { chain }
    }

    /// `theta += chain(gradient)`, `gradient` `[P]`.
    ///
    /// # Errors
    /// [`Error::NotFinite`], with the first bad block's name, for a NaN or infinite gradient: neither parameters nor
    /// optimizer state have changed then. [`Error::Tensor`] if the device fails.
    pub fn step(&mut self, params: &mut Params, gradient: &Tensor, progress: f64) -> Result<StepReport> {
        let grad_norm = norm(gradient)?;
        if !grad_norm.is_finite() {
            return Err(Error::NotFinite { what: first_bad_block(params, gradient)? });
        }
        let update = self.chain.update(gradient.clone(), Context { params, progress })?;
        let update_norm = norm(&update)?;
        params.add(&update)?;
        Ok(StepReport { grad_norm, update_norm })
    }

    /// The learning rate at some progress, from 0 to 1; `None` if the chain has none.
    #[must_use]
    pub fn learning_rate(&self, progress: f64) -> Option<f64> {
        self.chain.learning_rate(progress)
    }
}

/// Euclidean norm.
fn norm(x: &Tensor) -> Result<f64> {
    Ok(f64::from(x.sqr()?.sum_all()?.to_scalar::<f32>()?).sqrt())
}

fn first_bad_block(params: &Params, gradient: &Tensor) -> Result<String> {
    let gradient: Vec<f32> = gradient.to_vec1()?;
    let block = gradient.iter().position(|g| !g.is_finite()).and_then(|i| params.layout().block_at(i));
    Ok(match block {
        Some(block) => format!("the gradient of {}", block.name),
        // Every number is finite and yet the sum of their squares is not.
        None => "the gradient's norm".to_string(),
    })
}
