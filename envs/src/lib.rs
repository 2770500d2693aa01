//! Reinforcement-learning environments with Gymnasium's dynamics and seeding.
//!
//! An [`Env`] is one environment, a [`VecEnv`] is `N` of them stepped together, and [`Lanes`] makes the second
//! from the first; [`Columns`] does so faster where an environment's state is a few numbers. [`TimeLimit`] says when an
//! episode is truncated, and nothing else does. No tensors here: observations are `f32` slices, so this crate builds in
//! seconds and can be used alone.
//!
//! [`make`] and [`make_vec`] know every environment by its name; [`ids`] lists the names. A seed means what it means to
//! Gymnasium: the same first observations, lane by lane, and the same episodes after them.
//!
//! ```
//! use uphill_envs::{Action, End, make};
//!
//! let mut env = make("CartPole-v1")?;
//! let mut observation = vec![0.0; env.spec().observation_len()];
//! env.reset(Some(42), &mut observation)?;
//! let mut total = 0.0;
//! let end = loop {
//!     // Push to the side that the pole falls to.
//!     let right = observation[2] + 0.5 * observation[3] > 0.0;
//!     let step = env.step(Action::Discrete(right.into()), &mut observation)?;
//!     total += step.reward;
//!     if step.end.ended() {
//!         break step.end;
//!     }
//! };
//! assert_eq!((total, end), (500.0, End::Truncated));
//! # Ok::<(), uphill_envs::EnvError>(())
//! ```
//!
//! A [`GridWorld`] is a map of characters. It can be walked, and it can be solved: its [`model`](GridWorld::model) is a
//! [`FiniteMdp`], which answers exactly what sampled learning estimates. [`FrozenLake`], [`Taxi`] and [`Blackjack`] have such
//! a model, too.
//!
//! # Environments
//!
#![doc = include_str!("environments.md")]

pub mod acrobot;
mod bandit;
mod blackjack;
pub mod cartpole;
mod check;
mod columns;
mod dm_control;
mod drawing;
mod env;
mod episodes;
mod error;
mod frame_stack;
mod frozen_lake;
mod gridworld;
mod guard;
#[cfg(feature = "gym-rs")]
mod gym_rs;
mod likeness;
mod map;
mod memory_chain;
mod minatar;
pub mod mountain_car;
pub mod mountain_car_continuous;
mod number;
mod one_hot;
mod owned_action;
pub mod pendulum;
mod picture;
mod probes;
mod quote;
mod registry;
mod repeat_previous;
mod seeding;
mod space;
mod t_maze;
mod tabular;
mod tabular_env;
mod taxi;
mod time_limit;
mod underway;
mod vector;
mod without_velocity;
mod wrappers;

/// The code of the README is tested, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use acrobot::Acrobot;
pub use bandit::Bandit;
pub use blackjack::Blackjack;
pub use cartpole::CartPole;
pub use check::{Finding, check_env, check_vec_env};
pub use columns::{Columns, Dynamics};
pub use dm_control::{DmAcrobot, DmCartPole, DmControl, DmPendulum};
pub use drawing::{Colour, Drawing, Shape};
pub use env::{Action, End, Env, Spec, Step};
pub use error::EnvError;
pub use frame_stack::FrameStack;
pub use frozen_lake::{FrozenLake, FrozenLakeConfig};
pub use gridworld::{GridMoves, GridObservation, GridState, GridWorld, GridWorldConfig};
pub use guard::{Guarded, guarded};
#[cfg(feature = "gym-rs")]
pub use gym_rs::GymRs;
pub use likeness::nearest;
pub use map::{Cell, Letters, Map, MapError};
pub use memory_chain::MemoryChain;
pub use minatar::{Asterix, Breakout, Freeway, MinAtar, MinAtarConfig, Seaquest, SpaceInvaders};
pub use mountain_car::MountainCar;
pub use mountain_car_continuous::MountainCarContinuous;
pub use number::{counted, shown};
pub use one_hot::OneHot;
pub use pendulum::Pendulum;
pub use picture::{Picture, Stretch};
pub use probes::{corridor, delayed_reward, random_mdp};
pub use quote::quoted;
pub use registry::{ids, make, make_vec, rows, summary, unknown};
pub use repeat_previous::RepeatPrevious;
pub use seeding::NumpyRng;
pub use space::Space;
pub use t_maze::TMaze;
pub use tabular::{FiniteMdp, MdpError, Outcome};
pub use tabular_env::TabularEnv;
pub use taxi::Taxi;
pub use time_limit::TimeLimit;
pub use vector::{Actions, Lanes, Spread, Task, Transitions, VecEnv};
pub use without_velocity::WithoutVelocity;
pub use wrappers::{
    ActionRepeat, ClipAction, EpisodeStatistics, Flatten, Played, Recording, RescaleAction, RewardScale, StickyActions,
    TimeAware,
};
