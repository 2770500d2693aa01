//! `report.md`: what was run, how, and what came out; and `report.html`, the same as a page.

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

/// Writes `statistics.csv`, the pictures under `pictures/` and `report.md` into the folder of a comparison, and with the feature
/// `pictures` `report.html`, which has all of the report and its pictures in one file.
///
/// # Errors
/// [`Error::Io`] if one cannot be written; [`Error::File`] if the folder holds a file of one of these names that no
/// comparison made; [`StatsError`](crate::stats::StatsError) if a return is so large that there is no statistic of it.
pub fn write_report(results: &Results, folder: &Path) -> Result<()> {
    home::claim(folder, true)?;
    let analysis = Analysis::of(results)?;
    analysis.write(folder)?;
    let gallery = Gallery::paint(results, &analysis, folder)?;
    let text = text(results, &analysis, &gallery)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        whole_file::write_own(&path, text.as_bytes()).map_err(Error::io(&path))
    };
    #[cfg(feature = "pictures")]
    write("report.html", &page(&text, folder))?;
    write("report.md", &text)
}

/// The report as a page, with the pictures that were just painted.
#[cfg(feature = "pictures")]
fn page(text: &str, folder: &Path) -> String {
    let picture = |path: &str| std::fs::read(folder.join(path).with_extension("svg")).ok();
    crate::report::of_comparison(text, &picture)
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
