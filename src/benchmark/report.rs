//! `report.md`: what was run, how, and what came out.

mod claims;
mod cost;
pub(super) mod markdown;
mod outcome;
mod setup;
mod standings;
mod words;

use std::path::Path;

use super::analysis::Analysis;
use super::gallery::{Gallery, Place};
use super::home;
use super::results::Results;
use crate::{Error, Result, whole_file};

/// Writes `statistics.csv`, the pictures under `pictures/` and `report.md` into the folder of a comparison.
///
/// # Errors
/// [`Error::Io`] if one cannot be written; [`Error::File`] if the folder holds a file of one of these names that no
/// comparison made; [`StatsError`](crate::stats::StatsError) if a return is so large that there is no statistic of it.
pub fn write_report(results: &Results, folder: &Path) -> Result<()> {
    home::claim(folder, true)?;
    let analysis = Analysis::of(results)?;
    analysis.write(folder)?;
    let gallery = Gallery::paint(results, &analysis, folder)?;
    let path = folder.join("report.md");
    whole_file::write_own(&path, text(results, &analysis, &gallery)?.as_bytes()).map_err(Error::io(&path))
}

/// What came out first, and how it was come by after that.
fn text(results: &Results, analysis: &Analysis, gallery: &Gallery) -> Result<String> {
    let mut parts = vec![setup::head(results)];
    for stage in analysis.protocols() {
        parts.push(standings::of_protocol(results, analysis, gallery, stage));
    }
    parts.extend([
        outcome::learning_rates(analysis),
        gallery.at(Place::LearningRates),
        cost::costs(results, analysis, gallery),
        outcome::endings(results),
        outcome::winners(results),
        setup::tasks(results),
        setup::optimizers(&results.grid)?,
        setup::protocols(&results.grid),
        words::definitions(&results.grid),
        setup::configuration(&results.grid)?,
    ]);
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("\n"))
}
