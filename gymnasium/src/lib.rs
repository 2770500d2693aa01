//! Every environment of an installed [Gymnasium](https://gymnasium.farama.org) 1.x, by its name after `gymnasium/`:
//! `gymnasium/LunarLander-v3`, `gymnasium/Ant-v5`, `gymnasium/ALE/Breakout-v5`.
//!
//! Python runs within this program, and is started when the first such name is asked for. The interpreter is that of the virtual
//! environment in `VIRTUAL_ENV`, else `python3` of the path; Gymnasium is what is installed there.
//!
//! ```no_run
//! use uphill::Trainer;
//!
//! let catalogue = uphill_gymnasium::catalogue();
//! let config = uphill::Config::from_toml_with("env = 'gymnasium/LunarLander-v3(continuous=true)'", &catalogue)?;
//! let mut trainer = Trainer::new(&config)?;
//! trainer.step()?;
//! # Ok::<(), uphill::Error>(())
//! ```
//!
//! Lanes are environments of their own, each stepped and reset by itself, so what Gymnasium calls autoreset plays no part: an
//! episode's last observation is the one that its last step returned. [`GymnasiumLanes`] tells how they are spread over processes,
//! and what becomes of Gymnasium's own vectors of environments.

mod env;
mod family;
mod lanes;
mod picture;
mod python;
mod seat;
mod spec;

pub use env::GymnasiumEnv;
pub use family::FAMILY;
pub use lanes::GymnasiumLanes;

/// The catalogue of `uphill`, and Gymnasium's environments.
#[must_use]
pub fn catalogue() -> uphill::Catalogue {
    uphill::Catalogue::default().with(FAMILY)
}

/// The code of the README is tested, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
