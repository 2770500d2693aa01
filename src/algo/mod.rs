//! Algorithms as recipes over one struct: estimate, then descend an objective.

mod a2c;
mod on_policy;
mod ppo;
mod reinforce;

pub use a2c::a2c;
pub use on_policy::{Learner, OnPolicy};
pub use ppo::ppo;
pub use reinforce::reinforce;

use crate::{Config, Error, Result};

/// A named algorithm.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What `--algo` calls it.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its own defaults for every setting.
    pub defaults: fn() -> Config,
    /// Makes it.
    pub build: fn(&Config) -> OnPolicy,
}

/// Every named algorithm. A row enrols it in the learning tests and in `--algo`.
pub const ALGOS: &[Recipe] = &[
    Recipe {
        name: "reinforce",
        summary: "Monte Carlo policy gradient over whole episodes",
        defaults: reinforce::defaults,
        build: reinforce,
    },
    Recipe { name: "a2c", summary: "advantage actor-critic on short rollouts", defaults: a2c::defaults, build: a2c },
    Recipe { name: "ppo", summary: "proximal policy optimisation", defaults: ppo::defaults, build: ppo },
];

/// The algorithm of that name.
///
/// # Errors
/// [`Error::Config`], with the nearest name, if there is none.
pub fn recipe(name: &str) -> Result<&'static Recipe> {
    ALGOS
        .iter()
        .find(|recipe| recipe.name == name)
        .ok_or_else(|| Error::unknown("algorithm", name, ALGOS.iter().map(|recipe| recipe.name)))
}
