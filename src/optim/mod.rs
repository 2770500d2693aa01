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
mod optimizer;
mod recipes;
mod rms;
mod schedule;
mod trace;
mod transform;
mod weight_decay;

pub use adam::{ScaleByAdam, scale_by_adam};
pub use clip::{ClipByGlobalNorm, ClipByValue, clip_by_global_norm, clip_by_value};
pub use learning_rate::{ScaleByLearningRate, scale_by_learning_rate};
pub use optimizer::{Optimizer, StepReport};
pub use recipes::{OPTIMIZERS, OptimizerConfig, Recipe, adam, adamw, momentum, recipe, rmsprop, sgd};
pub use rms::{ScaleByRms, scale_by_rms};
pub use schedule::Schedule;
pub use trace::{Trace, trace};
pub use transform::{Chain, Context, GradientTransform, Slot, When};
pub use weight_decay::{AddDecayedWeights, add_decayed_weights};

use transform::{State, scale};
