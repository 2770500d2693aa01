//! How much a method's score hangs on its learning rate.

use serde::Serialize;

use super::{Bootstrap, Interval, Scores, StatsError, error::check_option, error::check_rising};

/// A method's scores over a grid of learning rates, and how wide its good region is.
///
/// Scores must be normalised ([`super::Scale`]), so that 0 is what a random policy scores and 1 what an optimal one does:
/// "90 % of the best" means nothing on a scale whose zero is arbitrary. The grid should be the same for all methods that
/// are compared, and evenly spaced in log(lr), for the share counts its points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The learning rates, rising.
    pub lr: Vec<f64>,
    /// The score at each, aggregated over runs and tasks.
    pub score: Vec<Interval>,
    /// The learning rate of the best score; the least, where several have it.
    pub best_lr: f64,
    /// The share of the grid that is near the best: [`share_near_best`].
    pub share_near_best: Interval,
}

impl Sensitivity {
    /// Scores a grid by a statistic, such as [`super::iqm`]. `near` is the part of the best that counts as near it, 0.9 by habit.
    ///
    /// The runs of every learning rate are drawn by themselves, and the best is chosen anew in each replicate.
    ///
    /// # Errors
    /// A [`StatsError`] if the grid is empty or its learning rates are not positive, finite and rising, `near` is not
    /// in `(0, 1]`, the statistic is NaN, or a setting of `bootstrap` is out of range.
    pub fn of(
        grid: &[(f64, Scores)],
        near: f64,
        mut statistic: impl FnMut(&Scores) -> f64,
        bootstrap: &Bootstrap,
    ) -> Result<Sensitivity, StatsError> {
        let lr: Vec<f64> = grid.iter().map(|&(lr, _)| lr).collect();
        check_rising("lr", &lr)?;
        check_option("lr", lr[0], lr[0] > 0.0, "a positive number")?;
        check_option("near", near, near > 0.0 && near <= 1.0, "a share above 0 and up to 1, such as 0.9")?;
        let samples: Vec<&Scores> = grid.iter().map(|(_, scores)| scores).collect();
        let mut score = bootstrap.intervals(&samples, lr.len() + 1, |resampled, out| {
            if let Some((share, curve)) = out.split_last_mut() {
                curve.iter_mut().zip(resampled).for_each(|(score, scores)| *score = statistic(scores));
                *share = share_near_best(curve, near);
            }
        })?;
        let share_near_best = score.pop().ok_or(StatsError::Empty { what: "intervals" })?;
        let better = |best: usize, (place, interval): (usize, &Interval)| {
            if interval.point > score[best].point { place } else { best }
        };
        let best_lr = lr[score.iter().enumerate().fold(0, better)];
        Ok(Sensitivity { lr, score, best_lr, share_near_best })
    }
}

/// The share of a grid's normalised scores that are at least `near` times the best of them.
///
/// ```text
///   1/n · Σᵢ [ xᵢ ≥ near · maxⱼ xⱼ ]   if maxⱼ xⱼ > 0, else 0
/// ```
///
/// Where nothing on the grid beats a random policy, nothing is worth being near: the share is 0. NaN if a score is.
#[must_use]
pub fn share_near_best(scores: &[f64], near: f64) -> f64 {
    if scores.iter().any(|score| score.is_nan()) {
        return f64::NAN;
    }
    let best = scores.iter().copied().fold(0.0, f64::max);
    if best <= 0.0 {
        return 0.0;
    }
    scores.iter().filter(|&&score| score >= near * best).count() as f64 / scores.len() as f64
}
