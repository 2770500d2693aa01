//! What came out under one protocol.

use std::fmt::Write as _;

use super::super::analysis::Analysis;
use super::super::cell::Stage;
use super::super::column::{Column, Entry, HALF};
use super::super::comparison::Comparison;
use super::super::gallery::{Gallery, Place};
use super::super::results::Results;
use super::claims::claims;
use super::markdown::{code, estimate, plain, steps, table};

pub(super) fn of_protocol(results: &Results, analysis: &Analysis, gallery: &Gallery, stage: Stage) -> String {
    let name = stage.name();
    let mut text = format!("## Results, {name}\n\n");
    for comparison in analysis.comparisons.iter().filter(|comparison| comparison.stage == stage) {
        if let Some(algo) = &comparison.algo {
            let _ = write!(text, "### Results, {name}, {} alone\n\n", plain(algo));
        }
        let _ = write!(text, "{}\n{}\n", claims(results, comparison), standings(comparison));
        if comparison.algo.is_none() {
            for place in [Place::Scores(stage), Place::Improvement(stage), Place::Profiles(stage)] {
                let _ = writeln!(text, "{}", gallery.at(place));
            }
        }
    }
    let columns: Vec<&Column> = analysis.columns.iter().filter(|column| column.stage == stage).collect();
    let _ = write!(
        text,
        "### Task by task, {name}\n\nInterquartile mean of the area under the curve of scores:\n\n{}\n\
         Interquartile mean of the score at the end of training:\n\n{}\n",
        by_column(&columns, |_, entry| estimate(&entry.area)),
        by_column(&columns, |_, entry| estimate(&entry.final_score)),
    );
    let milestone = |half: bool| {
        by_column(&columns, |column, entry| {
            let milestone = if half { entry.half } else { entry.solved };
            match (milestone.censored * 100.0).round() {
                0.0 => steps(&milestone.median),
                100.0 if !half && !column.has_threshold => "–".into(),
                100.0 => "never".into(),
                censored => format!("{}; {censored}% never", steps(&milestone.median)),
            }
        })
    };
    let _ = write!(
        text,
        "Environment steps until the learning curve was at a score of {HALF} or above for good, the median of runs, and \
         the share of runs that never got there, if any:\n\n{}\nEnvironment steps until the task was solved, likewise:\n\n{}\n{}",
        milestone(true),
        milestone(false),
        gallery.at(Place::Curves(stage))
    );
    text
}

/// A row an optimizer, the best first.
fn standings(comparison: &Comparison) -> String {
    let reference = comparison.reference();
    let name = comparison.standings.get(reference).map_or("", |standing| &standing.optimizer);
    let mut header: Vec<String> =
        ["optimizer", "IQM of area", "mean", "median", "optimality gap", "IQM of final score"]
            .map(String::from)
            .to_vec();
    if comparison.standings.len() > 1 {
        header.push(format!("P(better than {})", code(name)));
    }
    let row = |place: usize| {
        let standing = &comparison.standings[place];
        let area = &standing.area;
        let mut row = vec![code(&standing.optimizer)];
        row.extend(
            [area.iqm, area.mean, area.median, area.optimality_gap, standing.final_score.iqm].map(|i| estimate(&i)),
        );
        if comparison.standings.len() > 1 {
            row.push(if place == reference { "–".into() } else { estimate(&standing.improvement[reference]) });
        }
        row
    };
    table(&header, comparison.ranking().into_iter().map(row))
}

/// A row an optimizer, a column a task with an algorithm.
fn by_column(columns: &[&Column], cell: impl Fn(&Column, &Entry) -> String) -> String {
    let header: Vec<String> =
        std::iter::once("optimizer".into()).chain(columns.iter().map(|c| plain(&c.scope()))).collect();
    let count = columns.first().map_or(0, |column| column.entries.len());
    let row = |place: usize| {
        let entries: Vec<(&Column, &Entry)> =
            columns.iter().filter_map(|column| Some((*column, column.entries.get(place)?))).collect();
        let name = entries.first().map_or(String::new(), |(_, entry)| code(&entry.optimizer));
        std::iter::once(name).chain(entries.into_iter().map(|(column, entry)| cell(column, entry))).collect()
    };
    table(&header, (0..count).map(row))
}
