use super::params::{
    CLIP_RANGE, CLIP_RANGE_VF, DESIRED_KL, DUAL_CLIP, ENT_COEF, ESTIMATOR, GAE_LAMBDA, GAMMA, N_EPOCHS, N_MINIBATCHES,
    N_STEPS, NORMALIZE_ADVANTAGE, RECOMPUTE_ADVANTAGES, RPO_ALPHA, TARGET_KL, VF_COEF, estimator, passes, scheduled,
};
use super::{AdaptiveRate, Make, OnPolicy, Row};
use crate::Result;
use crate::objective::{ClippedSurrogate, Entropy, Objective, ValueLoss};
use crate::words::Args;

pub(super) const ROW: Row = Row {
    name: "ppo",
    summary: "proximal policy optimisation",
    params: &[
        N_STEPS,
        N_EPOCHS,
        N_MINIBATCHES,
        GAMMA,
        GAE_LAMBDA,
        ESTIMATOR,
        NORMALIZE_ADVANTAGE.or("true"),
        RECOMPUTE_ADVANTAGES,
        CLIP_RANGE,
        DUAL_CLIP,
        CLIP_RANGE_VF,
        ENT_COEF.or("0.01"),
        VF_COEF,
        TARGET_KL,
        DESIRED_KL,
        RPO_ALPHA,
    ],
    make: Make { settings: &[], build: |args, _| Ok(Box::new(ppo(args)?)) },
};

/// Proximal policy optimisation: several passes over each rollout, held near the policy that made it by clipping.
///
/// Defaults are CleanRL's for CartPole, <https://docs.cleanrl.dev/rl-algorithms/ppo/>, but for `clip_grad_by`, which is
/// `whole` there.
///
/// Schulman et al. 2017, <https://arxiv.org/abs/1707.06347>.
fn ppo(args: &Args) -> Result<OnPolicy> {
    let objective = ClippedSurrogate::new(scheduled(args, &CLIP_RANGE)?)
        .dual_clip(args.number("dual_clip")?)
        .plus(args.number("vf_coef")?, ValueLoss { clip_range_vf: args.number("clip_range_vf")? })
        .minus(scheduled(args, &ENT_COEF)?, Entropy);
    let (target_kl, rpo_alpha) = (args.number("target_kl")?, args.number("rpo_alpha")?);
    let rate = AdaptiveRate::new(args.number("desired_kl")?);
    Ok(OnPolicy { target_kl, rate, rpo_alpha, ..passes(args, estimator(args)?, objective)? })
}
