use crate::Config;
use crate::advantage::Gae;
use crate::algo::OnPolicy;
use crate::objective::{ClippedSurrogate, Entropy, Objective, ValueLoss};
use crate::rollout::Horizon;

/// Proximal policy optimisation: several passes over each rollout, held near the policy that made it by clipping.
///
/// Defaults are CleanRL's for CartPole, <https://docs.cleanrl.dev/rl-algorithms/ppo/>, but for `clip_grad_by`, which is
/// `whole` there.
///
/// Schulman et al. 2017, <https://arxiv.org/abs/1707.06347>.
#[must_use]
pub fn ppo(c: &Config) -> OnPolicy {
    OnPolicy {
        horizon: Horizon::Steps(c.n_steps),
        gamma: c.gamma,
        estimator: Box::new(Gae { gae_lambda: c.gae_lambda as f32 }),
        objective: ClippedSurrogate::new(c.clip_range)
            .plus(c.vf_coef, ValueLoss { clip_range_vf: c.clip_range_vf })
            .plus(-c.ent_coef, Entropy),
        normalize_advantage: c.normalize_advantage,
        n_epochs: c.n_epochs,
        n_minibatches: c.n_minibatches,
        target_kl: c.target_kl,
    }
}

pub(super) fn defaults() -> Config {
    Config {
        n_epochs: 4,
        n_minibatches: 4,
        clip_range_vf: 0.2,
        ent_coef: 0.01,
        normalize_advantage: true,
        ..Config::base("ppo")
    }
}
