//! The folder of a comparison: what in it is the comparison's own.

use std::path::{Path, PathBuf};

use super::gallery;
use super::grid::Grid;
use crate::own_folder::{self, Kind, MARKER};
use crate::{Error, Result};

/// The tables and the report, which come of runs.
pub(super) const TABLES: [&str; 6] =
    ["results.csv", "curves.csv", "timings.csv", "statistics.csv", "report.md", "report.html"];
/// The grid.
pub(super) const GRID: &str = "grid.toml";
/// What keeps other processes out.
pub(super) const LOCK: &str = ".lock";
/// The folder of finished runs.
pub(super) const CELLS: &str = "cells";

/// Makes the folder a comparison's, if it is not one already. A folder with other things in it becomes one only with
/// `force`, and only where none of them has a name that a comparison writes.
///
/// # Errors
/// [`Error::File`] naming what is in the way; [`Error::Io`] for a link under a name of a comparison's, as none is followed.
pub(super) fn claim(folder: &Path, force: bool) -> Result<()> {
    own_folder::make(folder)?;
    for name in TABLES.into_iter().chain([GRID, LOCK]) {
        own_folder::file(folder, name)?;
    }
    for name in [CELLS, gallery::FOLDER] {
        own_folder::check_folder(&folder.join(name))?;
    }
    if own_folder::is_marked(folder, Kind::Comparison)? {
        return Ok(());
    }
    if !is_earlier(folder) {
        let in_the_way = |path: &PathBuf| !force || is_ours_by_name(path);
        if let Some(path) = own_folder::contents(folder)?.into_iter().find(in_the_way) {
            let remedy = if force { "move it away, or give --out another folder" } else { "give --out another folder" };
            let problem = format!("no comparison made this, as the folder has no {MARKER}: {remedy}");
            return Err(Error::File { path, problem });
        }
    }
    own_folder::mark(folder, Kind::Comparison)
}

/// Whether a version that left no marker made a comparison here.
fn is_earlier(folder: &Path) -> bool {
    let grid = std::fs::read_to_string(folder.join(GRID)).is_ok_and(|text| Grid::from_toml(&text).is_ok());
    grid && folder.join(CELLS).is_dir()
}

fn is_ours_by_name(path: &Path) -> bool {
    TABLES.into_iter().chain([GRID, LOCK, CELLS, gallery::FOLDER]).any(|name| path.ends_with(name))
}
