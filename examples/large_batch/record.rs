//! One run, and the file that says what came of it.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};
use uphill::stats::Reached;
use uphill::{Config, Error, Event, Result, StoppedBy, Trainer};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// All settings, as TOML.
    pub(crate) config: String,
    /// Whether an evaluation had the return that was asked for.
    pub(crate) reached: bool,
    /// Environment steps taken until then, or in all.
    pub(crate) env_steps: u64,
    /// Rollouts learnt from until then, or in all.
    pub(crate) rollouts: u64,
    /// The update in which training left the real numbers, if it did.
    pub(crate) diverged: Option<u64>,
    /// Environment steps and mean return of each evaluation.
    pub(crate) evaluations: Vec<(u64, f64)>,
    /// Seconds of processor time.
    pub(crate) seconds: f64,
}

impl Record {
    /// What the file says of this run; nothing where there is none, or where it is no record.
    ///
    /// # Errors
    /// [`Error::File`] where it is of a run of other settings; [`Error::Io`] where it cannot be read.
    pub(crate) fn read(path: &Path, config: &Config) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| Error::Io { path: path.into(), source })?,
        };
        let Ok(record) = serde_json::from_str::<Self>(&text) else { return Ok(None) };
        if record.config != config.to_toml()? {
            let problem = "it is of a run of other settings: give --out another folder, or move this one away";
            return Err(Error::File { path: path.into(), problem: problem.into() });
        }
        Ok(Some(record))
    }

    /// Trains until an evaluation has the return, or all steps are taken. A run that diverges is a record like any other.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let started = ThreadTime::now();
        let mut trainer = Trainer::new(config)?;
        let (mut evaluations, mut diverged) = (Vec::new(), None);
        loop {
            match trainer.advance() {
                Ok(Some(Event::Evaluation(it))) => {
                    evaluations.extend(it.evaluation.return_mean.map(|mean| (it.env_steps, mean)));
                }
                Ok(Some(Event::Update(_))) => {}
                Ok(None) => break,
                Err(Error::Diverged { update, .. }) => {
                    diverged = Some(update);
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(Self {
            config: config.to_toml()?,
            reached: trainer.stopped_by() == Some(StoppedBy::StopAtReturn),
            env_steps: trainer.env_steps(),
            rollouts: trainer.updates(),
            diverged,
            evaluations,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Writes it as a file that is whole or not there.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| Error::Config(e.to_string()))?;
        whole(path, text.as_bytes())
    }

    /// Steps until the return was there, of a run that was to have so many. One that diverged would never have got there.
    pub(crate) fn steps(&self, most: u64) -> Reached {
        if self.reached { Reached::At(self.env_steps) } else { Reached::NotBy(most) }
    }

    /// The mean return of the last evaluation; none of a run that diverged.
    pub(crate) fn last_return(&self) -> Option<f64> {
        self.evaluations.last().filter(|_| self.diverged.is_none()).map(|&(_, mean)| mean)
    }
}

/// Writes a file that is whole or not there, whenever this is killed.
pub(crate) fn whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = PathBuf::from(format!("{}.part", path.display()));
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|source| Error::Io { path: path.into(), source })
}
