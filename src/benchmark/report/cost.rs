//! What the optimizers take.

use std::fmt::Write as _;

use super::super::analysis::Analysis;
use super::super::column::Column;
use super::super::gallery::{Gallery, Place};
use super::super::results::Results;
use super::markdown::{code, seconds, table, whole};
use super::standings::by_column;

pub(super) fn costs(results: &Results, analysis: &Analysis, gallery: &Gallery) -> String {
    let mut text = "## Costs\n\nBytes of the optimizer's state, the most of all runs:\n\n".to_string();
    let pairs: Vec<(&str, &str)> = results.grid.pairs().collect();
    let header =
        std::iter::once("optimizer".to_string()).chain(pairs.iter().map(|(task, algo)| format!("{task} {algo}")));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let bytes = |&(task, algo): &(&str, &str)| {
            let own =
                results.runs.iter().filter(|run| run.optimizer == optimizer && run.task == task && run.algo == algo);
            own.map(|run| run.state_bytes).max().unwrap_or_default().to_string()
        };
        std::iter::once(code(&optimizer)).chain(pairs.iter().map(bytes)).collect()
    });
    text += &table(&header.collect::<Vec<_>>(), rows);
    for stage in analysis.protocols() {
        let columns: Vec<&Column> = analysis.columns.iter().filter(|column| column.stage == stage).collect();
        let _ = write!(
            text,
            "\n### Time, {}\n\nMicroseconds a rollout with its update, the median of runs, which went side by side; \
             evaluation is spread over all updates, and what else the machine did is in them, too:\n\n{}\n\
             Seconds of training until the task was solved, the median of runs:\n\n{}\n{}",
            stage.name(),
            by_column(&columns, |entry| whole(&entry.microseconds)),
            by_column(&columns, |entry| seconds(&entry.seconds_to_solved)),
            gallery.at(Place::Cost(stage)),
        );
    }
    text
}
