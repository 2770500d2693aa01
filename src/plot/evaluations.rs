//! Evaluations in the midst of training, as curves beside those of training itself.

use std::path::Path;

use serde::Deserialize;
use uphill_envs::counted;

use super::curve::{curve, groups};
use super::label::labels;
use super::{Interval, RecordedRun, Series, drawable, look::LOOKS};
use crate::sink::EVALUATIONS;

/// A row of `evaluations.csv`.
#[derive(Deserialize)]
struct Row {
    env_steps: u64,
    episodes: u64,
    return_mean: Option<f64>,
    return_std: Option<f64>,
}

/// The mean returns of the evaluations in the folders that these runs are [named](RecordedRun::name) after, for each curve that
/// [`curves`](super::curves) draws of them: of one run with a standard deviation of its episodes to either side, of several the mean over
/// the runs that have some, with one of these. [`PlotOptions::beside`](super::PlotOptions::beside) takes them.
///
/// There is none of runs without evaluations, or whose file nobody can read.
#[must_use]
pub fn evaluations(runs: &[RecordedRun]) -> Vec<Series> {
    let groups = groups(runs);
    // More looks than there are would be a picture of none.
    if 2 * groups.len() > LOOKS {
        return Vec::new();
    }
    let firsts: Vec<&RecordedRun> = groups.iter().filter_map(|group| group.first().copied()).collect();
    let of = |label: &str| if groups.len() > 1 { format!("{label}: evaluation") } else { "evaluation".into() };
    groups.iter().zip(labels(&firsts)).filter_map(|(group, label)| series(of(&label), group)).collect()
}

/// Those of a curve.
fn series(label: String, runs: &[&RecordedRun]) -> Option<Series> {
    if let [run] = runs {
        let rows = rows(run)?;
        let label = format!("{label}, mean ± s.d. of {}", counted(rows.first()?.episodes, "episode"));
        let point = |row: Row| {
            let (point, std) = (row.return_mean?, row.return_std?);
            Some((row.env_steps as f64, Interval { point, low: point - std, high: point + std }))
        };
        let points = rows.into_iter().filter_map(point).collect();
        return Some(Series { label, points }).filter(|series| !series.points.is_empty());
    }
    let evaluated: Vec<RecordedRun> = runs.iter().filter_map(|run| evaluated(run)).collect();
    let mean = curve(label, &evaluated.iter().collect::<Vec<_>>(), 0.0).ok()?;
    let label = match evaluated.len() {
        1 => mean.label,
        count => format!("{}, mean ± s.d. of {count} runs", mean.label),
    };
    (!evaluated.is_empty()).then_some(Series { label, points: mean.values })
}

/// The run with its evaluations in the place of what it did in training.
fn evaluated(run: &RecordedRun) -> Option<RecordedRun> {
    let known = rows(run)?.into_iter().filter_map(|row| Some((row.env_steps, row.return_mean?)));
    let (env_steps, values): (Vec<u64>, Vec<f64>) = known.unzip();
    (!values.is_empty()).then(|| RecordedRun { env_steps, values, ..run.clone() })
}

/// What the file has, up to a line that a kill has left unfinished.
fn rows(run: &RecordedRun) -> Option<Vec<Row>> {
    let file = Path::new(&run.name).join(EVALUATIONS.make.file);
    let rows = csv::Reader::from_path(file).ok()?.into_deserialize();
    let rows: Vec<Row> = rows.map_while(Result::ok).collect();
    let drawn = |row: &Row| [row.return_mean, row.return_std].into_iter().flatten().all(drawable);
    // Steps rise from evaluation to evaluation.
    let in_order = rows.is_sorted_by(|a, b| a.env_steps < b.env_steps);
    (in_order && rows.iter().all(drawn)).then_some(rows)
}
