//! Optimizers as chains of gradient transforms.
//!
//! A transform changes a gradient `[P]` in place; what the last of a chain leaves is the update that is added to the
//! parameters. A named optimizer is a one-expression [`Recipe`].
//!
//! All of it is host memory, on whatever device the network learns: policies are small, so one copy there and back
//! takes less time than the launches of the dozen small kernels that each step would otherwise be.

mod accumulate;
mod adafactor;
mod adam;
mod adam_rel;
mod args;
mod blocks;
mod build;
mod clip;
mod ema;
mod learning_rate;
mod lookahead;
mod muon;
mod optimizer;
mod parse;
mod plateau;
mod recipes;
mod rms;
mod schedule;
mod schedule_free;
mod shampoo;
mod soap;
mod spec;
mod spectrum;
mod table;
mod trac;
mod trace;
mod transform;
mod trust_ratio;
mod weight_decay;

pub use accumulate::{Accumulate, accumulate};
pub use adafactor::{AdafactorConfig, AdafactorForm, AdafactorStep, adafactor_step};
pub use adam::{ScaleByAdam, scale_by_adam};
pub use adam_rel::{ScaleByAdamRel, scale_by_adam_rel};
pub use args::Args;
pub use build::Fallback;
pub use clip::{ClipByGlobalNorm, ClipByValue, clip_by_global_norm, clip_by_value};
pub use ema::{Ema, ema};
pub use learning_rate::{ScaleByLearningRate, scale_by_learning_rate};
pub use lookahead::{Lookahead, lookahead};
pub use muon::{MuonScale, ScaleByMuon, scale_by_muon};
pub use optimizer::{Optimizer, StepReport};
pub use plateau::Plateau;
pub use recipes::{OPTIMIZERS, OptimizerConfig, Recipe, adam, adamw, momentum, recipe, rmsprop, sgd};
pub use rms::{ScaleByRms, scale_by_rms};
pub use schedule::Schedule;
pub use schedule_free::{ScheduleFree, schedule_free};
pub use shampoo::{ScaleByShampoo, scale_by_shampoo};
pub use soap::{ScaleBySoap, scale_by_soap};
pub use spec::{Link, Spec, Value};
pub use table::{Kind, Make, Param, Range, Registry, Row};
pub use trac::{Trac, trac};
pub use trace::{Trace, trace};
pub use transform::{Chain, Context, GradientTransform, Slot, When};
pub use trust_ratio::{ScaleByTrustRatio, scale_by_trust_ratio};
pub use weight_decay::{AddDecayedWeights, add_decayed_weights};

use transform::{State, scale};

/// Every word that specs may use, a file's rows at a time.
const ROWS: &[&[Row]] = &[schedule::ROWS];
