//! Some rewards that were really obtained, then the critic's word.

use uphill_envs::End;

use super::{Estimate, Estimator, Judged, factors, same_steps, weighed};
use crate::Rollout;

/// n-step return.
///
/// ```math
///   Gₜ = rₜ + γ·rₜ₊₁ + … + γᵐ⁻¹·rₜ₊ₘ₋₁ + γᵐ·[not terminated]·V(sₜ₊ₘ)
/// ```
///
/// `m` is `n_steps`, or fewer where the episode ends or the window does. Slices are time-major `[T, N]`, `N` = `lanes`.
///
/// Sutton and Barto 2018, eq. 7.1; Mnih et al. 2016, algorithm S3, <https://arxiv.org/abs/1602.01783>.
///
/// # Panics
/// If the slices differ in length, or are no whole number of steps.
#[must_use]
#[track_caller]
pub fn n_step_return(
    reward: &[f32],
    next_value: &[f32],
    end: &[End],
    lanes: usize,
    gamma: f32,
    n_steps: usize,
) -> Vec<f32> {
    same_steps(reward.len(), lanes, [("next_value", next_value.len()), ("end", end.len())]);
    n_step_returns(reward, next_value, end, lanes, gamma, n_steps).collect()
}

fn n_step_returns(
    reward: &[f32],
    next_value: &[f32],
    end: &[End],
    lanes: usize,
    gamma: f32,
    n_steps: usize,
) -> impl Iterator<Item = f32> {
    (0..reward.len()).map(move |start| {
        let (mut sum, mut discount) = (0.0, 1.0);
        let mut last = start;
        for i in (start..reward.len()).step_by(lanes.max(1)).take(n_steps.max(1)) {
            sum += weighed(discount, reward[i]);
            discount *= gamma;
            last = i;
            if end[i].ended() {
                break;
            }
        }
        let (bootstrap, _) = factors(end[last]);
        if bootstrap > 0.0 { sum + weighed(discount, next_value[last]) } else { sum }
    })
}

/// [`n_step_return`] as an [`Estimator`]: `Aₜ = Gₜ − V(sₜ)`, with targets `Gₜ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NStep {
    /// Rewards taken before the critic is asked, at least 1.
    pub n_steps: usize,
}

impl Estimator for NStep {
    fn needs_values(&self) -> bool {
        true
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        let Rollout { reward, end, lanes, .. } = rollout;
        let Judged { value, next_value, .. } = now;
        let columns = [("value", value.len()), ("next_value", next_value.len()), ("end", end.len())];
        same_steps(reward.len(), *lanes, columns);
        out.target.clear();
        out.target.extend(n_step_returns(reward, next_value, end, *lanes, gamma, self.n_steps));
        out.advantage.clear();
        out.advantage.extend(out.target.iter().zip(value).map(|(g, v)| g - v));
    }
}
