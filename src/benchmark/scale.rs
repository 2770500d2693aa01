//! What returns are measured by: 0 is the random policy's, 1 the optimum.

use uphill_envs::{GridWorld, GridWorldConfig, shown};

use super::grid::Task;
use crate::stats::Scale;
use crate::{Config, Error, Result};

/// CartPole-v1: the random policy's mean over a million episodes, 22.27 ± 0.01 (standard error), in Gymnasium's own
/// numbers; the optimum is the time limit of 500 steps at a reward of 1.
const CART_POLE: (f64, f64) = (22.27, 500.0);

/// The scale of a task's undiscounted returns: what it says itself, or else, for a grid world, the exact values of its
/// model within the time limit, and for CartPole-v1 measured ones.
pub(super) fn of(task: &Task, config: &Config) -> Result<Scale> {
    let known = match (task.random_return, task.optimal_return) {
        (Some(random), Some(optimal)) => Some((random, optimal)),
        _ => known(config)?,
    };
    let place = task.label();
    let Some((random, optimal)) = known else {
        let remedy = "give the task `random_return` and `optimal_return`, which become the scores 0 and 1";
        return Err(Error::Config(format!("{place}: what a random and the best policy earn is not known: {remedy}")));
    };
    let random = task.random_return.unwrap_or(random);
    let optimal = task.optimal_return.unwrap_or(optimal);
    if !(random.is_finite() && optimal.is_finite() && random < optimal) {
        let got = format!("random_return = {}, optimal_return = {}", shown(random), shown(optimal));
        return Err(Error::Config(format!("{place}: {got} is impossible: the optimum must be the larger one")));
    }
    Ok(Scale::new(random, optimal)?)
}

fn known(config: &Config) -> Result<Option<(f64, f64)>> {
    let presets = [
        GridWorldConfig::four_by_four(),
        GridWorldConfig::four_rooms(),
        GridWorldConfig::cliff_walking(),
        GridWorldConfig::cliff_walking_slippery(),
    ];
    let grid = config.gridworld.clone().or_else(|| presets.into_iter().find(|preset| preset.id == config.env));
    let Some(grid) = grid else {
        return Ok(Some(CART_POLE).filter(|_| config.env == "CartPole-v1"));
    };
    let limit = grid.max_episode_steps;
    let mdp = GridWorld::new(grid)?.model()?;
    let uniform = vec![1.0 / mdp.actions() as f64; mdp.states() * mdp.actions()];
    let (random_return, optimal_return) = match limit {
        Some(limit) => (mdp.start_value_within(&uniform, limit)?, mdp.optimal_value_within(limit)),
        None => {
            let best = mdp.optimal_values(1.0)?;
            let optimum = mdp.start().iter().zip(best).map(|(p, value)| p * value).sum();
            (mdp.start_value(&uniform, 1.0)?, optimum)
        }
    };
    Ok(Some((random_return, optimal_return)))
}
