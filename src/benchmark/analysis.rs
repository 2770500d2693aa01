//! The statistics of a comparison, and `statistics.csv`.

use std::path::Path;

use serde::Serialize;

use super::cell::Stage;
use super::column::{Column, Milestone};
use super::comparison::Comparison;
use super::results::Results;
use super::sensitivity::LearningRates;
use super::whole_csv;
use crate::Result;
use crate::stats::{Aggregates, Interval};

/// All that is reckoned from the runs of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Analysis {
    /// For each protocol: over all tasks and algorithms, and over all tasks for each of several algorithms.
    pub(super) comparisons: Vec<Comparison>,
    /// For each protocol: every task with every algorithm.
    pub(super) columns: Vec<Column>,
    pub(super) learning_rates: Vec<LearningRates>,
}

/// A row of `statistics.csv`.
#[derive(Serialize)]
struct TableRow<'a> {
    protocol: &'static str,
    /// `all`, an algorithm, or a task with an algorithm.
    scope: String,
    optimizer: &'a str,
    statistic: String,
    point: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Analysis {
    pub(super) fn of(results: &Results) -> Result<Self> {
        let grid = &results.grid;
        let (mut comparisons, mut columns) = (Vec::new(), Vec::new());
        let several = Some(&grid.algos).filter(|algos| algos.len() > 1);
        for stage in results.stages().into_iter().filter(|stage| stage.is_protocol()) {
            comparisons.push(Comparison::of(results, stage, None)?);
            for algo in several.into_iter().flatten() {
                comparisons.push(Comparison::of(results, stage, Some(algo))?);
            }
            for (task, algo) in grid.pairs() {
                columns.push(Column::of(results, stage, task, algo)?);
            }
        }
        Ok(Self { comparisons, columns, learning_rates: LearningRates::all(results)? })
    }

    /// The protocols that have runs.
    pub(super) fn protocols(&self) -> Vec<Stage> {
        let over_all = self.comparisons.iter().filter(|comparison| comparison.algo.is_none());
        over_all.map(|comparison| comparison.stage).collect()
    }

    /// Writes `statistics.csv`: all but what a clock decides.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let mut rows = Vec::new();
        self.comparisons.iter().for_each(|comparison| push_comparison(&mut rows, comparison));
        self.columns.iter().for_each(|column| push_column(&mut rows, column));
        self.learning_rates.iter().for_each(|rates| push_learning_rates(&mut rows, rates));
        whole_csv(&folder.join("statistics.csv"), rows.into_iter())
    }
}

impl<'a> TableRow<'a> {
    fn new(stage: Stage, scope: &str, optimizer: &'a str, statistic: impl Into<String>, interval: &Interval) -> Self {
        let (protocol, known) = (stage.name(), known(interval));
        Self {
            protocol,
            scope: scope.into(),
            optimizer,
            statistic: statistic.into(),
            point: interval.point,
            low: known.then_some(interval.low),
            high: known.then_some(interval.high),
        }
    }
}

/// Whether an interval says anything. One of no width does not: all resamples were the same, as they are of one seed.
pub(super) fn known(interval: &Interval) -> bool {
    interval.low < interval.high
}

/// A number that is as it is.
fn exactly(point: f64) -> Interval {
    Interval { point, low: point, high: point }
}

fn push_comparison<'a>(rows: &mut Vec<TableRow<'a>>, comparison: &'a Comparison) {
    let scope = comparison.scope();
    for standing in &comparison.standings {
        let mut push = |statistic: String, interval: &Interval| {
            rows.push(TableRow::new(comparison.stage, scope, &standing.optimizer, statistic, interval));
        };
        for (score, Aggregates { iqm, mean, median, optimality_gap }) in
            [("area", &standing.area), ("final_score", &standing.final_score)]
        {
            push(format!("{score}_iqm"), iqm);
            push(format!("{score}_mean"), mean);
            push(format!("{score}_median"), median);
            push(format!("{score}_optimality_gap"), optimality_gap);
        }
        for (other, interval) in comparison.standings.iter().zip(&standing.improvement) {
            if other.optimizer != standing.optimizer {
                push(format!("area_probability_of_improvement_over {}", other.optimizer), interval);
            }
        }
    }
}

fn push_column<'a>(rows: &mut Vec<TableRow<'a>>, column: &'a Column) {
    let scope = column.scope();
    for entry in &column.entries {
        let mut push = |statistic: &str, interval: &Interval| {
            rows.push(TableRow::new(column.stage, &scope, &entry.optimizer, statistic, interval));
        };
        push("area_iqm", &entry.area);
        push("final_score_iqm", &entry.final_score);
        for (name, Milestone { median, restricted_mean, censored }) in
            [("half", &entry.half), ("solved", &entry.solved)]
        {
            push(&format!("steps_to_{name}_median"), median);
            push(&format!("steps_to_{name}_restricted_mean"), restricted_mean);
            push(&format!("steps_to_{name}_censored"), &exactly(*censored));
        }
        push("collapsed", &exactly(entry.collapsed as f64));
        push("diverged", &exactly(entry.diverged as f64));
    }
}

fn push_learning_rates<'a>(rows: &mut Vec<TableRow<'a>>, rates: &'a LearningRates) {
    let scope = rates.scope();
    for curve in &rates.curves {
        let mut push = |statistic: String, interval: &Interval| {
            rows.push(TableRow::new(rates.stage, &scope, &curve.optimizer, statistic, interval));
        };
        push("lr_share_near_best".into(), &curve.sensitivity.share_near_best);
        push("lr_best".into(), &exactly(curve.sensitivity.best_lr));
        for ((lr, score), broken) in curve.sensitivity.lr.iter().zip(&curve.sensitivity.score).zip(&curve.broken) {
            push(format!("area_iqm_at_lr {lr}"), score);
            push(format!("broken_at_lr {lr}"), &exactly(*broken));
        }
    }
}
