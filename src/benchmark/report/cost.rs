//! What the optimizers take.

use std::fmt::Write as _;

use super::super::analysis::Analysis;
use super::super::cell::Stage;
use super::super::cost::Cost;
use super::super::gallery::{Gallery, Place};
use super::super::results::Results;
use super::markdown::{code, plain, seconds, table};
use crate::stats::Interval;

pub(super) fn costs(results: &Results, analysis: &Analysis, gallery: &Gallery) -> String {
    let mut text = format!(
        "## Costs\n\nBytes of the optimizer's state, the most of all runs:\n\n{}\n\
         Microseconds of processor time a rollout with its update: the median of all runs, of whatever protocol and \
         learning rate, and in brackets the fastest; evaluation is spread over all updates:\n\n{}",
        by_pair(results, |_, _, cost| cost.state_bytes.to_string()),
        by_pair(results, |_, _, cost| format!("{:.0} ({:.0})", cost.median, cost.fastest)),
    );
    for stage in analysis.protocols() {
        let name = stage.name();
        let time = |scope: &str, optimizer: &str, cost: &Cost| to_solved(analysis, stage, scope, optimizer, cost);
        let _ = write!(
            text,
            "\nSeconds of processor time until the task was solved, *{name}*: the median of steps at the median \
             speed:\n\n{}\n{}",
            by_pair(results, time),
            gallery.at(Place::Cost(stage)),
        );
    }
    text
}

fn to_solved(analysis: &Analysis, stage: Stage, scope: &str, optimizer: &str, cost: &Cost) -> String {
    let column = analysis.columns.iter().find(|column| column.stage == stage && column.scope() == scope);
    let entry = column.and_then(|column| column.entries.iter().find(|entry| entry.optimizer == optimizer));
    entry.map_or(String::new(), |entry| {
        let Interval { point, low, high } = entry.solved.median;
        let [point, low, high] = [point, low, high].map(|env_steps| env_steps * cost.seconds_per_step);
        seconds(&Interval { point, low, high })
    })
}

/// A row an optimizer, a column a task with an algorithm.
fn by_pair(results: &Results, cell: impl Fn(&str, &str, &Cost) -> String) -> String {
    let scopes = results.grid.pairs().map(|(task, algo)| plain(&format!("{task} {algo}")));
    let header: Vec<String> = std::iter::once("optimizer".to_string()).chain(scopes).collect();
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let of_pair = |(task, algo): (&str, &str)| {
            let cost = Cost::of(results, task, algo, &optimizer);
            cell(&format!("{task} {algo}"), &optimizer, &cost)
        };
        std::iter::once(code(&optimizer)).chain(results.grid.pairs().map(of_pair)).collect()
    });
    table(&header, rows)
}
