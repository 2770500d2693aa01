//! How often one method beats another.

use super::{Bootstrap, Interval, Scores, StatsError};

/// The probability of improvement: that a run of `x` scores more than a run of `y` on the same task, averaged over tasks.
///
/// ```math
///   P(X > Y) = 1/M · Σₘ Uₘ / (N·K),    Uₘ = Σₙ Σₖ [xₘₙ > yₘₖ] + ½·[xₘₙ = yₘₖ]
/// ```
///
/// `U` is the Mann-Whitney statistic, with ties counted half, so P(X > Y) + P(Y > X) = 1. It says how often, not by how
/// much; scores need no common scale. The methods may have different numbers of runs.
///
/// Agarwal et al. 2021, section 4.3, <https://arxiv.org/abs/2108.13264>; Mann and Whitney 1947,
/// <https://doi.org/10.1214/aoms/1177730491>.
///
/// # Errors
/// A [`StatsError`] if the methods have different numbers of tasks.
pub fn probability_of_improvement(x: &Scores, y: &Scores) -> Result<f64, StatsError> {
    check(x, y)?;
    Ok(over_tasks(x, y))
}

/// [`probability_of_improvement`] with its interval, runs of `x` and `y` drawn independently.
///
/// An interval wholly above ½ says that `x` is better; above ¾, by the habit of the field, that it is so meaningfully.
///
/// # Errors
/// A [`StatsError`] if the methods have different numbers of tasks or a setting of `bootstrap` is out of range.
pub fn probability_of_improvement_interval(
    x: &Scores,
    y: &Scores,
    bootstrap: &Bootstrap,
) -> Result<Interval, StatsError> {
    check(x, y)?;
    bootstrap.interval_of_two(x, y, over_tasks)
}

fn check(x: &Scores, y: &Scores) -> Result<(), StatsError> {
    let (x, y) = (x.tasks(), y.tasks());
    if x == y { Ok(()) } else { Err(StatsError::Tasks { x, y }) }
}

fn over_tasks(x: &Scores, y: &Scores) -> f64 {
    let share = |(x, y): (&[f64], &[f64])| mann_whitney_u(x, y) / (x.len() * y.len()) as f64;
    x.by_task().zip(y.by_task()).map(share).sum::<f64>() / x.tasks() as f64
}

fn mann_whitney_u(x: &[f64], y: &[f64]) -> f64 {
    // Counted in halves, which are exact.
    let halves = |x: f64, y: f64| 2 * u64::from(x > y) + u64::from(x == y);
    let total: u64 = x.iter().map(|&x| y.iter().map(|&y| halves(x, y)).sum::<u64>()).sum();
    total as f64 / 2.0
}
