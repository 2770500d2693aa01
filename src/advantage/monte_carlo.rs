//! The return that was really obtained.

use uphill_envs::End;

use super::{Estimate, Estimator, Judged, factors, same_steps, weighed};
use crate::Rollout;

/// Reward to go.
///
/// ```math
///   Gₜ = rₜ + γ·Gₜ₊₁                              within an episode
///   Gₜ = rₜ + γ·[not terminated]·V(sₜ₊₁)          at its end, or where the window cuts it
/// ```
///
/// Slices are time-major `[T, N]`, `N` = `lanes`. Without a critic `next_value` is zero and a truncated return is
/// simply the (discounted) sum of what was seen.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; Sutton and Barto 2018, section 13.3.
///
/// # Panics
/// If the slices differ in length, or are no whole number of steps.
#[must_use]
#[track_caller]
pub fn reward_to_go(reward: &[f32], next_value: &[f32], end: &[End], lanes: usize, gamma: f32) -> Vec<f32> {
    same_steps(reward.len(), lanes, [("next_value", next_value.len()), ("end", end.len())]);
    let mut returns = vec![0.0; reward.len()];
    reward_to_go_into(reward, |i| next_value[i], end, lanes, gamma, &mut returns);
    returns
}

fn reward_to_go_into(
    reward: &[f32],
    next_value: impl Fn(usize) -> f32,
    end: &[End],
    lanes: usize,
    gamma: f32,
    returns: &mut [f32],
) {
    for i in (0..reward.len()).rev() {
        let (bootstrap, carry) = factors(end[i]);
        let after = match returns.get(i + lanes) {
            Some(&next_return) if carry > 0.0 => next_return,
            _ if bootstrap > 0.0 => next_value(i),
            _ => 0.0,
        };
        returns[i] = reward[i] + weighed(gamma, after);
    }
}

/// [`reward_to_go`] as an [`Estimator`]: `Aₜ = Gₜ`, or `Gₜ − V(sₜ)` with a baseline. The targets are `Gₜ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonteCarlo {
    /// Whether to subtract the critic's value, which lowers the gradient's variance.
    ///
    /// Where every episode of the rollout terminates, it leaves the gradient's mean as it is. Where a time limit or the
    /// window cuts one off, it does more: the return goes on with the critic's value of what was cut off, which without a
    /// baseline counts as nothing. The one follows the return without the limit, as far as the critic is right; the other
    /// that within it.
    pub baseline: bool,
}

impl Estimator for MonteCarlo {
    fn needs_values(&self) -> bool {
        self.baseline
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        let Rollout { reward, end, lanes, .. } = rollout;
        let Judged { value, next_value, .. } = now;
        same_steps(reward.len(), *lanes, [("end", end.len())]);
        if self.baseline {
            same_steps(reward.len(), *lanes, [("value", value.len()), ("next_value", next_value.len())]);
        }
        out.target.resize(reward.len(), 0.0);
        // Even if the rollout holds values, a policy gradient without a critic must not see them.
        let next_value = |i: usize| if self.baseline { next_value[i] } else { 0.0 };
        reward_to_go_into(reward, next_value, end, *lanes, gamma, &mut out.target);
        out.advantage.clear();
        if self.baseline {
            out.advantage.extend(out.target.iter().zip(value).map(|(g, v)| g - v));
        } else {
            out.advantage.extend_from_slice(&out.target);
        }
    }
}
