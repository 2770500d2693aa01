//! Named optimizers: each one expression. A row in [`OPTIMIZERS`] enrols it in tests, benches and `--optimizer`.

use super::{
    Chain, Schedule, add_decayed_weights, clip_by_global_norm, clip_by_value, scale_by_adam, scale_by_learning_rate,
    scale_by_rms, trace,
};
use crate::{Error, Result};

/// Every setting that some optimizer reads.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerConfig {
    /// The learning rate.
    pub lr: Schedule,
    /// Decay of Adam's running mean.
    pub beta1: f64,
    /// Decay of Adam's running mean of squares.
    pub beta2: f64,
    /// Decay of RMSprop's running mean of squares.
    pub alpha: f64,
    /// What keeps a division by a root from exploding.
    pub eps: f64,
    /// Decay of momentum's sum.
    pub momentum: f64,
    /// Weight decay, coupled (L2) except in `adamw`.
    pub weight_decay: f64,
    /// Largest norm of a gradient; infinite does not clip.
    pub max_grad_norm: f64,
    /// Largest number in a gradient; infinite does not clip.
    pub max_grad_value: f64,
}

impl OptimizerConfig {
    /// PyTorch's defaults with this learning rate: no decay, no clipping.
    #[must_use]
    pub fn new(lr: f64) -> Self {
        Self {
            lr: Schedule::Constant(lr),
            beta1: 0.9,
            beta2: 0.999,
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.9,
            weight_decay: 0.0,
            max_grad_norm: f64::INFINITY,
            max_grad_value: f64::INFINITY,
        }
    }
}

/// A named optimizer.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What `--optimizer` calls it.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// A learning rate that suits it where an algorithm's own was meant for another optimizer.
    pub lr: f64,
    /// Makes it.
    pub build: fn(&OptimizerConfig) -> Chain,
}

/// Every named optimizer.
pub const OPTIMIZERS: &[Recipe] = &[
    Recipe { name: "sgd", summary: "plain gradient descent", lr: 0.1, build: sgd },
    Recipe { name: "momentum", summary: "gradient descent with a heavy ball", lr: 0.01, build: momentum },
    Recipe { name: "rmsprop", summary: "gradient over its running root mean square", lr: 7e-4, build: rmsprop },
    Recipe { name: "adam", summary: "running mean over running root mean square", lr: 2.5e-4, build: adam },
    Recipe { name: "adamw", summary: "adam with decoupled weight decay", lr: 2.5e-4, build: adamw },
];

/// The optimizer of that name.
///
/// # Errors
/// [`Error::Config`], with the nearest name, if there is none.
pub fn recipe(name: &str) -> Result<&'static Recipe> {
    OPTIMIZERS
        .iter()
        .find(|recipe| recipe.name == name)
        .ok_or_else(|| Error::unknown("optimizer", name, OPTIMIZERS.iter().map(|recipe| recipe.name)))
}

/// Clipping as every recipe begins: by value, then by norm.
fn clipped(c: &OptimizerConfig) -> Chain {
    Chain::new().then(clip_by_value(c.max_grad_value)).then(clip_by_global_norm(c.max_grad_norm))
}

/// Gradient descent: Cauchy 1847; stochastic: Robbins and Monro 1951, <https://doi.org/10.1214/aoms/1177729586>.
#[must_use]
pub fn sgd(c: &OptimizerConfig) -> Chain {
    clipped(c).then(add_decayed_weights(c.weight_decay)).then(scale_by_learning_rate(c.lr.clone()))
}

/// [`trace`] after coupled weight decay, as `torch.optim.SGD(momentum=...)`.
#[must_use]
pub fn momentum(c: &OptimizerConfig) -> Chain {
    clipped(c)
        .then(add_decayed_weights(c.weight_decay))
        .then(trace(c.momentum))
        .then(scale_by_learning_rate(c.lr.clone()))
}

/// [`scale_by_rms`] after coupled weight decay, as `torch.optim.RMSprop`.
#[must_use]
pub fn rmsprop(c: &OptimizerConfig) -> Chain {
    clipped(c)
        .then(add_decayed_weights(c.weight_decay))
        .then(scale_by_rms(c.alpha, c.eps))
        .then(scale_by_learning_rate(c.lr.clone()))
}

/// [`scale_by_adam`] after coupled weight decay, as `torch.optim.Adam`.
#[must_use]
pub fn adam(c: &OptimizerConfig) -> Chain {
    clipped(c)
        .then(add_decayed_weights(c.weight_decay))
        .then(scale_by_adam(c.beta1, c.beta2, c.eps))
        .then(scale_by_learning_rate(c.lr.clone()))
}

/// [`scale_by_adam`] before decoupled weight decay, as `torch.optim.AdamW`.
#[must_use]
pub fn adamw(c: &OptimizerConfig) -> Chain {
    clipped(c)
        .then(scale_by_adam(c.beta1, c.beta2, c.eps))
        .then(add_decayed_weights(c.weight_decay))
        .then(scale_by_learning_rate(c.lr.clone()))
}
