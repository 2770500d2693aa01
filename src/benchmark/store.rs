//! Finished runs on disk, one whole file each.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::outcome::{Measure, Outcome};
use super::{gallery, home};
use crate::{Error, Result, checked_file, own_folder, whole_file};

/// The folder `cells`. A file's name says what the run was and holds a hash of all that its outcome depends on.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    measure: Measure,
    /// Held for as long as this is: no other process runs a comparison in the same folder.
    _lock: Option<File>,
}

/// What a cell's file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellFile {
    key: Key,
    clock: Clock,
    outcome: Outcome,
}

/// What an [`Outcome`] means: another number wherever the same run is measured otherwise.
const MEANING: u32 = 3;

/// All that an outcome depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    meaning: u32,
    measure: Measure,
    /// Its settings that have an effect.
    config: toml::Table,
}

/// How much processor time it took: in no table of results.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    pub(super) seconds: f64,
}

/// A finished run.
pub(super) type Finished = (Outcome, Clock);

impl Store {
    /// The cells of a comparison's folder, without what a killed process left half written.
    pub(super) fn open(comparison: &Path, measure: Measure) -> Result<Self> {
        let folder = comparison.join(home::CELLS);
        own_folder::make(&folder)?;
        let lock = own_folder::lock(comparison, home::LOCK, "running a comparison")?;
        for folder in [comparison, &folder, &comparison.join(gallery::FOLDER)] {
            whole_file::remove_leftovers(folder);
        }
        Ok(Self { folder, measure, _lock: lock })
    }

    fn key(&self, cell: &Cell) -> Result<Key> {
        let version = env!("CARGO_PKG_VERSION").into();
        Ok(Key { version, meaning: MEANING, measure: self.measure, config: cell.config.to_table()? })
    }

    /// The file of a run.
    pub(super) fn path(&self, cell: &Cell) -> Result<PathBuf> {
        let key = toml::to_string(&self.key(cell)?).map_err(|e| Error::Config(e.to_string()))?;
        Ok(self.folder.join(format!("{}-{:016x}.toml", cell.name(), checked_file::hash(key.as_bytes()))))
    }

    /// The outcome of a run, if it is finished; what is wrong with the file, if something is.
    pub(super) fn read(&self, cell: &Cell) -> Result<Result<Option<Finished>, String>> {
        let (path, key) = (self.path(cell)?, self.key(cell)?);
        let file = checked_file::read::<CellFile>(&path, MAX_OUTCOME)?.and_then(|file| match file {
            Some(file) if file.key != key => Err("it holds another run".into()),
            file => Ok(file.map(|file| (file.outcome, file.clock))),
        });
        Ok(file.map_err(|problem| format!("{}: {problem}", path.display())))
    }

    pub(super) fn write(&self, cell: &Cell, (outcome, clock): &Finished) -> Result<()> {
        let file = CellFile { key: self.key(cell)?, clock: *clock, outcome: outcome.clone() };
        checked_file::write(&self.path(cell)?, &file)
    }
}

/// The largest file of a finished run, in bytes: its curve has 10,000 points at most.
const MAX_OUTCOME: u64 = 1 << 24;
