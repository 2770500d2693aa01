//! Optimizers as chains of gradient transforms.
//!
//! A transform changes a gradient `[P]` in place; what the last of a chain leaves is the update that is added to the
//! parameters. A named optimizer is a one-expression recipe: a [`Row`] of the table that [`Spec`](crate::words::Spec)s are read with.
//!
//! All of it is host memory where the parameters are on the CPU. Where they are on another device, a chain takes its steps there
//! if each of its links is a [`TensorTransform`], too: the same equation in operations on tensors. Else a gradient comes from the
//! device in one copy of 4 bytes a parameter, [`Params`](crate::Params) keeps a mirror of theta on the host, and the new theta goes
//! back in another such copy.
//!
#![doc = include_str!("../docs/optimizers.md")]

mod accumulate;
mod adabelief;
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam_rel;
mod adamax;
mod adaptive_clip;
mod amsgrad;
mod args;
mod blocks;
mod centralize;
mod check;
mod clip;
mod decay_to_initial;
mod ema;
mod learning_rate;
mod lion;
mod lookahead;
mod moments;
mod muon;
mod nadam;
mod nearest;
mod need;
mod nesterov;
mod noise;
mod optimizer;
mod params;
mod partition;
mod pattern;
mod place;
mod radam;
mod recipes;
mod resolve;
mod rms;
mod schedule_free;
mod schedule_rows;
mod shampoo;
mod shrink_and_perturb;
mod sign;
mod soap;

mod spectrum;
mod table;
mod tensors;
mod trac;
mod trace;
mod transform;
mod trust_ratio;
mod weight_decay;
mod yogi;
mod zero_non_finite;

pub use accumulate::{Accumulate, accumulate};
pub use adabelief::{ScaleByBelief, scale_by_belief};
pub use adadelta::{ScaleByAdadelta, scale_by_adadelta};
pub use adafactor::{AdafactorConfig, AdafactorForm, AdafactorStep, adafactor_step};
pub use adagrad::{ScaleByAdagrad, scale_by_adagrad};
pub use adam::scale_by_adam;
pub use adam_rel::{ScaleByAdamRel, scale_by_adam_rel};
pub use adamax::scale_by_adamax;
pub use adaptive_clip::{AdaptiveClip, adaptive_clip};
pub use amsgrad::{ScaleByAmsgrad, scale_by_amsgrad};
pub use args::Args;
pub use centralize::{Centralize, centralize};
pub use check::check_optimizer;
pub use clip::{
    ClipByBlockNorm, ClipByBlockRms, ClipByGlobalNorm, ClipByPartNorm, ClipByValue, ClipGradBy, clip_by_block_norm,
    clip_by_block_rms, clip_by_global_norm, clip_by_part_norm, clip_by_value,
};
pub use decay_to_initial::{DecayToInitial, decay_to_initial};
pub use ema::{Ema, ema};
pub use learning_rate::{ScaleByLearningRate, scale_by_learning_rate};
pub use lion::{ScaleByLion, scale_by_lion};
pub use lookahead::{Lookahead, lookahead};
pub use moments::ScaleByMoments;
pub use muon::{MuonScale, ScaleByMuon, scale_by_muon};
pub use nadam::{ScaleByNadam, scale_by_nadam};
pub use need::Need;
pub use nesterov::{NesterovSutskever, nesterov_sutskever};
pub use noise::{AddNoise, add_noise};
pub(crate) use optimizer::{Begun, Mark, check_finite, restore_slot, save_slot};
pub use optimizer::{Optimizer, StepReport};
pub use partition::{Partition, masked, partition};
pub use pattern::Pattern;
pub use place::Place;
pub use radam::scale_by_radam;
pub use resolve::Fallback;
pub use rms::{ScaleByRms, scale_by_rms};
pub use schedule_free::{ScheduleFree, schedule_free};
pub use shampoo::{ScaleByShampoo, scale_by_shampoo};
pub use shrink_and_perturb::{ShrinkAndPerturb, shrink_and_perturb};
pub use sign::{ScaleBySign, scale_by_sign};
pub use soap::{ScaleBySoap, scale_by_soap};
pub use table::{Make, Registry, Row};
pub use tensors::{TensorContext, TensorState, TensorTransform};
pub use trac::{Trac, trac};
pub use trace::{Trace, trace};
pub use transform::{Chain, Context, GradientTransform, Slot, Span};
pub use trust_ratio::{ScaleByTrustRatio, scale_by_trust_ratio};
pub use weight_decay::{AddDecayedWeights, DecayWeights, add_decayed_weights, decay_weights};
pub use yogi::scale_by_yogi;
pub use zero_non_finite::{ZeroNonFinite, zero_non_finite};

pub use crate::schedule::{Plateau, Schedule, When};

use transform::{State, bytes_of, scale};

/// Every word that specs may use, a file's rows at a time.
const ROWS: &[&[Row]] = &[
    learning_rate::ROWS,
    trace::ROWS,
    nesterov::ROWS,
    sign::ROWS,
    lion::ROWS,
    adagrad::ROWS,
    adadelta::ROWS,
    rms::ROWS,
    adam::ROWS,
    amsgrad::ROWS,
    adamax::ROWS,
    nadam::ROWS,
    radam::ROWS,
    adabelief::ROWS,
    yogi::ROWS,
    trust_ratio::ROWS,
    adafactor::ROWS,
    muon::ROWS,
    shampoo::ROWS,
    soap::ROWS,
    schedule_free::ROWS,
    adam_rel::ROWS,
    trac::ROWS,
    lookahead::ROWS,
    accumulate::ROWS,
    ema::ROWS,
    clip::ROWS,
    adaptive_clip::ROWS,
    zero_non_finite::ROWS,
    noise::ROWS,
    centralize::ROWS,
    weight_decay::ROWS,
    decay_to_initial::ROWS,
    shrink_and_perturb::ROWS,
    partition::ROWS,
    schedule_rows::ROWS,
];
