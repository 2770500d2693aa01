//! The folder of a run that has ended and is trained for longer.

use std::io::ErrorKind;
use std::path::PathBuf;

use uphill_envs::counted;

use super::checkpoints::Checkpoints;
use super::{RunFolder, SUMMARY};
use crate::{Catalogue, Checkpoint, Config, Error, Result, Trainer, own_folder};

impl RunFolder {
    /// Opens the folder of a run that has ended and goes on with it for `more` environment steps, with the rows of this
    /// catalogue: [`RunFolder::continue_for`], as [`RunFolder::resume_with`] goes on if this is broken off.
    ///
    /// # Errors
    /// As [`RunFolder::continue_for`]; [`Error::File`] naming the rows that the run needs and the catalogue does not have.
    pub fn continue_with(
        path: impl Into<PathBuf>,
        catalogue: &Catalogue,
        more: u64,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        let path = path.into();
        let make = Self::made_with(&path, catalogue, |_| None);
        Self::continue_in(path.clone(), catalogue, more, make)
    }

    /// Opens the folder of a run that has ended and goes on with it for `more` environment steps. `make` makes the trainer, such as
    /// [`Trainer::new`], as for [`RunFolder::resume`], which goes on if this is broken off. `config.toml` has the new end, and in
    /// [`continued`](Config::continued) where the old one was: from there on schedules go by the share of all steps, old and new.
    ///
    /// # Errors
    /// As [`RunFolder::resume`]; [`Error::File`] for a run that has not ended, [`Error::Config`] for no steps or too many. The run
    /// is then as it was.
    pub fn continue_for(
        path: impl Into<PathBuf>,
        more: u64,
        make: impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        Self::continue_in(path.into(), &Catalogue::default(), more, make)
    }

    /// The same of a run whose words are those of this catalogue.
    pub(crate) fn continue_in(
        path: PathBuf,
        catalogue: &Catalogue,
        more: u64,
        make: impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        // What has not even a checkpoint would begin again.
        if path.join("config.toml").exists()
            && Checkpoints::of_run(&path).numbered().is_empty()
            && !path.join(SUMMARY).exists()
        {
            let problem = "this run has not ended, and has no checkpoint yet; resume it without more steps first";
            return Err(Error::File { path, problem: problem.into() });
        }
        let (mut run, ended, mut notes) = Self::reopen(path, catalogue, &make)?;
        let at = ended.env_steps();
        let Some(file) = run.checkpoints.last.as_ref().filter(|_| ended.is_done()) else {
            let left = match run.config.steps.saturating_sub(at) {
                0 => "its last evaluation is due".into(),
                1 => "1 step is left".into(),
                steps => format!("{} are left", counted(steps, "step")),
            };
            let problem = format!("this run has not ended: {left}; resume it without more steps first");
            return Err(Error::File { path: run.path, problem });
        };
        // The file has it of all ranks, of which only this one is here yet.
        let checkpoint = Checkpoint::read_with(file, catalogue)?;
        run.config = run.config.continued_for(at, more)?;
        drop(ended);
        let mut trainer = make(&run.config)?;
        trainer.restore(&checkpoint)?;
        notes.extend(trainer.take_notes());
        let summary = own_folder::file(&run.path, SUMMARY)?;
        // With this it is continued: what knows of the old end alone is gone on from all the same.
        run.write_config()?;
        match std::fs::remove_file(&summary) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(&summary)(e)),
            _ => Ok((run, trainer, notes)),
        }
    }
}
