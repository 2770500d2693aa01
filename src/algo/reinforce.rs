use crate::Config;
use crate::advantage::MonteCarlo;
use crate::algo::OnPolicy;
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::rollout::Horizon;

/// REINFORCE: the policy gradient with the return that whole episodes really had, less a learnt baseline or not.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; baseline: Sutton and Barto 2018, section 13.4.
#[must_use]
pub fn reinforce(c: &Config) -> OnPolicy {
    let policy = PolicyGradient.plus(-c.ent_coef, Entropy);
    OnPolicy {
        horizon: Horizon::Episodes(c.episodes / c.envs.max(1)),
        gamma: c.gamma,
        estimator: Box::new(MonteCarlo { baseline: c.baseline }),
        objective: if c.baseline { policy.plus(c.vf_coef, ValueLoss::default()) } else { policy },
        normalize_advantage: c.normalize_advantage,
        n_epochs: 1,
        n_minibatches: 1,
        target_kl: f64::INFINITY,
    }
}

pub(super) fn defaults() -> Config {
    Config { lr: 4e-3, normalize_advantage: true, ..Config::base("reinforce") }
}
