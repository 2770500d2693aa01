//! What the pictures of a comparison show, and what their titles say.

use uphill_envs::counted;

use super::analysis::known;
use super::cell::Stage;
use super::comparison::{BOOTSTRAP, Comparison, Standing, Verdict};
use super::cost::Cost;
use super::grid::Grid;
use super::results::{CLAIM, Results, Run};
use super::sensitivity::{Curve, LearningRates};
use super::task::Task;
use crate::Result;
use crate::plot::{
    CostPoint, IntervalRow, LearningRateCurve, LearningRatePoint, Picture, PictureOptions, PlotError, Series,
    improvement_matrix, interval_rows, learning_curves, learning_rate_sensitivity, performance_profiles,
    quality_against_cost,
};
use crate::stats::{Bootstrap, Interval, PerformanceProfile, Scores, interquartile_mean};

/// The band of a curve has a hundred intervals, and no reader measures one: fewer replicates will do.
const BAND: Bootstrap = Bootstrap { reps: 1_000, ..BOOTSTRAP };
/// Thresholds of a performance profile.
const TAUS: usize = 101;

/// What a picture is about: task, seeds and protocol.
#[derive(Clone, Copy)]
pub(super) struct Caption<'a> {
    pub(super) results: &'a Results,
    pub(super) stage: Stage,
    /// The tasks with their algorithms.
    pub(super) what: &'a str,
}

/// The tasks and algorithms of a grid, for a title.
pub(super) fn whole(grid: &Grid) -> String {
    let labels: Vec<&str> = grid.tasks.iter().map(Task::label).collect();
    let tasks = if labels.len() > 3 { format!("{} tasks", labels.len()) } else { labels.join(", ") };
    format!("{tasks} with {}", grid.algos.join(" and "))
}

impl Caption<'_> {
    /// Titles that say what was measured.
    fn options(&self, measured: &str) -> PictureOptions {
        let grid = &self.results.grid;
        let seeds = if self.stage == Stage::Tuning { grid.tuning.seeds.count() } else { grid.seeds.count() };
        let how = match self.stage {
            Stage::Defaults => "default hyper-parameters".to_string(),
            Stage::Sweep => "a sweep of learning rates".to_string(),
            Stage::Tuning => "the trials of tuning".to_string(),
            Stage::Tuned => format!("tuned with {} each on other seeds", counted(grid.tuning.trials, "trial")),
        };
        let intervals = match seeds {
            1 => "of one seed no intervals are known",
            few if few < CLAIM && self.stage.is_protocol() => {
                "95% stratified bootstrap intervals over seeds too few for a claim"
            }
            _ => "95% stratified bootstrap intervals over seeds",
        };
        let seeds = usize::try_from(seeds).unwrap_or(usize::MAX);
        PictureOptions::new(self.what, seeds, format!("{how}; {measured}; {intervals}"))
    }
}

/// Aggregates with their intervals, a row an optimizer.
pub(super) fn scores(comparison: &Comparison, caption: &Caption<'_>) -> Result<Picture> {
    let metrics = ["IQM of area", "IQM of final score", "mean of area", "optimality gap of area"];
    let row = |standing: &Standing| {
        let (area, last) = (&standing.area, &standing.final_score);
        let intervals = vec![area.iqm, last.iqm, area.mean, area.optimality_gap];
        IntervalRow { label: standing.optimizer.clone(), intervals }
    };
    let rows: Vec<IntervalRow> = comparison.standings.iter().map(row).collect();
    Ok(interval_rows(&metrics, &rows, &caption.options("area and final score"))?)
}

/// The areas of an optimizer's runs, a column a task with an algorithm.
fn areas(results: &Results, stage: Stage, optimizer: &str) -> Result<Scores> {
    let column = |(task, algo)| results.of(stage, task, algo, optimizer).map(|run| run.area).collect::<Vec<_>>();
    Ok(Scores::from_tasks(&results.grid.pairs().map(column).collect::<Vec<_>>())?)
}

/// The share of runs whose area is above each threshold; the best first.
pub(super) fn profiles(comparison: &Comparison, caption: &Caption<'_>) -> Result<Picture> {
    let mut scores = Vec::new();
    for place in comparison.ranking() {
        let optimizer = &comparison.standings[place].optimizer;
        scores.push((optimizer, areas(caption.results, comparison.stage, optimizer)?));
    }
    let all = || scores.iter().flat_map(|(_, scores)| scores.values()).copied();
    let (from, to) = (all().fold(0.0, f64::min), all().fold(1.0, f64::max));
    let tau: Vec<f64> = (0..TAUS).map(|i| from + (to - from) * i as f64 / (TAUS - 1) as f64).collect();
    let mut series = Vec::new();
    for (optimizer, scores) in &scores {
        let profile = PerformanceProfile::of_runs(scores, &tau, &BAND)?;
        let points = profile.tau.into_iter().zip(profile.share).collect();
        series.push(Series { label: (*optimizer).clone(), points });
    }
    Ok(performance_profiles(&series, "area", &caption.options("area under the curve of scores"))?)
}

