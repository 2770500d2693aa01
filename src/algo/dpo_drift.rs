use super::params::{
    CLIP_RANGE_VF, DESIRED_KL, ENT_COEF, ESTIMATOR, GAE_LAMBDA, GAMMA, N_EPOCHS, N_MINIBATCHES, N_STEPS,
    NORMALIZE_ADVANTAGE, RECOMPUTE_ADVANTAGES, TARGET_KL, VF_COEF, estimator, passes, scheduled,
};
use super::{AdaptiveRate, Make, OnPolicy, Row};
use crate::Result;
use crate::objective::{DiscoveredDrift, Entropy, Objective, ValueLoss};
use crate::words::{Args, Param, Range};

pub(super) const ROW: Row = Row {
    name: "dpo_drift",
    summary: "discovered policy optimisation: as ppo, held by a drift that meta-learning found",
    params: &[
        N_STEPS,
        N_EPOCHS,
        N_MINIBATCHES,
        GAMMA,
        GAE_LAMBDA,
        ESTIMATOR,
        NORMALIZE_ADVANTAGE.or("true"),
        RECOMPUTE_ADVANTAGES,
        Param::fixed(
            "dpo_alpha",
            Range::Positive,
            "2",
            "the most that an action of positive advantage gains by becoming likelier",
        ),
        Param::fixed(
            "dpo_beta",
            Range::Positive,
            "0.6",
            "how far an action of negative advantage becomes unlikelier before it is called back: its advantage times its log-ratio",
        ),
        CLIP_RANGE_VF,
        ENT_COEF.or("0.01"),
        VF_COEF,
        TARGET_KL,
        DESIRED_KL,
    ],
    make: Make { settings: &[], build: |args, _| Ok(Box::new(dpo_drift(args)?)) },
};

/// Discovered policy optimisation: [`ppo`](super::ppo) with a drift in place of clipping. Its initials alone would be taken for direct
/// preference optimisation.
///
/// Lu et al. 2022, <https://arxiv.org/abs/2210.05639>.
fn dpo_drift(args: &Args) -> Result<OnPolicy> {
    let drift = DiscoveredDrift { alpha: args.number("dpo_alpha")?, beta: args.number("dpo_beta")? };
    let objective = drift
        .plus(args.number("vf_coef")?, ValueLoss { clip_range_vf: args.number("clip_range_vf")? })
        .minus(scheduled(args, &ENT_COEF)?, Entropy);
    let target_kl = args.number("target_kl")?;
    let rate = AdaptiveRate::new(args.number("desired_kl")?);
    Ok(OnPolicy { target_kl, rate, ..passes(args, estimator(args)?, objective)? })
}
