//! Statistics of runs over seeds and tasks, with their uncertainty.
//!
//! Few seeds say little, and a mean without an interval hides how little. What is here follows Agarwal et al. 2021, *Deep
//! Reinforcement Learning at the Edge of the Statistical Precipice*, <https://arxiv.org/abs/2108.13264>, and agrees with
//! its library rliable. Everything takes plain numbers, so the scores may come from anywhere.
//!
//! ```
//! use uphill::stats::{
//!     Aggregates, Bootstrap, KaplanMeier, PerformanceProfile, Scale, Scores, probability_of_improvement_interval,
//!     steps_to_threshold,
//! };
//!
//! // Final returns: a row for each seed, a column for each task (CartPole-v1, FourRooms-v0).
//! let scales = [Scale::new(22.0, 500.0)?, Scale::new(0.0, 1.0)?];
//! let ppo = Scores::from_runs(&[[500.0, 0.8], [487.0, 0.9], [500.0, 0.7], [310.0, 0.8]])?.normalised(&scales)?;
//! let a2c = Scores::from_runs(&[[420.0, 0.7], [9.0, 0.0], [500.0, 0.6], [281.0, 0.8]])?.normalised(&scales)?;
//!
//! // One number a method, and how sure it is.
//! let bootstrap = Bootstrap { reps: 5_000, ..Bootstrap::default() };
//! let iqm = Aggregates::of(&ppo, &bootstrap)?.iqm;
//! println!("IQM of PPO {:.2}, 95 % interval {:.2} to {:.2}", iqm.point, iqm.low, iqm.high);
//!
//! // Which share of runs scores more than how much.
//! let profile = PerformanceProfile::of_runs(&ppo, &[0.25, 0.5, 0.75], &bootstrap)?;
//! assert_eq!(profile.share[0].point, 1.0);
//!
//! // How often a run of the one beats a run of the other.
//! let better = probability_of_improvement_interval(&ppo, &a2c, &bootstrap)?;
//! assert!(better.point > 0.5 && better.low <= better.point && better.point <= better.high);
//!
//! // How many steps it takes, with the run that never got there.
//! let env_steps = [10_000, 20_000, 30_000];
//! let curves = [[30.0, 400.0, 480.0], [25.0, 180.0, 490.0], [22.0, 30.0, 41.0]];
//! let reached = curves.map(|returns| steps_to_threshold(&env_steps, &returns, 475.0));
//! let reached: Vec<_> = reached.into_iter().collect::<Result<_, _>>()?;
//! assert_eq!(KaplanMeier::of(&reached)?.median(), 30_000.0);
//! # Ok::<(), uphill::stats::StatsError>(())
//! ```

mod aggregate;
mod bootstrap;
mod curve;
mod error;
mod improvement;
mod interval;
mod profile;
mod scale;
mod scores;
mod sensitivity;
mod survival;

pub use aggregate::{Aggregates, interquartile_mean, iqm, mean, median, optimality_gap};
pub use bootstrap::Bootstrap;
pub use curve::{area_under_curve, steps_to_threshold};
pub use error::StatsError;
pub use improvement::{probability_of_improvement, probability_of_improvement_interval};
pub use interval::Interval;
pub use profile::PerformanceProfile;
pub use scale::Scale;
pub use scores::Scores;
pub use sensitivity::{Sensitivity, share_near_best};
pub use survival::{KaplanMeier, Reached, median_steps, restricted_mean_steps};
