//! Arguments that several algorithms have.

use crate::Result;
use crate::advantage::{DiscountedStates, Estimator, Gae, Upgo};
use crate::optim::Registry;
use crate::rollout::Rollout;
use crate::schedule::Schedule;
use crate::words::{Args, Kind, Param, Range};

/// The most passes over a rollout.
const MAX_EPOCHS: u64 = 10_000;

const fn count(name: &'static str, most: u64, default: &'static str, meaning: &'static str) -> Param {
    Param { name, kind: Kind::Count(1, most), default, meaning }
}

pub(super) const N_STEPS: Param = count("n_steps", Rollout::MAX_STEPS, "128", "steps per lane between updates");
pub(super) const EPISODES: Param =
    count("episodes", Rollout::MAX_STEPS, "8", "whole episodes per update, all lanes together; a multiple of envs");
pub(super) const N_EPOCHS: Param = count("n_epochs", MAX_EPOCHS, "4", "passes over each rollout");
pub(super) const N_MINIBATCHES: Param = count("n_minibatches", Rollout::MAX_STEPS, "4", "minibatches per pass");
pub(super) const GAMMA: Param = Param::fixed("gamma", Range::Share, "0.99", "discount factor");
pub(super) const GAE_LAMBDA: Param =
    Param::fixed("gae_lambda", Range::Share, "0.95", "lambda of generalised advantage estimation");
pub(super) const BASELINE: Param =
    Param::flag("baseline", "true", "whether to subtract the critic's value from returns");
pub(super) const NORMALIZE_ADVANTAGE: Param = Param::flag(
    "normalize_advantage",
    "false",
    "whether to give advantages mean 0 and deviation 1 over each minibatch",
);
pub(super) const CLIP_RANGE: Param = Param::number(
    "clip_range",
    Range::Limit,
    "0.2",
    "how far a probability ratio may move from 1 before its gradient stops",
);
pub(super) const CLIP_RANGE_VF: Param = Param::fixed(
    "clip_range_vf",
    Range::Limit,
    "0.2",
    "how far a value may move from the old one before its gradient stops; inf does not clip",
);
pub(super) const ENT_COEF: Param = Param::number("ent_coef", Range::Finite, "0", "weight of the entropy bonus");
pub(super) const VF_COEF: Param = Param::fixed(
    "vf_coef",
    Range::NotNegative,
    "0.5",
    "weight of the value loss, which is half the mean squared error: the 0.5 of Stable-Baselines3 is 1.0 here",
);
pub(super) const TARGET_KL: Param = Param::fixed(
    "target_kl",
    Range::Limit,
    "inf",
    "approximate KL divergence at which the passes over a rollout stop early; inf never stops",
);

pub(super) const DISCOUNT_STATES: Param = Param::flag(
    "discount_states",
    "false",
    "whether the step t of an episode counts gamma^t, as in the gradient of the discounted return, or like any other",
);
pub(super) const ESTIMATOR: Param = Param {
    name: "estimator",
    kind: Kind::Word(&["gae", "upgo"]),
    default: "gae",
    meaning: "where advantages come from: generalised advantage estimation, or upgoing returns, which go on while actions do better \
              than the critic thought; both learn values from TD(gae_lambda) returns",
};

/// The estimator that [`ESTIMATOR`] names.
pub(super) fn estimator(args: &Args) -> Result<Box<dyn Estimator>> {
    let lambda = args.number("gae_lambda")? as f32;
    Ok(if is_upgo(args)? { Box::new(Upgo { lambda }) } else { Box::new(Gae { gae_lambda: lambda }) })
}

pub(super) fn is_upgo(args: &Args) -> Result<bool> {
    Ok(args.value(ESTIMATOR.name)?.word() == Some("upgo"))
}

/// An estimator over whole episodes, with the weight of a state where [`DISCOUNT_STATES`] says so.
pub(super) fn of_states(args: &Args, estimator: impl Estimator + 'static) -> Result<Box<dyn Estimator>> {
    let estimator = Box::new(estimator);
    Ok(if args.flag("discount_states")? { Box::new(DiscountedStates(estimator)) } else { estimator })
}

/// An argument that may change over training.
pub(super) fn scheduled(args: &Args, param: &Param) -> Result<Schedule> {
    Registry::default().number(args.row(), param, args.value(param.name)?)
}
