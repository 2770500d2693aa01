use super::params::{
    CLIP_RANGE_VF, ENT_COEF, ESTIMATOR, GAE_LAMBDA, GAMMA, N_EPOCHS, N_MINIBATCHES, N_STEPS, NORMALIZE_ADVANTAGE,
    VF_COEF, estimator, scheduled,
};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::objective::{ClippedSurrogate, Entropy, KlPenalty, Objective, ValueLoss};
use crate::rollout::Horizon;
use crate::words::{Args, Param, Range};

pub(super) const ROW: Row = Row {
    name: "ppo_kl",
    summary: "proximal policy optimisation, held by a penalty on the KL divergence whose coefficient adapts",
    params: &[
        N_STEPS,
        N_EPOCHS,
        N_MINIBATCHES,
        GAMMA,
        GAE_LAMBDA,
        ESTIMATOR,
        NORMALIZE_ADVANTAGE.or("true"),
        Param::fixed("kl_target", Range::Positive, "0.01", "KL divergence that an update should come to"),
        Param::fixed("kl_coef", Range::Positive, "1", "weight of the penalty to begin with"),
        CLIP_RANGE_VF,
        ENT_COEF.or("0.01"),
        VF_COEF,
    ],
    make: Make { settings: &[], build: |args, _| Ok(Box::new(ppo_kl(args)?)) },
};

/// The other form of proximal policy optimisation: [`ppo`](super::ppo) with a penalty in place of clipping.
///
/// Schulman et al. 2017, section 4, <https://arxiv.org/abs/1707.06347>.
fn ppo_kl(args: &Args) -> Result<OnPolicy> {
    Ok(OnPolicy {
        horizon: Horizon::Steps(args.count("n_steps")?),
        gamma: args.number("gamma")?,
        estimator: estimator(args)?,
        objective: ClippedSurrogate::new(f64::INFINITY)
            .plus(1.0, KlPenalty::new(args.number("kl_target")?, args.number("kl_coef")?))
            .plus(args.number("vf_coef")?, ValueLoss { clip_range_vf: args.number("clip_range_vf")? })
            .minus(scheduled(args, &ENT_COEF)?, Entropy),
        normalize_advantage: args.flag("normalize_advantage")?,
        n_epochs: args.count("n_epochs")?,
        n_minibatches: args.count("n_minibatches")?,
        target_kl: f64::INFINITY,
    })
}
