//! Policy-gradient reinforcement learning on candle tensors.
//!
//! ```text
//! Env -> VecEnv[N] -> Collector -> Rollout[T,N] -> Estimator -> Objective -> gradient[P] -> Optimizer -> Params[P]
//!                       ^                                                 chain of GradientTransform        |
//!                       +------------------------- Model (no graph) <---------------------------------------+
//! ```
//!
//! Left of `Objective` all is plain host memory; from there to [`Params`] all is candle tensors on the chosen device.
//! The shortest way in is a [`Config`] and a [`Trainer`]:
//!
//! ```
//! use uphill::{Config, Trainer};
//!
//! let config = Config { steps: 2_048, ..Config::for_algo("ppo")? };
//! let mut trainer = Trainer::new(&config)?;
//! while let Some(metrics) = trainer.step()? {
//!     println!("{} steps: mean return {:?}", metrics.env_steps, metrics.episode_return_mean);
//! }
//! let mut policy = trainer.into_policy()?;
//! println!("{:?}", policy.evaluate(10, uphill::Seed(7))?);
//! # Ok::<(), uphill::Error>(())
//! ```

pub mod advantage;
pub mod algo;
mod arrays;
pub mod benchmark;
mod buffers;
#[cfg(feature = "pictures")]
mod canvas;
#[cfg(feature = "pictures")]
pub mod card;
pub mod catalogue;
mod checked_file;
mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
mod collect;
mod config;
mod console;
pub mod destination;
mod device;
mod device_lanes;
pub mod distributions;
mod episodes;
mod error;
mod evaluation;
pub mod export;
mod findings;
pub mod gradient;
pub mod host_only;
mod host_slice;
pub mod import;
pub mod init;
mod kernels;
pub mod landscape;
mod lane_group;
mod layout;
mod metrics;
pub mod models;
mod moments;
pub mod names;
mod normaliser;
pub mod objective;
mod on_divergence;
pub mod optim;
pub mod oracle;
mod own_folder;
mod pace;
mod params;
pub mod philox;
#[cfg(feature = "pictures")]
pub mod plot;
mod policy;
mod precision;
#[cfg(feature = "pictures")]
pub mod render;
#[cfg(feature = "pictures")]
pub mod report;
pub mod rollout;
mod run;
pub mod schedule;
mod scratch;
pub mod screen;
mod seed;
mod settings;
pub mod sink;
pub mod stats;
mod stop;
mod summary;
pub mod tensor_env;
mod threads;
mod train;
pub mod tuning;
mod whole_file;
#[cfg(feature = "pictures")]
mod whole_folder;
pub mod words;
mod world;

pub use buffers::Buffers;
pub use catalogue::Catalogue;
pub use checkpoint::{Checkpoint, Progress};
pub use collect::{Collector, MakeEnvs};
pub use config::{Config, StopAt};
pub use console::Console;
pub use device::{DeviceChoice, DeviceError, device_name};
pub use episodes::Episode;
pub use error::{Error, Result};
pub use evaluation::{Evaluated, Evaluation, StoppedBy};
pub use findings::findings;
pub use layout::{Block, Layout};
pub use metrics::{History, Metrics, UpdateReport};
pub use models::{MlpConfig, MlpModel, Model, ModuleModel};
pub use on_divergence::OnDivergence;
pub use params::Params;
pub use policy::{Memory, Mode, Policy, Which};
pub use precision::Precision;
pub use rollout::{ActionColumn, Horizon, ObservationColumn, Rollout};
pub use run::{Keep, RunFolder};
pub use scratch::Scratch;
pub use seed::{Rng, Seed};
pub use sink::Sink;
pub use stop::Stop;
pub use summary::Summary;
pub use threads::Threads;
pub use train::{Best, BuildNetwork, Event, Overrides, Spent, Trainer};
pub use uphill_envs as envs;
pub use world::{Alone, World};
#[cfg(feature = "mpi")]
pub use world::{MpiWorld, RankError};
#[cfg(feature = "nccl")]
pub use world::{NcclError, NcclWorld};

/// The code of the page on training, compiled.
/// The pages that are read one after another: all their code is compiled.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../docs/guide/first-agent.md")]
    struct FirstAgent;
    #[doc = include_str!("../docs/guide/own-network.md")]
    struct OwnNetwork;
    #[doc = include_str!("../docs/guide/own-optimizer.md")]
    struct OwnOptimizer;
    #[doc = include_str!("../docs/migrating/stable-baselines3.md")]
    struct FromStableBaselines3;
    #[doc = include_str!("../docs/migrating/cleanrl.md")]
    struct FromCleanRl;
    #[doc = include_str!("../docs/migrating/candle.md")]
    struct FromCandle;
}

#[cfg(doctest)]
#[doc = include_str!("../docs/training.md")]
struct Training;
