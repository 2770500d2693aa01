//! Hyper-parameters searched for: trials drawn from ranges, each run on seeds that are not reported, the best of them then
//! run on those that are.
//!
//! A [`Search`] says what is searched, [`Tuner`] does it in a folder, several runs side by side, and can be killed at any
//! moment: what is finished stays, and the same call does the rest. The tables do not depend on how many threads there were or
//! how often they were stopped.
//!
//! ```no_run
//! use uphill::Threads;
//! use uphill::tuning::{Search, Tuner};
//!
//! let search = Search::from_toml("algo = 'ppo'\nsteps = 50_000\n[tune.ranges]\nlr = { low = 1e-4, high = 1e-1, log = true }")?;
//! let found = Tuner::open(search, "runs/tune")?.run(&Threads::new(0)?, false)?;
//! println!("{:?} {:?}", found.best().map(|trial| &trial.values), found.report);
//! # Ok::<(), uphill::Error>(())
//! ```
//!
//! The folder has `search.toml` (complete), `trials/` (a file a run), `trials.csv` (a row a trial), `report.csv` (a row a
//! reported seed), `best.toml` (which `train --config` takes) and the picture `tuning.png`.

mod attempt;
mod found;
mod halving;
mod home;
mod objective;
#[cfg(feature = "pictures")]
mod pictures;
mod sampler;
mod search;
mod section;
mod space;
mod tables;
mod trial;
mod tuner;

pub use found::{Found, Report, Reported};
pub use halving::Pruner;
pub use objective::Objective;
pub use sampler::Sampler;
pub use search::Search;
pub use space::Space;
pub use trial::{Divergence, State, Trial};
pub use tuner::Tuner;
#[cfg(feature = "cli")]
pub(crate) use {search::DECIDED, space::text_of as shown};
