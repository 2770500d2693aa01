//! The page of a run that goes on, and what it is told while it is open.

use std::path::Path;

use super::page::Page;
use super::section::{CURVES, evaluations, facts, findings, replay, settings};
use super::{ReportedRun, charts, title};
use crate::{Catalogue, Result};

/// A run as it is now.
pub(crate) struct Live {
    /// The page, whole.
    pub(crate) page: String,
    /// What an open page is told instead: JSON in one line.
    pub(crate) event: String,
}

/// Reads a run folder as it is now; `age` is how many seconds ago its last row came, if there is one.
///
/// # Errors
/// As [`html`](super::html), but that there may be no row yet.
pub(crate) fn live(folder: &Path, age: Option<f64>, catalogue: &Catalogue) -> Result<Live> {
    let runs = [ReportedRun::read_now(folder, catalogue)?];
    let [run] = &runs;
    let (title, parts) = (title(&runs), parts(run));
    let state = match (run.has_ended(), run.is_finished()) {
        (true, true) => "ended",
        (false, _) if run.is_policy_alone => "ended",
        (true, false) => "interrupted",
        (false, _) => "training",
    };
    let data = serde_json::json!({
        "charts": charts(&runs),
        "replays": [run.replay.as_ref().ok()],
        "state": state,
        "age": age.filter(|_| !run.columns.is_empty()),
    });
    let place = |name: &str| {
        let text = parts.iter().find(|(part, _)| *part == name).map_or("", |(_, text)| text);
        format!("<div data-part=\"{name}\">{text}</div>\n")
    };
    let of_run: String = ["facts", "findings", "replay"].map(place).concat();
    let (curves, rows, settings) = (CURVES.replace("LEGEND", ""), place("evaluations"), place("settings"));
    let body = format!(
        "<p id=\"live\"><span role=\"status\"></span> <span aria-hidden=\"true\"></span></p>\n<section class=\"run\">\n{of_run}</section>\n{curves}\
         <section>{rows}</section><section><h2>Settings</h2>\n{settings}</section>\n"
    );
    let page = Page { title: &title, body: &body, data: &data, live: true }.html();
    let mut event = data;
    event["title"] = title.into();
    event["parts"] = parts.into_iter().collect();
    Ok(Live { page, event: event.to_string() })
}

/// What is replaced where it has changed, as HTML.
fn parts(run: &ReportedRun) -> [(&'static str, String); 5] {
    let evaluations = evaluations(run).map(|rows| format!("<h2>Evaluations</h2>\n{rows}")).unwrap_or_default();
    [
        ("facts", facts(run)),
        ("findings", findings(run)),
        ("replay", replay(run, 0)),
        ("evaluations", evaluations),
        ("settings", settings(run)),
    ]
}
