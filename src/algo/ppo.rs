use super::params::{
    CLIP_RANGE, CLIP_RANGE_VF, ENT_COEF, ESTIMATOR, GAE_LAMBDA, GAMMA, N_EPOCHS, N_MINIBATCHES, N_STEPS,
    NORMALIZE_ADVANTAGE, TARGET_KL, VF_COEF, estimator, scheduled,
};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::objective::{ClippedSurrogate, Entropy, Objective, ValueLoss};
use crate::rollout::Horizon;
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
        CLIP_RANGE,
        CLIP_RANGE_VF,
        ENT_COEF.or("0.01"),
        VF_COEF,
        TARGET_KL,
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
    Ok(OnPolicy {
        horizon: Horizon::Steps(args.count("n_steps")?),
        gamma: args.number("gamma")?,
        estimator: estimator(args)?,
        objective: ClippedSurrogate::new(scheduled(args, &CLIP_RANGE)?)
            .plus(args.number("vf_coef")?, ValueLoss { clip_range_vf: args.number("clip_range_vf")? })
            .minus(scheduled(args, &ENT_COEF)?, Entropy),
        normalize_advantage: args.flag("normalize_advantage")?,
        n_epochs: args.count("n_epochs")?,
        n_minibatches: args.count("n_minibatches")?,
        target_kl: args.number("target_kl")?,
    })
}
