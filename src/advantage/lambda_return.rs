//! All n-step returns at once.

use uphill_envs::End;

use super::{factors, same_steps, weighed};

/// TD(λ) return.
///
/// ```math
///   Gₜ = rₜ + γ·[not terminated]·((1 − λ)·V(sₜ₊₁) + λ·Gₜ₊₁)          within an episode
///   Gₜ = rₜ + γ·[not terminated]·V(sₜ₊₁)                             at its end, or where the window cuts it
/// ```
///
/// The n-step returns of all n, each weighed by `(1 − λ)·λⁿ⁻¹`. Slices are time-major `[T, N]`, `N` = `lanes`. Less `V(sₜ)`, it
/// is [`gae`](super::gae).
///
/// Sutton and Barto 2018, section 12.1.
///
/// # Panics
/// If the slices differ in length, or are no whole number of steps.
#[must_use]
#[track_caller]
pub fn lambda_return(
    reward: &[f32],
    next_value: &[f32],
    end: &[End],
    lanes: usize,
    gamma: f32,
    lambda: f32,
) -> Vec<f32> {
    let mut returns = vec![0.0; reward.len()];
    lambda_return_into([reward, next_value], end, lanes, gamma, lambda, &mut returns);
    returns
}

#[track_caller]
pub(super) fn lambda_return_into(
    [reward, next_value]: [&[f32]; 2],
    end: &[End],
    lanes: usize,
    gamma: f32,
    lambda: f32,
    returns: &mut [f32],
) {
    same_steps(reward.len(), lanes, [("next_value", next_value.len()), ("end", end.len())]);
    for i in (0..reward.len()).rev() {
        let (bootstrap, carry) = factors(end[i]);
        let after = match returns.get(i + lanes) {
            Some(&later) if carry > 0.0 => weighed(1.0 - lambda, next_value[i]) + weighed(lambda, later),
            _ if bootstrap > 0.0 => next_value[i],
            _ => 0.0,
        };
        returns[i] = reward[i] + weighed(gamma, after);
    }
}
