//! Which share of runs scores more than how much.

use serde::Serialize;

use super::{Bootstrap, Interval, Scores, StatsError, error::check_rising};

/// A performance profile: for each threshold τ, the share that scores more than τ, with pointwise intervals.
///
/// It shows the whole distribution where an aggregate shows a point of it. A method whose profile lies above another's
/// everywhere dominates it; profiles that cross say that the answer depends on which scores matter.
///
/// Agarwal et al. 2021, section 4.2, <https://arxiv.org/abs/2108.13264>.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerformanceProfile {
    /// The thresholds, rising, in the scores' unit.
    pub tau: Vec<f64>,
    /// The share above each.
    pub share: Vec<Interval>,
}

impl PerformanceProfile {
    /// The run-score distribution: the share of all runs of all tasks.
    ///
    /// ```math
    ///   F(τ) = 1/M · Σₘ 1/N · Σₙ [xₘₙ > τ]
    /// ```
    ///
    /// An unbiased estimate of the chance that a run scores more than τ, whatever the number of runs.
    ///
    /// # Errors
    /// A [`StatsError`] if `tau` is empty, not finite or does not rise, or a setting of `bootstrap` is out of range.
    pub fn of_runs(scores: &Scores, tau: &[f64], bootstrap: &Bootstrap) -> Result<PerformanceProfile, StatsError> {
        profile(scores, tau, bootstrap, |scores, out| out.extend_from_slice(scores.values()))
    }

    /// The average-score distribution: the share of tasks whose mean over runs is above τ.
    ///
    /// ```math
    ///   F(τ) = 1/M · Σₘ [ 1/N · Σₙ xₘₙ > τ ]
    /// ```
    ///
    /// It depends on the number of runs and hides their spread; the field used it before the run-score distribution.
    ///
    /// # Errors
    /// As [`PerformanceProfile::of_runs`].
    pub fn of_task_means(
        scores: &Scores,
        tau: &[f64],
        bootstrap: &Bootstrap,
    ) -> Result<PerformanceProfile, StatsError> {
        profile(scores, tau, bootstrap, |scores, out| out.extend(scores.task_means()))
    }
}

fn profile(
    scores: &Scores,
    tau: &[f64],
    bootstrap: &Bootstrap,
    counted: impl Fn(&Scores, &mut Vec<f64>),
) -> Result<PerformanceProfile, StatsError> {
    check_rising("tau", tau)?;
    let mut sorted = Vec::new();
    let share = bootstrap.intervals(&[scores], tau.len(), |resampled, out| {
        sorted.clear();
        resampled.iter().for_each(|scores| counted(scores, &mut sorted));
        sorted.sort_unstable_by(f64::total_cmp);
        for (share, tau) in out.iter_mut().zip(tau) {
            let not_above = sorted.partition_point(|score| score <= tau);
            *share = (sorted.len() - not_above) as f64 / sorted.len() as f64;
        }
    })?;
    Ok(PerformanceProfile { tau: tau.to_vec(), share })
}
