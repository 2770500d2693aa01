//! The folder of a run that was broken off, opened again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoints::{Checkpoints, update_of};
use super::sinks::Sinks;
use super::{RunFolder, SUMMARY, check};
use crate::own_folder::{self, Kind};
use crate::policy::POLICY;
use crate::{Catalogue, Checkpoint, Config, Error, Overrides, Result, Trainer, World, whole_file};

impl RunFolder {
    /// The first setting that a configuration has otherwise than the last checkpoint of a run's folder that can be read;
    /// `None` where none is, and where nothing tells.
    #[must_use]
    pub fn changed_setting(path: &Path, config: &Config) -> Option<String> {
        let newest = Checkpoints::of_run(path).numbered().into_iter().rev();
        let checkpoint = newest.map(|file| Checkpoint::read_with(&file, &config.catalogue)).find_map(Result::ok)?;
        checkpoint.other_setting(config).ok().flatten()
    }

    /// Refuses a configuration that is not the one of the run in a folder. The number of threads may be another: it changes no
    /// result.
    ///
    /// # Errors
    /// [`Error::File`] naming the first setting that differs, and what [`Config::read_toml`] fails with.
    #[cfg(feature = "cli")]
    pub(crate) fn check_settings(path: &Path, config: &Config) -> Result<()> {
        let file = path.join("config.toml");
        let there = Config::read_toml(&file)?;
        let here = config.to_toml()?.parse::<toml::Table>().map_err(|e| Error::Config(e.to_string()))?;
        let names = here.keys().chain(there.keys()).filter(|name| *name != "threads");
        let other = names.into_iter().find(|name| here.get(*name) != there.get(*name));
        other.map_or(Ok(()), |name| {
            let shown = |table: &toml::Table| table.get(name).map_or("not there".into(), ToString::to_string);
            let (was, is) = (shown(&there), shown(&here));
            let problem = format!(
                "this is a run of other settings, {name} = {was} where it would be {is}: give --out another folder, or \
                 --force to replace it"
            );
            Err(Error::File { path: file, problem })
        })
    }

    /// Opens the folder of a run that was broken off and goes on from its last checkpoint, or from the start where there
    /// is none yet, with the rows of this catalogue.
    ///
    /// # Errors
    /// As [`RunFolder::resume`]; [`Error::File`] naming the rows that the run needs and the catalogue does not have.
    pub fn resume_with(path: impl Into<PathBuf>, catalogue: &Catalogue) -> Result<(Self, Trainer, Vec<String>)> {
        let path = path.into();
        let make = Self::made_with(&path, catalogue, |_| None);
        Self::resume_in(path.clone(), catalogue, make)
    }

    /// Makes the trainers of the run in this folder, with the rows of this catalogue, and others that learn with them.
    pub(crate) fn made_with(
        path: &Path,
        catalogue: &Catalogue,
        world: impl Fn(&Config) -> Option<Arc<dyn World>>,
    ) -> impl Fn(&Config) -> Result<Trainer> {
        let config_path = path.join("config.toml");
        move |config| {
            let config = Config { catalogue: catalogue.clone(), ..config.clone() };
            match config.lacking(false, true) {
                Some(problem) => Err(Error::File { path: config_path.clone(), problem }),
                None => Trainer::with(&config, Overrides { world: world(&config), ..Overrides::default() }),
            }
        }
    }

    /// Opens the folder of a run that was broken off and goes on from its last checkpoint, or from the start where there
    /// is none yet. `make` makes the trainer, such as [`Trainer::new`]; for rows of one's own there is [`RunFolder::resume_with`].
    ///
    /// A checkpoint that cannot be read is passed over for the one before it, and told of in the notes. Only files of the
    /// names that a run gives count as its checkpoints; others are left alone, and told of too.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for a folder without a run, or with none but bad checkpoints, or with a run that has ended and
    /// left none, or that another process trains in, or that has a link under one of a run's names.
    pub fn resume(
        path: impl Into<PathBuf>,
        make: impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        Self::resume_in(path.into(), &Catalogue::default(), make)
    }

    /// The same of a run whose words are those of this catalogue.
    pub(crate) fn resume_in(
        path: PathBuf,
        catalogue: &Catalogue,
        make: impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        let (run, mut trainer, mut notes) = Self::reopen(path, catalogue, &make)?;
        notes.extend(trainer.take_notes());
        Ok((run, trainer, notes))
    }