/// The best first, in rows and in columns.
pub(super) fn improvement(comparison: &Comparison, caption: &Caption<'_>) -> Result<Picture> {
    let mut options = caption.options("area under the curve of scores");
    let ranking = comparison.ranking();
    let labels: Vec<&str> = ranking.iter().map(|&place| comparison.standings[place].optimizer.as_str()).collect();
    let probability = |place: usize, other: usize| {
        let interval = comparison.standings[place].improvement[other];
        // Without width it says nothing, unless there are seeds enough for that to be no chance.
        let unknown = !known(&interval) && comparison.verdict(place, other) == Verdict::Undecided;
        if unknown { Interval { low: 0.0, high: 1.0, ..interval } } else { interval }
    };
    let row = |&place: &usize| ranking.iter().map(|&other| probability(place, other)).collect();
    let matrix: Vec<Vec<Interval>> = ranking.iter().map(row).collect();
    match improvement_matrix(&labels, &matrix, &options) {
        Err(PlotError::Size { side: "width", least, .. }) => {
            options.width = least;
            Ok(improvement_matrix(&labels, &matrix, &options)?)
        }
        drawn => Ok(drawn?),
    }
}

/// What a rollout with its update takes, and what it is worth.
pub(super) fn cost(comparison: &Comparison, caption: &Caption<'_>) -> Result<Picture> {
    let Caption { results, .. } = *caption;
    let point = |standing: &Standing| {
        let cost = |(task, algo)| Cost::of(results, task, algo, &standing.optimizer).fastest;
        // No clock is so fine that a run takes no time at all, but zero has no logarithm.
        let logs: Vec<f64> = results.grid.pairs().map(cost).map(|time| time.max(1e-3).ln()).collect();
        let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
        let cost = Interval { point: mean, low: mean, high: mean };
        CostPoint { label: standing.optimizer.clone(), cost, quality: standing.area.iqm }
    };
    let points: Vec<CostPoint> = comparison.standings.iter().map(point).collect();
    let names = (
        "microseconds of processor time a rollout with its update (geometric mean over tasks and algorithms)",
        "IQM of area",
    );
    let options = caption.options("IQM of the area under the curve of scores");
    Ok(quality_against_cost(&points, names, &options)?)
}

/// The learning curves of a task with an algorithm.
pub(super) fn curves(task: &str, algo: &str, caption: &Caption<'_>) -> Result<Picture> {
    let Caption { results, stage, .. } = *caption;
    let mut all = Vec::new();
    for optimizer in results.optimizers() {
        let runs: Vec<(Vec<u64>, Vec<f64>)> = results.of(stage, task, algo, &optimizer).map(Run::score_curve).collect();
        let Some((env_steps, _)) = runs.first() else { continue };
        // A stratum a point: each interval stands for itself.
        let scores = Scores::from_runs(&runs.iter().map(|(_, scores)| scores).collect::<Vec<_>>())?;
        let mut scratch = Vec::new();
        let intervals = BAND.intervals(&[&scores], env_steps.len(), |resampled, out| {
            let points = resampled.iter().flat_map(Scores::by_task);
            for (out, runs) in out.iter_mut().zip(points) {
                scratch.clear();
                scratch.extend_from_slice(runs);
                *out = interquartile_mean(&mut scratch);
            }
        })?;
        let points = env_steps.iter().map(|&step| step as f64).zip(intervals).collect();
        all.push(Series { label: optimizer, points });
    }
    Ok(learning_curves(&all, "score", &caption.options("IQM of scores"))?)
}

/// The area at each learning rate, a panel an optimizer.
pub(super) fn learning_rates(rates: &LearningRates, caption: &Caption<'_>) -> Result<Picture> {
    let curve = |curve: &Curve| {
        let points = curve.sensitivity.lr.iter().zip(&curve.sensitivity.score).zip(&curve.broken);
        let points = points.map(|((&lr, &score), &broken)| LearningRatePoint { lr, score: Some(score), broken });
        LearningRateCurve { label: curve.optimizer.clone(), points: points.collect() }
    };
    let curves: Vec<LearningRateCurve> = rates.curves.iter().map(curve).collect();
    let options = caption.options("IQM of the area under the curve of scores");
    Ok(learning_rate_sensitivity(&curves, "area", &options)?)
}
