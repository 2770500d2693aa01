//! One number for all runs and tasks.

use serde::Serialize;

use super::{Bootstrap, Interval, Scores, StatsError};

/// The interquartile mean: the mean of the middle half of all runs of all tasks together.
///
/// ```math
///   IQM = 1 / (n − 2k) · Σ x₍ᵢ₎,  i = k+1 … n−k,   k = ⌊n / 4⌋,   x₍₁₎ ≤ … ≤ x₍ₙ₎ all runs × tasks
/// ```
///
/// Robust as the median is, yet it uses half of the runs: few outliers do not move it, and its interval is narrow.
///
/// Agarwal et al. 2021, section 4.3, <https://arxiv.org/abs/2108.13264>; `scipy.stats.trim_mean(x, 0.25)`.
#[must_use]
pub fn iqm(scores: &Scores) -> f64 {
    interquartile_mean(&mut scores.values().to_vec())
}

/// The mean over tasks of the mean over runs.
#[must_use]
pub fn mean(scores: &Scores) -> f64 {
    scores.task_means().sum::<f64>() / scores.tasks() as f64
}

/// The median over tasks of the mean over runs.
///
/// The field's older habit: half of the tasks may score 0 and leave it where it is.
#[must_use]
pub fn median(scores: &Scores) -> f64 {
    middle(&mut scores.task_means().collect::<Vec<_>>())
}

/// By how much runs fall short of `gamma`, the score that counts as enough; what lies above it counts no more.
///
/// ```math
///   OG = γ − 1/n · Σ min(xᵢ, γ)
/// ```
///
/// Less is better. `gamma` is 1 where scores are normalised.
///
/// Agarwal et al. 2021, section 4.3, <https://arxiv.org/abs/2108.13264>.
#[must_use]
pub fn optimality_gap(scores: &Scores, gamma: f64) -> f64 {
    let values = scores.values();
    gamma - values.iter().map(|score| score.min(gamma)).sum::<f64>() / values.len() as f64
}

/// What one reports of one method: each aggregate with its interval, all from the same resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Aggregates {
    /// [`iqm()`]: the one to look at first.
    pub iqm: Interval,
    /// [`mean()`].
    pub mean: Interval,
    /// [`median()`].
    pub median: Interval,
    /// [`optimality_gap()`] at γ = 1.
    pub optimality_gap: Interval,
}

impl Aggregates {
    /// The aggregates of normalised scores.
    ///
    /// # Errors
    /// A [`StatsError`] if a setting of `bootstrap` is out of range.
    pub fn of(scores: &Scores, bootstrap: &Bootstrap) -> Result<Aggregates, StatsError> {
        let mut scratch = Vec::new();
        let all = bootstrap.intervals(&[scores], 4, |resampled, out| {
            if let [scores] = resampled {
                scratch.clear();
                scratch.extend_from_slice(scores.values());
                let iqm = interquartile_mean(&mut scratch);
                scratch.clear();
                scratch.extend(scores.task_means());
                let median = middle(&mut scratch);
                out.copy_from_slice(&[iqm, mean(scores), median, optimality_gap(scores, 1.0)]);
            }
        })?;
        match all[..] {
            [iqm, mean, median, optimality_gap] => Ok(Aggregates { iqm, mean, median, optimality_gap }),
            _ => Err(StatsError::Empty { what: "intervals" }),
        }
    }
}

/// The mean of the middle half of `values`, which are sorted on the way: the sum then depends on no order of runs.
/// NaN of none.
#[must_use]
pub fn interquartile_mean(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let cut = values.len() / 4;
    let middle = &values[cut..values.len() - cut];
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// The middle value, or the mean of the middle two; NaN of none.
fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values {
        [] => f64::NAN,
        odd if odd.len() % 2 == 1 => odd[half],
        even => (even[half - 1] + even[half]) / 2.0,
    }
}
