//! The folder of a search: what in it is the search's own.

use std::path::Path;

use crate::own_folder::{self, Kind, MARKER};
use crate::{Error, Result};

/// The search, complete.
pub(super) const SEARCH: &str = "search.toml";
/// A row a trial.
pub(super) const TRIALS: &str = "trials.csv";
/// A row a reported seed.
pub(super) const REPORT: &str = "report.csv";
/// The best trial, for `train --config`.
pub(super) const BEST: &str = "best.toml";
/// The pictures.
pub(super) const PICTURES: [&str; 2] = ["tuning.png", "tuning.svg"];
/// What keeps other processes out.
pub(super) const LOCK: &str = ".lock";
/// The folder of runs.
pub(super) const RUNS: &str = "trials";

/// Makes the folder a search's, if it is not one already.
///
/// # Errors
/// [`Error::File`] naming what is in the way; [`Error::Io`] for a link under a name of a search's, as none is followed.
pub(super) fn claim(folder: &Path) -> Result<()> {
    own_folder::make(folder)?;
    for name in [SEARCH, TRIALS, REPORT, BEST, LOCK].into_iter().chain(PICTURES) {
        own_folder::file(folder, name)?;
    }
    own_folder::check_folder(&folder.join(RUNS))?;
    if own_folder::is_marked(folder, Kind::Search)? {
        return Ok(());
    }
    if let Some(path) = own_folder::contents(folder)?.into_iter().next() {
        let problem = format!("no search made this, as the folder has no {MARKER}: give --out another folder");
        return Err(Error::File { path, problem });
    }
    own_folder::mark(folder, Kind::Search)
}
