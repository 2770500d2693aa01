use super::params::{BASELINE, ENT_COEF, EPISODES, GAMMA, NORMALIZE_ADVANTAGE, VF_COEF, scheduled};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::advantage::{DiscountedStates, Estimator, MonteCarlo};
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::rollout::Horizon;
use crate::words::{Args, Param};

pub(super) const ROW: Row = Row {
    name: "reinforce",
    summary: "Monte Carlo policy gradient over whole episodes",
    params: &[EPISODES, GAMMA, BASELINE, NORMALIZE_ADVANTAGE.or("true"), ENT_COEF, VF_COEF, DISCOUNT_STATES],
    make: Make { settings: &[("lr", "4e-3")], build: |args, lanes| Ok(Box::new(reinforce(args, lanes)?)) },
};

const DISCOUNT_STATES: Param = Param::flag(
    "discount_states",
    "false",
    "whether the step t of an episode counts gamma^t, as in the gradient of the discounted return, or like any other",
);

/// REINFORCE: the policy gradient with the return that whole episodes really had, less a learnt baseline or not.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; baseline: Sutton and Barto 2018, section 13.4.
fn reinforce(args: &Args, lanes: usize) -> Result<OnPolicy> {
    let policy = PolicyGradient.minus(scheduled(args, &ENT_COEF)?, Entropy);
    let (baseline, gamma) = (args.flag("baseline")?, args.number("gamma")?);
    let returns = Box::new(MonteCarlo { baseline });
    let estimator: Box<dyn Estimator> = match args.flag("discount_states")? {
        true => Box::new(DiscountedStates(returns)),
        false => returns,
    };
    let horizon = Horizon::Episodes(args.count("episodes")? / lanes.max(1));
    let objective = if baseline { policy.plus(args.number("vf_coef")?, ValueLoss::default()) } else { policy };
    let normalize_advantage = args.flag("normalize_advantage")?;
    Ok(OnPolicy { normalize_advantage, ..OnPolicy::new(horizon, gamma, estimator, objective) })
}
