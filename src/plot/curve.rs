//! Runs become curves: which runs are seeds of one experiment, their mean, their spread, their smoothing.

use super::{
    Interval, PlotError, RecordedRun, check,
    label::{labels, same_experiment},
};

/// Places along the environment steps at which a curve is computed: more than a plot has pixels to show.
const PLACES: u32 = 800;

/// What is drawn in one colour.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) label: String,
    /// The seeds of its runs, in the order given.
    pub(super) seeds: Vec<u64>,
    /// At numbers of environment steps, the mean with one sample standard deviation over the runs to either side.
    pub(super) values: Vec<(f64, Interval)>,
    /// The points as they were read, where smoothing changed a single run.
    pub(super) raw: Vec<(f64, f64)>,
}

/// Groups runs that differ in nothing but the seed, in order of first appearance, and averages each group.
pub(super) fn curves(runs: &[RecordedRun], smooth: f64) -> Result<Vec<Curve>, PlotError> {
    let groups = groups(runs);
    let firsts: Vec<&RecordedRun> = groups.iter().filter_map(|group| group.first().copied()).collect();
    groups.iter().zip(labels(&firsts)).map(|(group, label)| curve(label, group, smooth)).collect()
}

/// Runs that differ in nothing but the seed together, in order of first appearance.
pub(super) fn groups(runs: &[RecordedRun]) -> Vec<Vec<&RecordedRun>> {
    let mut groups: Vec<Vec<&RecordedRun>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| group.iter().all(|other| same_experiment(other, run))) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

/// The mean of the runs, each smoothed first, over the environment steps that all of them cover: a mean over fewer
/// runs than the legend says would jump wherever one begins or ends.
pub(super) fn curve(label: String, runs: &[&RecordedRun], smooth: f64) -> Result<Curve, PlotError> {
    let lines: Vec<Line> = runs.iter().map(|run| Line::new(run)).collect();
    let from = lines.iter().filter_map(|line| line.0.first()).fold(0.0, |from: f64, point| from.max(point.0));
    let to = lines.iter().filter_map(|line| line.0.last()).fold(f64::INFINITY, |to: f64, point| to.min(point.0));
    let reason = "its runs have no environment step in common, so they have no mean; plot them one by one";
    check::that(from <= to, &label, reason)?;
    let seeds = runs.iter().map(|run| run.seed).collect();
    let raw: Vec<(f64, f64)> = match lines.as_slice() {
        [line] => line.0.iter().map(|&(env_steps, value, _)| (env_steps, value)).collect(),
        _ => Vec::new(),
    };
    if smooth == 0.0 && !raw.is_empty() && from < to {
        // One run as it is: its own points, not places between them.
        let values = raw.iter().map(|&(env_steps, value)| (env_steps, spread(&[value]))).collect();
        return Ok(Curve { label, seeds, values, raw: Vec::new() });
    }
    let last = if from < to { PLACES - 1 } else { 0 };
    let values = (0..=last).map(|i| {
        let env_steps = if i == last { to } else { from + (to - from) * f64::from(i) / f64::from(last) };
        // A window that shrinks towards both ends stays centred, so a straight line stays as it is.
        let half = (smooth / 2.0 * (to - from)).min(env_steps - from).min(to - env_steps);
        let values: Vec<f64> = lines.iter().map(|line| line.mean_around(env_steps, half)).collect();
        (env_steps, spread(&values))
    });
    Ok(Curve { label, seeds, values: values.collect(), raw: if smooth > 0.0 { raw } else { Vec::new() } })
}

/// The mean, and one sample standard deviation to either side; none of a single value.
fn spread(values: &[f64]) -> Interval {
    let n = values.len() as f64;
    let point = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - point).powi(2)).sum();
    let deviation = if values.len() < 2 { 0.0 } else { (squares / (n - 1.0)).sqrt() };
    Interval { point, low: point - deviation, high: point + deviation }
}

/// A run as the broken line through its points: environment steps, value, and the area under the line up to there, so
/// that a mean over any window costs two look-ups.
struct Line(Vec<(f64, f64, f64)>);

impl Line {
    fn new(run: &RecordedRun) -> Line {
        let mut line: Vec<(f64, f64, f64)> = Vec::new();
        for (&steps, &value) in run.env_steps.iter().zip(&run.values) {
            let more = |&(from, before, area): &(f64, f64, f64)| area + (steps as f64 - from) * (before + value) / 2.0;
            line.push((steps as f64, value, line.last().map_or(0.0, more)));
        }
        Line(line)
    }

    /// The line's mean over `[at - half, at + half]`, or its value at `at` where the window has no width.
    fn mean_around(&self, at: f64, half: f64) -> f64 {
        // A window narrower than rounding in `at` can show has no width either.
        if half <= at * 1e-12 {
            return self.value_and_area(at).0;
        }
        (self.value_and_area(at + half).1 - self.value_and_area(at - half).1) / (2.0 * half)
    }

    /// The line's height at `at`, and the area under it up to there.
    fn value_and_area(&self, at: f64) -> (f64, f64) {
        // Of several points at the same steps the last counts: it is the newest.
        let after = self.0.partition_point(|point| point.0 <= at);
        let (x0, y0, area) = self.0[after.saturating_sub(1)];
        let Some(&(x1, y1, _)) = self.0.get(after).filter(|_| after > 0) else { return (y0, area) };
        let y = y0 + (y1 - y0) * ((at - x0) / (x1 - x0));
        (y, area + (at - x0) * (y0 + y) / 2.0)
    }
}

#[cfg(test)]
mod tests;
