//! How runs ended, what tuning chose, and what the learning rate does.

use super::super::analysis::Analysis;
use super::super::cell::Stage;
use super::super::grid::Protocol;
use super::super::results::{Results, Status};
use super::super::sensitivity::{Curve, LearningRates};
use super::markdown::{code, estimate, owned, plain, score, table};
use crate::envs::shown;
use crate::stats::Sensitivity;

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
    let header = header.chain(grid.pairs().map(|(task, algo)| plain(&format!("{task} {algo}"))));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let cell = |(task, algo)| {
            let run = results.of(Stage::Tuned, task, algo, &optimizer).next();
            run.map_or(String::new(), |run| match run.lr {
                Some(lr) if grid.tuning.search.contains_key(&optimizer) => {
                    format!("lr {}, {}", shown(lr), code(&run.spec))
                }
                Some(lr) => format!("lr {}", shown(lr)),
                None => code(&run.spec),
            })
        };
        [code(&optimizer)].into_iter().chain(grid.pairs().map(cell)).collect()
    });
    format!("## What tuning chose\n\n{}", table(&header.collect::<Vec<_>>(), rows))
}

/// How wide the region of good learning rates is, and what lies beyond it.
pub(super) fn learning_rates(analysis: &Analysis) -> String {
    let all: Vec<&LearningRates> = analysis.learning_rates.iter().filter(|rates| !rates.curves.is_empty()).collect();
    let Some(first) = all.first() else { return String::new() };
    let header = std::iter::once("optimizer".to_string()).chain(all.iter().map(|rates| plain(&rates.scope())));
    let row = |optimizer: &String| {
        let cell = |rates: &&LearningRates| {
            let curve = rates.curves.iter().find(|curve| curve.optimizer == *optimizer);
            curve.map_or(String::new(), |Curve { sensitivity, .. }| {
                let (share, best) = (estimate(&sensitivity.share_near_best), sensitivity.best_lr);
                let at_the_end = [sensitivity.lr.first(), sensitivity.lr.last()].contains(&Some(&best));
                format!("{share}, best at {}{}", shown(best), if at_the_end { ", an end" } else { "" })
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
         within 90% of the best one's, and the best one. The pictures have a panel an optimizer: left of the best learning \
         rate what smaller ones give, right of it what larger ones do, and orange where runs collapsed or diverged.\n\n\
         {}\n{}",
        ends(first),
        table(&header.collect::<Vec<_>>(), optimizers.iter().map(row))
    )
}

/// What the smallest, the best and the largest learning rates give, the optimizers taken together.
fn ends(rates: &LearningRates) -> String {
    let header = owned(["learning rate", "median of the optimizers' IQM of area", "runs that collapsed or diverged"]);
    let row = |name: &str, place: fn(&Sensitivity) -> Option<usize>| {
        let at = |curve: &Curve| {
            let place = place(&curve.sensitivity)?;
            Some((curve.sensitivity.score.get(place)?.point, *curve.broken.get(place)?))
        };
        let (mut scores, broken): (Vec<f64>, Vec<f64>) = rates.curves.iter().filter_map(at).unzip();
        scores.sort_by(f64::total_cmp);
        let middle = scores.get(scores.len() / 2).copied().unwrap_or(f64::NAN);
        let share = 100.0 * broken.iter().sum::<f64>() / broken.len() as f64;
        vec![name.to_string(), score(middle, 2), format!("{share:.0}%")]
    };
    let rows = [
        row("smallest", |_| Some(0)),
        row("best", |sensitivity| sensitivity.lr.iter().position(|&lr| lr == sensitivity.best_lr)),
        row("largest", |sensitivity| sensitivity.lr.len().checked_sub(1)),
    ];
    table(&header, rows)
}
