use super::params::{
    ENT_COEF, ESTIMATOR, GAE_LAMBDA, GAMMA, N_STEPS, NORMALIZE_ADVANTAGE, VF_COEF, estimator, is_upgo, scheduled,
};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::advantage::{Estimator, NStep};
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::rollout::Horizon;
use crate::words::Args;

pub(super) const ROW: Row = Row {
    name: "a2c",
    summary: "advantage actor-critic on short rollouts",
    params: &[N_STEPS.or("5"), GAMMA, GAE_LAMBDA.or("1"), ESTIMATOR, NORMALIZE_ADVANTAGE, ENT_COEF, VF_COEF],
    make: Make {
        settings: &[("optimizer", "rmsprop(eps=1e-5)"), ("lr", "7e-4"), ("envs", "8")],
        build: |args, _| Ok(Box::new(a2c(args)?)),
    },
};

/// Advantage actor-critic, synchronous: one policy-gradient step a short rollout, advantages from n-step returns, or
/// from generalised advantage estimation where `gae_lambda` is below 1.
///
/// Mnih et al. 2016, <https://arxiv.org/abs/1602.01783>.
fn a2c(args: &Args) -> Result<OnPolicy> {
    let (n_steps, gae_lambda) = (args.count("n_steps")?, args.number("gae_lambda")?);
    let estimator: Box<dyn Estimator> =
        if gae_lambda < 1.0 || is_upgo(args)? { estimator(args)? } else { Box::new(NStep { n_steps }) };
    Ok(OnPolicy {
        horizon: Horizon::Steps(n_steps),
        gamma: args.number("gamma")?,
        estimator,
        objective: PolicyGradient
            .plus(args.number("vf_coef")?, ValueLoss::default())
            .minus(scheduled(args, &ENT_COEF)?, Entropy),
        normalize_advantage: args.flag("normalize_advantage")?,
        n_epochs: 1,
        n_minibatches: 1,
        target_kl: f64::INFINITY,
    })
}
