use super::params::{DISCOUNT_STATES, ENT_COEF, EPISODES, GAMMA, NORMALIZE_ADVANTAGE, of_states, scheduled};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::advantage::LeaveOneOut;
use crate::objective::{Entropy, Objective, PolicyGradient};
use crate::rollout::{Horizon, Rollout};
use crate::words::{Args, Kind, Param};

pub(super) const ROW: Row = Row {
    name: "rloo",
    summary: "REINFORCE without a critic, each episode against the mean of the others",
    params: &[OTHERS, GAMMA, NORMALIZE_ADVANTAGE, ENT_COEF, DISCOUNT_STATES],
    make: Make { settings: &[("lr", "4e-3")], build: |args, lanes| Ok(Box::new(rloo(args, lanes)?)) },
};

/// One episode has no others.
const OTHERS: Param = Param { kind: Kind::Count(2, Rollout::MAX_STEPS), ..EPISODES };

/// REINFORCE with a leave-one-out baseline: as [`reinforce`](super::reinforce), but that what is expected is learnt from the
/// update's other episodes in place of a critic.
///
/// Kool et al. 2019, <https://openreview.net/forum?id=r1lgTGL5DE>.
fn rloo(args: &Args, lanes: usize) -> Result<OnPolicy> {
    Ok(OnPolicy {
        horizon: Horizon::Episodes(args.count("episodes")? / lanes.max(1)),
        gamma: args.number("gamma")?,
        estimator: of_states(args, LeaveOneOut)?,
        objective: PolicyGradient.minus(scheduled(args, &ENT_COEF)?, Entropy),
        normalize_advantage: args.flag("normalize_advantage")?,
        n_epochs: 1,
        n_minibatches: 1,
        target_kl: f64::INFINITY,
    })
}
