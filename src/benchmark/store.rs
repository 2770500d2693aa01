//! Finished runs on disk, one whole file each.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::outcome::{Measure, Outcome};
use super::{gallery, home};
use crate::{Error, Result, own_folder, whole_file};

/// The folder `cells`. A file's name says what the run was and holds a hash of all that its outcome depends on.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    measure: Measure,
    /// Held for as long as this is: no other process runs a comparison in the same folder.
    _lock: Option<File>,
}

/// What a cell's file holds, after a first line with a checksum of the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellFile {
    key: Key,
    clock: Clock,
    outcome: Outcome,
}

/// What an [`Outcome`] means: another number wherever the same run is measured otherwise.
const MEANING: u32 = 2;

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
        let lock = lock(comparison)?;
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
        Ok(self.folder.join(format!("{}-{:016x}.toml", cell.name(), fnv1a(key.as_bytes()))))
    }

    /// The outcome of a run, if it is finished; what is wrong with the file, if something is.
    pub(super) fn read(&self, cell: &Cell) -> Result<Result<Option<Finished>, String>> {
        let path = self.path(cell)?;
        let text = match whole_file::read(&path, MAX_OUTCOME) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(e) => return Err(Error::io(&path)(e)),
        };
        Ok(parse(&text, &self.key(cell)?).map(Some).map_err(|problem| format!("{}: {problem}", path.display())))
    }

    pub(super) fn write(&self, cell: &Cell, (outcome, clock): &Finished) -> Result<()> {
        let file = CellFile { key: self.key(cell)?, clock: *clock, outcome: outcome.clone() };
        let body = toml::to_string(&file).map_err(|e| Error::Config(e.to_string()))?;
        let path = self.path(cell)?;
        let text = format!("{}\n{body}", checksum(&body));
        whole_file::write_own(&path, text.as_bytes()).map_err(Error::io(&path))
    }
}

/// The largest file of a finished run, in bytes: its curve has 10,000 points at most.
const MAX_OUTCOME: u64 = 1 << 24;

/// Keeps other processes out of a comparison's folder.
fn lock(comparison: &Path) -> Result<Option<File>> {
    let path = own_folder::file(comparison, home::LOCK)?;
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let problem = "another process is running a comparison here: wait for it, or give --out another folder";
            Err(Error::File { path: comparison.into(), problem: problem.into() })
        }
        // A file system without locks is no reason not to compare.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn parse(text: &str, key: &Key) -> Result<Finished, String> {
    let (first, body) = text.split_once('\n').ok_or("it is cut off")?;
    if first != checksum(body) {
        return Err("it is cut off or changed".into());
    }
    let file: CellFile = toml::from_str(body).map_err(|e| e.message().to_string())?;
    match file.key == *key {
        true => Ok((file.outcome, file.clock)),
        false => Err("it holds another run".into()),
    }
}

fn checksum(body: &str) -> String {
    format!("# fnv1a = {:016x}", fnv1a(body.as_bytes()))
}

/// FNV-1a, 64 bits, <http://www.isthe.com/chongo/tech/comp/fnv/>: the same in every version of every build.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
