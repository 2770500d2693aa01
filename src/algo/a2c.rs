use crate::Config;
use crate::advantage::{Estimator, Gae, NStep};
use crate::algo::OnPolicy;
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::optim::Spec;
use crate::rollout::Horizon;

/// Advantage actor-critic, synchronous: one policy-gradient step a short rollout, advantages from n-step returns, or
/// from generalised advantage estimation where `gae_lambda` is below 1.
///
/// Mnih et al. 2016, <https://arxiv.org/abs/1602.01783>.
#[must_use]
pub fn a2c(c: &Config) -> OnPolicy {
    let estimator: Box<dyn Estimator> = if c.gae_lambda < 1.0 {
        Box::new(Gae { gae_lambda: c.gae_lambda as f32 })
    } else {
        Box::new(NStep { n_steps: c.n_steps })
    };
    OnPolicy {
        horizon: Horizon::Steps(c.n_steps),
        gamma: c.gamma,
        estimator,
        objective: PolicyGradient.plus(c.vf_coef, ValueLoss::default()).plus(-c.ent_coef, Entropy),
        normalize_advantage: c.normalize_advantage,
        n_epochs: 1,
        n_minibatches: 1,
        target_kl: f64::INFINITY,
    }
}

pub(super) fn defaults() -> Config {
    let optimizer = Spec::link("rmsprop", &[("eps", 1e-5)]);
    Config { optimizer, lr: 7e-4, envs: 8, n_steps: 5, gae_lambda: 1.0, ..Config::base("a2c") }
}
