//! What a learning curve says as one number: its area, and when it first reached a threshold.

use super::{Reached, StatsError, error::check_rising};

/// The area under a learning curve by the trapezoidal rule, divided by the range of steps it covers: the mean score
/// during training, in the score's unit.
///
/// ```math
///   AUC = 1 / (tₙ − t₁) · Σᵢ (tᵢ₊₁ − tᵢ) · (xᵢ + xᵢ₊₁) / 2
/// ```
///
/// Only what lies between the first point and the last counts: nothing is assumed before the first. Where the steps
/// before it should count, put a point at step 0 with the untrained policy's score. Methods compare only where their
/// curves have the same first and last step. The area of a single point is its score.
///
/// # Errors
/// A [`StatsError`] if there are no points, `env_steps` and `score` differ in length, steps do not rise, or a score is
/// not finite.
pub fn area_under_curve(env_steps: &[u64], score: &[f64]) -> Result<f64, StatsError> {
    let steps = checked(env_steps, score)?;
    let range = steps[steps.len() - 1] - steps[0];
    if range == 0.0 {
        return Ok(score[0]);
    }
    // Weights first, so that large scores over many steps do not leave the numbers on the way.
    let trapezoid = |(t, x): (&[f64], &[f64])| (t[1] - t[0]) / range * (x[0] / 2.0 + x[1] / 2.0);
    Ok(steps.windows(2).zip(score.windows(2)).map(trapezoid).sum())
}

/// When a learning curve first reached `threshold`: the first step at which a score of at least that was recorded.
///
/// Nothing is interpolated between records. A curve that never reached it is right-censored at its last step: all that is
/// known is that it needs more.
///
/// # Errors
/// As [`area_under_curve`], and if `threshold` is not finite.
pub fn steps_to_threshold(env_steps: &[u64], score: &[f64], threshold: f64) -> Result<Reached, StatsError> {
    checked(env_steps, score)?;
    if !threshold.is_finite() {
        return Err(StatsError::NotFinite { what: "the threshold".into(), value: threshold });
    }
    Ok(match score.iter().position(|&score| score >= threshold) {
        Some(place) => Reached::At(env_steps[place]),
        None => Reached::NotBy(env_steps[env_steps.len() - 1]),
    })
}

/// The steps as numbers, where the curve is one.
fn checked(env_steps: &[u64], score: &[f64]) -> Result<Vec<f64>, StatsError> {
    if score.len() != env_steps.len() {
        let (got, expected) = (score.len(), env_steps.len());
        return Err(StatsError::Length { what: "score".into(), got, expected, each: "of env_steps" });
    }
    let steps: Vec<f64> = env_steps.iter().map(|&step| step as f64).collect();
    check_rising("env_steps", &steps)?;
    match score.iter().position(|score| !score.is_finite()) {
        Some(place) => Err(StatsError::NotFinite { what: format!("the score at point {place}"), value: score[place] }),
        None => Ok(steps),
    }
}