    /// The same, without the trainer's notes.
    pub(super) fn reopen(
        path: PathBuf,
        catalogue: &Catalogue,
        make: &impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        let config_path = path.join("config.toml");
        if !config_path.exists() {
            let missing = || "this folder holds no run: it has no config.toml".into();
            let problem = own_folder::for_a_folder(&path).unwrap_or_else(missing);
            return Err(Error::File { path, problem });
        }
        let checkpoints = Checkpoints::of_run(&path);
        check(&path, &checkpoints, catalogue)?;
        let is_ours = own_folder::is_marked(&path, Kind::Run)?;
        let table = Config::read_toml(&config_path)?;
        let problem = |e: Error| Error::File { path: config_path.clone(), problem: e.to_string() };
        let config = Config::of_policy(table, catalogue).map_err(problem)?;
        // Before anything is cleared away, so that the half-written file of a process at work is not.
        let mut sinks = Sinks::open(&path)?;
        if !is_ours {
            // Its configuration is ours, so it is a run of a version that left no marker.
            own_folder::mark(&path, Kind::Run)?;
        }
        whole_file::remove_leftovers(&path);
        checkpoints.remove_leftovers();
        let mut notes: Vec<String> = foreign(&checkpoints).into_iter().collect();
        let (mut bad, mut changed) = (Vec::new(), Vec::new());
        for file in checkpoints.numbered().into_iter().rev() {
            let mut trainer = make(&config).map_err(|e| e.in_file(&config_path))?;
            let opened = Checkpoint::read_with(&file, catalogue).and_then(|checkpoint| {
                let wrong = |problem: String| Error::File { path: file.clone(), problem };
                let update = checkpoint.progress.update;
                if update_of(&file) != Some(update) {
                    return Err(wrong(format!("this is a copy of the checkpoint of update {update}")));
                }
                changed.extend(checkpoint.other_setting(trainer.config())?);
                trainer.restore(&checkpoint).map_err(|e| wrong(e.to_string()))?;
                Ok(checkpoint.progress)
            });
            match opened {
                Ok(progress) => {
                    sinks.resume(&progress)?;
                    let mut run = Self::of(path, trainer.config(), sinks);
                    run.open_sinks()?;
                    notes.extend(run.take_notes());
                    run.checkpoints.last = Some(file);
                    return Ok((run, trainer, notes));
                }
                Err(e) => {
                    notes.push(format!("passed over: {e}"));
                    bad.push(e);
                }
            }
        }
        if let Some(name) = changed.first().filter(|_| changed.len() == bad.len()) {
            let problem = format!("{name} is another than in the run's checkpoints: put it back as it was");
            return Err(Error::File { path: config_path, problem });
        }
        if !bad.is_empty() {
            return Err(none_of(&path, &bad));
        }
        // Nothing of what has ended is lost.
        if let Some(problem) = match (path.join(SUMMARY).exists(), path.join(POLICY).exists()) {
            (true, _) => Some(
                "this run has ended, and left no checkpoint to go on from; `train --config` with its config.toml and another --out begins again",
            ),
            (false, true) => Some(
                "this folder has a policy and no checkpoint to go on from, as one that was imported; give another one",
            ),
            (false, false) => None,
        } {
            return Err(Error::File { path, problem: problem.into() });
        }
        let trainer = make(&config).map_err(|e| e.in_file(&config_path))?;
        sinks.begin()?;
        notes.push("there is no checkpoint yet: the run begins again".into());
        let mut run = Self::of(path, trainer.config(), sinks);
        run.open_sinks()?;
        Ok((run, trainer, notes))
    }
}

/// Things that a message names; of more than these it says how many.
const SHOWN: usize = 3;

/// What is said of a run none of whose checkpoints can be gone on from: what is wrong with each, the newest first.
fn none_of(run: &Path, bad: &[Error]) -> Error {
    let named: Vec<String> = bad.iter().take(SHOWN).map(Error::to_string).collect();
    let more = bad.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let count =
        if bad.len() == 1 { "its only checkpoint".into() } else { format!("any of its {} checkpoints", bad.len()) };
    let remedy = "put a good copy of one back, or begin again: --out this folder with --force";
    let problem = format!("the run cannot go on from {count} ({}{more}); {remedy}", named.join("; "));
    Error::File { path: run.into(), problem }
}

/// What is said of checkpoints that somebody else put there.
fn foreign(checkpoints: &Checkpoints) -> Option<String> {
    let names = checkpoints.foreign();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let said = "left alone: checkpoints of this run are named by the ten digits of their updates";
    (!names.is_empty()).then(|| format!("checkpoints/{shown}{more}: {said}"))
}
