//! The pictures of a comparison, as PNG and SVG.

#[cfg(feature = "pictures")]
mod painted;
#[cfg(not(feature = "pictures"))]
#[path = "gallery/unpainted.rs"]
mod painted;

use std::path::Path;

use super::cell::Stage;
use crate::{Error, Result, whole_file};

pub(super) use painted::Gallery;

/// The folder of the pictures, in the folder of the comparison.
pub(super) const FOLDER: &str = "pictures";

/// Where in the report a picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Scores(Stage),
    Profiles(Stage),
    Improvement(Stage),
    Cost(Stage),
    Curves(Stage),
    LearningRates,
}

/// What the names of pictures begin with.
const KINDS: [&str; 6] = ["scores-", "profiles-", "improvement-", "cost-", "curves-", "learning-rates"];

/// Removes the pictures of an earlier report, of a task that is no longer there, say, and what a kill left of them.
pub(super) fn clear(folder: &Path) -> Result<()> {
    whole_file::remove_leftovers(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let ours = |name: &str| {
        let stem = name.strip_suffix(".png").or_else(|| name.strip_suffix(".svg"));
        stem.is_some_and(|stem| KINDS.iter().any(|kind| stem.starts_with(kind)))
    };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(ours) {
            std::fs::remove_file(entry.path()).map_err(Error::io(entry.path()))?;
        }
    }
    Ok(())
}
