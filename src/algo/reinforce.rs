use super::params::{
    BASELINE, DISCOUNT_STATES, ENT_COEF, EPISODES, GAMMA, NORMALIZE_ADVANTAGE, VF_COEF, of_states, scheduled,
};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::advantage::MonteCarlo;
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::rollout::Horizon;
use crate::words::Args;

pub(super) const ROW: Row = Row {
    name: "reinforce",
    summary: "Monte Carlo policy gradient over whole episodes",
    params: &[EPISODES, GAMMA, BASELINE, NORMALIZE_ADVANTAGE.or("true"), ENT_COEF, VF_COEF, DISCOUNT_STATES],
    make: Make { settings: &[("lr", "4e-3")], build: |args, lanes| Ok(Box::new(reinforce(args, lanes)?)) },
};

/// REINFORCE: the policy gradient with the return that whole episodes really had, less a learnt baseline or not.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; baseline: Sutton and Barto 2018, section 13.4.
fn reinforce(args: &Args, lanes: usize) -> Result<OnPolicy> {
    let policy = PolicyGradient.minus(scheduled(args, &ENT_COEF)?, Entropy);
    let (baseline, gamma) = (args.flag("baseline")?, args.number("gamma")?);
    Ok(OnPolicy {
        horizon: Horizon::Episodes(args.count("episodes")? / lanes.max(1)),
        gamma,
        estimator: of_states(args, MonteCarlo { baseline })?,
        objective: if baseline { policy.plus(args.number("vf_coef")?, ValueLoss::default()) } else { policy },
        normalize_advantage: args.flag("normalize_advantage")?,
        n_epochs: 1,
        n_minibatches: 1,
        target_kl: f64::INFINITY,
    })
}
