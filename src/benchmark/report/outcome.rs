//! How runs ended, what tuning chose, and what the learning rate does.

use super::super::analysis::Analysis;
use super::super::cell::Stage;
use super::super::grid::Protocol;
use super::super::results::{Results, Status};
use super::markdown::{code, estimate, table};

pub(super) fn endings(results: &Results) -> String {
    let stages = results.stages();
    let header = ["optimizer".to_string()].into_iter().chain(stages.iter().map(|stage| stage.name().to_string()));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let of_stage = |&stage: &Stage| {
            let own = || results.runs.iter().filter(|run| run.protocol == stage && run.optimizer == optimizer);
            let count = |status: Status| own().filter(|run| run.status == status).count();
            let (all, collapsed, diverged) = (own().count(), count(Status::Collapsed), count(Status::Diverged));
            format!("{} / {collapsed} / {diverged}", all - collapsed - diverged)
        };
        [code(&optimizer)].into_iter().chain(stages.iter().map(of_stage)).collect()
    });
    format!("## How runs ended\n\nFinished / collapsed / diverged:\n\n{}", table(&header.collect::<Vec<_>>(), rows))
}

pub(super) fn winners(results: &Results) -> String {
    let grid = &results.grid;
    if !grid.protocols.contains(&Protocol::Tuned) {
        return String::new();
    }
    let header = ["optimizer".to_string()].into_iter();
    let header = header.chain(grid.pairs().map(|(task, algo)| format!("{task} {algo}")));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let cell = |(task, algo)| {
            let run = results.of(Stage::Tuned, task, algo, &optimizer).next();
            run.map_or(String::new(), |run| match run.lr {
                Some(lr) if grid.tuning.search.contains_key(&optimizer) => format!("lr {lr}, `{}`", run.spec),
                Some(lr) => format!("lr {lr}"),
                None => code(&run.spec),
            })
        };
        [code(&optimizer)].into_iter().chain(grid.pairs().map(cell)).collect()
    });
    format!("## What tuning chose\n\n{}", table(&header.collect::<Vec<_>>(), rows))
}

/// How wide the region of good learning rates is.
pub(super) fn learning_rates(analysis: &Analysis) -> String {
    let all: Vec<_> = analysis.learning_rates.iter().filter(|rates| !rates.curves.is_empty()).collect();
    let Some(first) = all.first() else { return String::new() };
    let header = std::iter::once("optimizer".to_string()).chain(all.iter().map(|rates| rates.scope()));
    let row = |optimizer: &String| {
        let cell = |rates: &&super::super::sensitivity::LearningRates| {
            let curve = rates.curves.iter().find(|curve| curve.optimizer == *optimizer);
            curve.map_or(String::new(), |curve| {
                let (share, best) = (&curve.sensitivity.share_near_best, curve.sensitivity.best_lr);
                format!("{}; {best}", estimate(share))
            })
        };
        std::iter::once(code(optimizer)).chain(all.iter().map(cell)).collect::<Vec<_>>()
    };
    let optimizers: Vec<String> = first.curves.iter().map(|curve| curve.optimizer.clone()).collect();
    let runs = match first.stage {
        Stage::Sweep => "the sweep, on the reported seeds",
        _ => "the trials of tuning, on seeds that are not reported",
    };
    format!(
        "## Learning rates\n\nFrom the runs of {runs}: the share of the learning rates whose interquartile mean of areas is \
         within 90% of the best one's, and the best one. Too small a learning rate is slow, too large a one breaks the policy: \
         the pictures have a panel an optimizer.\n\n{}",
        table(&header.collect::<Vec<_>>(), optimizers.iter().map(row))
    )
}
