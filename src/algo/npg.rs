use super::natural::PARAMS;
use super::{Make, Natural, Row};

pub(super) const ROW: Row = Row {
    name: "npg",
    summary: "natural policy gradient: steps of one length in KL divergence",
    params: &PARAMS,
    make: Make { settings: SETTINGS, build: |args, _| Ok(Box::new(Natural::of(args, None)?)) },
};

/// Those of Stable-Baselines3's TRPO: rollouts of 2048 steps, and the learning rate of the critic.
pub(super) const SETTINGS: &[(&str, &str)] = &[("lr", "1e-3"), ("envs", "16"), ("anneal_lr", "false")];
