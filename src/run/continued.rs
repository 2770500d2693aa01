//! The folder of a run that has ended and is trained for longer.

use std::io::ErrorKind;
use std::path::PathBuf;

use uphill_envs::counted;

use super::{RunFolder, SUMMARY};
use crate::{Catalogue, Error, Result, Trainer, own_folder};

impl RunFolder {
    /// Opens the folder of a run that has ended and goes on with it for `more` environment steps, with the rows of this
    /// catalogue. `config.toml` has the new end, and in [`continued`](crate::Config::continued) where the old one was: from
    /// there on schedules go by the share of all steps, old and new. [`RunFolder::resume_with`] goes on if this is broken off.
    ///
    /// # Errors
    /// As [`RunFolder::resume_with`]; [`Error::File`] for a run that has not ended, [`Error::Config`] for no steps or too many.
    pub fn continue_with(
        path: impl Into<PathBuf>,
        catalogue: &Catalogue,
        more: u64,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        let path = path.into();
        let (mut run, trainer, _) = Self::resume_with(&path, catalogue)?;
        let at = trainer.env_steps();
        if !trainer.is_done() {
            let steps = counted(run.config.steps.saturating_sub(at), "step");
            let problem = format!("this run has not ended: {steps} are left; resume it without more of them first");
            return Err(Error::File { path, problem });
        }
        drop(trainer);
        run.config = run.config.continued_for(at, more)?;
        // With this it is continued: what knows of the old end alone is gone on from all the same.
        run.write_config()?;
        let summary = own_folder::file(&path, SUMMARY)?;
        match std::fs::remove_file(&summary) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io(&summary)(e)),
            _ => drop(run),
        }
        Self::resume_with(path, catalogue)
    }
}
