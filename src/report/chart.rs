//! Charts as the page's script draws them: what each is of, and the points of each run.

use serde::Serialize;

use super::ReportedRun;

/// Points of a curve at most. Of more, so many neighbours as it takes become their mean.
const MOST_POINTS: usize = 500;

/// The columns that come first, and what they are. Others follow under their own names.
#[rustfmt::skip]
const KNOWN: [(&str, &str); 12] = [
    ("episode_return_mean", "Return of the last 100 episodes"),
    ("episode_length_mean", "Length of the last 100 episodes, steps"),
    ("policy_loss", "Policy loss"),
    ("value_loss", "Value loss"),
    ("entropy", "Entropy of the policy, nats"),
    ("approx_kl", "KL(old policy, new policy), nats"),
    ("clip_fraction", "Share of ratios that were clipped"),
    ("explained_variance", "Variance that the critic explains"),
    ("grad_norm", "Norm of the gradient, before clipping"),
    ("update_norm", "Norm of the parameters\u{2019} change"),
    ("lr", "Learning rate"),
    ("steps_per_second", "Environment steps a second"),
];

/// A chart.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    column: String,
    title: String,
    /// Where a dashed line is.
    threshold: Option<f64>,
    series: Vec<Line>,
}

/// A run's curve in it.
#[derive(Debug, Serialize)]
struct Line {
    run: usize,
    name: String,
    /// Environment steps. `[points]`
    x: Vec<f64>,
    /// `[points]`
    y: Vec<f64>,
    /// Standard deviations, of evaluations. `[points]` or empty.
    spread: Vec<f64>,
}

/// A chart for each column that a run has values in, the evaluations after the returns of training.
pub(super) fn charts(runs: &[ReportedRun]) -> Vec<Chart> {
    let all = || runs.iter().flat_map(|run| &run.columns).map(|column| column.metric.as_str());
    let is_other = |name: &&str| KNOWN.iter().all(|(known, _)| known != name);
    let mut others: Vec<&str> = Vec::new();
    all().filter(is_other).for_each(|name| {
        if !others.contains(&name) {
            others.push(name);
        }
    });
    // What only a clock decides comes last.
    let (known, clock) = KNOWN.split_at(KNOWN.len() - 1);
    let named = others.into_iter().map(|name| (name, name));
    let columns = known.iter().copied().chain(named).chain(clock.iter().copied());
    let mut charts: Vec<Chart> = columns.filter_map(|(column, title)| of_column(runs, column, title)).collect();
    let place = usize::from(charts.first().is_some_and(|chart| chart.column == KNOWN[0].0));
    charts.splice(place..place, of_evaluations(runs));
    charts
}

fn of_column(runs: &[ReportedRun], column: &str, title: &str) -> Option<Chart> {
    let line = |(run, of): (usize, &ReportedRun)| {
        let recorded = of.columns.iter().find(|recorded| recorded.metric == column)?;
        let points = recorded.env_steps.iter().map(|&steps| steps as f64).zip(recorded.values.iter().copied());
        let (x, y) = thinned(&points.collect::<Vec<_>>());
        Some(Line { run, name: of.name.clone(), x, y, spread: Vec::new() })
    };
    let series: Vec<Line> = runs.iter().enumerate().filter_map(line).collect();
    let threshold = (column == KNOWN[0].0).then(|| threshold(runs)).flatten();
    (!series.is_empty()).then(|| Chart { column: column.into(), title: title.into(), threshold, series })
}

fn of_evaluations(runs: &[ReportedRun]) -> Option<Chart> {
    let line = |(run, of): (usize, &ReportedRun)| {
        let points = &of.evaluations.as_ref()?.points;
        let (x, y) = points.iter().map(|(x, interval)| (*x, interval.point)).unzip();
        let spread = points.iter().map(|(_, interval)| interval.high - interval.point).collect();
        Some(Line { run, name: of.name.clone(), x, y, spread })
    };
    let series: Vec<Line> = runs.iter().enumerate().filter_map(line).collect();
    let (column, title) = ("evaluations".into(), "Return of evaluations, mean \u{b1} s.d.".into());
    (!series.is_empty()).then(|| Chart { column, title, threshold: threshold(runs), series })
}

/// The return at which the task counts as solved, where all runs have the same.
fn threshold(runs: &[ReportedRun]) -> Option<f64> {
    let first = runs.first()?.summed("reward_threshold");
    first.filter(|_| runs.iter().all(|run| run.summed("reward_threshold") == first))
}

/// No more than [`MOST_POINTS`]: neighbours become their mean, at the steps of the last of them.
fn thinned(points: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    let together = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |chunk: &[(f64, f64)]| {
        let sum: f64 = chunk.iter().map(|(_, y)| y).sum();
        // Of equal numbers the number itself, which their sum's share may miss by a rounding.
        let same = chunk.first().filter(|first| chunk.iter().all(|point| point.1 == first.1)).map(|(_, y)| *y);
        (chunk.last().map_or(0.0, |(x, _)| *x), same.unwrap_or(sum / chunk.len() as f64))
    };
    points.chunks(together).map(mean).unzip()
}

#[cfg(test)]
mod tests {
    use super::{MOST_POINTS, thinned};

    #[test]
    fn a_long_curve_becomes_means_of_neighbours() {
        let points = |count: u32| (1..=count).map(|i| (f64::from(i), f64::from(i) * 2.0)).collect::<Vec<_>>();
        assert_eq!(thinned(&points(3)), (vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]));
        let (x, y) = thinned(&points(1001));
        assert!(x.len() == 334 && x.len() <= MOST_POINTS);
        assert_eq!((x[0], y[0]), (3.0, 4.0));
        assert_eq!((x[333], y[333]), (1001.0, 2001.0), "the mean of 1000 and 1001, twice");
        // A number that stays what it is does so.
        let same: Vec<(f64, f64)> = (1..=3_001).map(|i| (f64::from(i), 1e-4)).collect();
        assert!(thinned(&same).1.iter().all(|y| *y == 1e-4));
    }
}
