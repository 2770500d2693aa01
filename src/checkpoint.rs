//! All that a run is in the middle of, so that it can go on elsewhere as if nothing had happened.
//!
//! ```
//! use uphill::{Checkpoint, Config, Trainer};
//!
//! let config = Config { steps: 4_096, ..Config::for_algo("ppo")? };
//! let mut trainer = Trainer::new(&config)?;
//! trainer.step()?;
//! let bytes = trainer.checkpoint()?.to_bytes()?;
//!
//! let mut elsewhere = Trainer::resume(&Checkpoint::from_bytes(&bytes)?)?;
//! trainer.step()?;
//! elsewhere.step()?;
//! assert_eq!(trainer.params().snapshot()?, elsewhere.params().snapshot()?);
//! # Ok::<(), uphill::Error>(())
//! ```

mod file;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::arrays::{Arrays, MAX_COUNT};
use crate::evaluation::StoppedBy;
use crate::sink::Rows;
use crate::{Config, Error, Result, whole_file};

/// The state of a run between two updates: parameters, optimizer, every stream of random numbers, every environment, the
/// last episodes and those that do not count yet, the best parameters so far, counters and configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub(crate) config: Config,
    pub(crate) progress: Progress,
    pub(crate) arrays: Arrays,
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Updates made.
    pub update: u64,
    /// Environment steps taken, all lanes together.
    pub env_steps: u64,
    /// Episodes finished.
    pub episodes: u64,
    /// As [`History::solved_at_step`](crate::History::solved_at_step).
    pub solved_at_step: Option<u64>,
    /// Times that training left the real numbers and went on, as [`OnDivergence`](crate::OnDivergence) says.
    pub divergences: u64,
    /// Those of them since the last update that did not.
    pub(crate) divergences_in_a_row: u64,
    /// Seconds spent in training.
    pub wall_seconds: f64,
    /// The rows of the run's `metrics.csv`, where it is of a run in a folder.
    pub(crate) metrics: Rows,
    /// How far its other sinks are, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sinks: BTreeMap<String, String>,
    /// The best mean return of 100 episodes after any update of the run so far.
    pub(crate) best_return: Option<f64>,
    /// That update.
    pub(crate) best_update: u64,
    /// What evaluations have come to, once there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evaluations: Option<Evaluations>,
}

/// What evaluations of a run have come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evaluations {
    /// Environment steps at the last one.
    pub(crate) env_steps: u64,
    /// Those in a row, up to the last, that were no better than the best before them.
    pub(crate) without_improvement: u64,
    /// The best mean return, and the update that it came after.
    pub(crate) best_return: Option<f64>,
    pub(crate) best_update: u64,
    pub(crate) stopped_by: Option<StoppedBy>,
}

impl Progress {
    /// Refuses what no run ever comes to.
    fn check(&self) -> Result<()> {
        let Self { update, env_steps, episodes, divergences, divergences_in_a_row, best_update, .. } = *self;
        let counts =
            [("update", update), ("env_steps", env_steps), ("episodes", episodes), ("divergences", divergences)];
        let more = [("divergences_in_a_row", divergences_in_a_row), ("best_update", best_update)];
        let evaluations = self.evaluations.unwrap_or_default();
        let of_evaluations = [
            ("evaluations.env_steps", evaluations.env_steps),
            ("evaluations.without_improvement", evaluations.without_improvement),
            ("evaluations.best_update", evaluations.best_update),
        ];
        let counts = counts.into_iter().chain(more).chain(of_evaluations);
        match counts.into_iter().find(|&(_, count)| count > MAX_COUNT) {
            Some((name, count)) => Err(Error::Checkpoint(format!("{name} = {count} is more than a run ever comes to"))),
            None => Ok(()),
        }
    }
}

impl Checkpoint {
    /// What the run was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How far it was.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A setting that its run had otherwise than a configuration has it, of those that may not differ, but for what continuing
    /// the run changes.
    pub(crate) fn other_setting(&self, config: &Config) -> Result<Option<String>> {
        let Config { threads, device, max_memory, sinks, catalogue, .. } = config.clone();
        let theirs = self.config.clone().continued_like(config, self.progress.env_steps);
        let same = Config { threads, device, max_memory, sinks, catalogue, ..theirs };
        let (theirs, ours) = (same.to_table()?, config.to_table()?);
        let differs = |name: &&String| theirs.get(*name) != ours.get(*name);
        Ok(ours.keys().chain(theirs.keys()).find(differs).cloned())
    }

    /// Writes the file: a kill at any moment leaves it whole, or the one before it, or none.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written, and what [`Checkpoint::to_bytes`] fails with.
    pub fn write(&self, path: &Path) -> Result<()> {
        whole_file::write(path, &self.to_bytes()?).map_err(Error::io(path))
    }
}
