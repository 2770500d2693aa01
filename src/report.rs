//! Run folders as one HTML page that needs nothing else: curves with their values under the pointer, tables that a click
//! sorts, an episode of the policy to play back, findings and settings.
//!
//! Style, script and numbers stand in the page, and its Content-Security-Policy forbids all requests: what opens it asks no
//! other place for anything. The same folders give the same bytes.
//!
//! ```no_run
//! use uphill::{Catalogue, report::{ReportOptions, html}};
//!
//! let page = html(&["runs/a", "runs/b"], &ReportOptions::default(), &Catalogue::default())?;
//! std::fs::write("report.html", page).expect("a writable folder");
//! # Ok::<(), uphill::Error>(())
//! ```

mod chart;
mod from_markdown;
#[cfg(feature = "cli")]
mod live;
mod markup;
mod page;
mod replay;
mod reported_run;
mod section;
mod table;

use std::path::Path;

use chart::charts;
#[cfg(feature = "cli")]
pub(crate) use live::{Live, live};
use page::{Page, base64};
use reported_run::ReportedRun;

use crate::envs::counted;
use crate::{Catalogue, Error, Result};

/// Curves that one picture tells apart, by eight colours and four kinds of dashes.
const TOLD_APART: usize = 32;

/// What a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOptions {
    /// What stands at its head; what the runs are where `None`.
    pub title: Option<String>,
    /// The seed of the episode that is played back.
    pub seed: u64,
    /// Steps of that episode at most; with 0 none is played.
    pub max_steps: u32,
}

impl Default for ReportOptions {
    /// No title of one's own, seed 1, 500 steps.
    fn default() -> Self {
        Self { title: None, seed: 1, max_steps: 500 }
    }
}

/// The page of these run folders: of one its result, its episode, curves and settings; of several a table of results, what
/// they differ in, their curves over one another, and the page of each.
///
/// Environments and policies are made of `catalogue`. Where an episode cannot be played, a line says why.
///
/// # Errors
/// A [`PlotError`](crate::plot::PlotError) for a folder without `config.toml` or `metrics.csv`, and for either if malformed;
/// [`Error::File`] for a `summary.json` that is none; [`Error::Config`] for no folder, or more than 32.
pub fn html<P: AsRef<Path>>(folders: &[P], options: &ReportOptions, catalogue: &Catalogue) -> Result<String> {
    if folders.is_empty() || folders.len() > TOLD_APART {
        let count = counted(folders.len(), "run");
        return Err(Error::Config(format!("{count}: a page shows 1 to {TOLD_APART}, whose curves can be told apart")));
    }
    let read = |folder: &P| ReportedRun::read(folder.as_ref(), options, catalogue);
    let runs: Vec<ReportedRun> = folders.iter().map(read).collect::<Result<_>>()?;
    let title = options.title.clone().unwrap_or_else(|| title(&runs));
    let body = match &*runs {
        [run] => section::of_one(run),
        _ => section::of_several(&runs),
    };
    let data = serde_json::json!({
        "charts": charts(&runs),
        "replays": runs.iter().map(|run| run.replay.as_ref().ok()).collect::<Vec<_>>(),
    });
    Ok(Page { title: &title, body: &body, data: &data, live: false }.html())
}

/// The page of a comparison's report: its tables to sort, and its pictures in it. `picture` has the SVG of the picture at a path.
pub(crate) fn of_comparison(markdown: &str, picture: &dyn Fn(&str) -> Option<Vec<u8>>) -> String {
    let title = markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Comparison");
    let shown = |path: &str, alt: &str| {
        let data = base64(&picture(path)?);
        Some(format!(
            "<figure class=\"picture\" tabindex=\"0\"><img src=\"data:image/svg+xml;base64,{data}\" alt=\"{alt}\"/></figure>\n"
        ))
    };
    let (title, body) = (from_markdown::plain(title), from_markdown::html(markdown, &shown));
    let data = serde_json::json!({ "charts": [], "replays": [] });
    Page { title: &title, body: &body, data: &data, live: false }.html()
}

/// What the runs are.
fn title(runs: &[ReportedRun]) -> String {
    match runs {
        [run] => format!("{}: {} with {}", run.env(), run.algo(), run.optimizer()),
        _ => counted(runs.len(), "run"),
    }
}
