//! Generalised advantage estimation.

use candle_core::Tensor;
use uphill_envs::End;

use super::{Estimate, Estimator, Judged, factors, same_steps, weighed};
use crate::rollout::DeviceRollout;
use crate::{Result, Rollout};

/// Generalised advantage estimation.
///
/// ```math
///   δₜ = rₜ + γ·[not terminated]·V(sₜ₊₁) − V(sₜ)
///   Aₜ = δₜ + γλ·[not ended]·Aₜ₊₁
/// ```
///
/// Slices are time-major `[T, N]`, `N` = `lanes`. `next_value` is V of the state the action led to, so a truncated
/// step bootstraps from the observation its episode finished on. Beyond the window nothing is known and `A` is 0.
///
/// Schulman et al. 2016, eqs. 11-16, <https://arxiv.org/abs/1506.02438>; truncation: Pardo et al. 2018, eq. 6.
///
/// # Panics
/// If the slices differ in length, or are no whole number of steps.
#[must_use]
#[track_caller]
pub fn gae(
    reward: &[f32],
    value: &[f32],
    next_value: &[f32],
    end: &[End],
    lanes: usize,
    gamma: f32,
    gae_lambda: f32,
) -> Vec<f32> {
    let mut advantage = vec![0.0; reward.len()];
    gae_into([reward, value, next_value], end, lanes, gamma, gae_lambda, &mut advantage);
    advantage
}

#[track_caller]
fn gae_into(
    [reward, value, next_value]: [&[f32]; 3],
    end: &[End],
    lanes: usize,
    gamma: f32,
    gae_lambda: f32,
    advantage: &mut [f32],
) {
    let columns = [("value", value.len()), ("next_value", next_value.len()), ("end", end.len())];
    same_steps(reward.len(), lanes, columns);
    for i in (0..reward.len()).rev() {
        let (bootstrap, carry) = factors(end[i]);
        let next = if bootstrap > 0.0 { next_value[i] } else { 0.0 };
        let delta = reward[i] + weighed(gamma, next) - value[i];
        let after = if carry > 0.0 { advantage.get(i + lanes).copied().unwrap_or(0.0) } else { 0.0 };
        advantage[i] = delta + weighed(gamma * gae_lambda, after);
    }
}

/// [`gae`] of a rollout that is on a device, `[T, N]`, by as many operations as it has steps: on the processor the same bits, and
/// elsewhere within 10⁻⁵ of the largest.
///
/// # Errors
/// [`Error::Tensor`](crate::Error::Tensor) for columns of other shapes, and if the device fails.
pub fn gae_tensors(rollout: &DeviceRollout, gamma: f32, gae_lambda: f32) -> Result<Tensor> {
    let DeviceRollout { reward, value, next_value, carry, steps, .. } = rollout;
    let delta = ((reward + (next_value * f64::from(gamma))?)? - value)?;
    let carry = (carry * f64::from(gamma * gae_lambda))?;
    let mut advantage: Vec<Tensor> = Vec::with_capacity(*steps);
    for t in (0..*steps).rev() {
        let delta = delta.get(t)?;
        advantage.push(match advantage.last() {
            Some(after) => (delta + (after * carry.get(t)?)?)?,
            None => delta,
        });
    }
    advantage.reverse();
    Ok(Tensor::stack(&advantage, 0)?)
}

/// [`gae`] as an [`Estimator`]; its targets are `Aₜ + V(sₜ)`, the TD(λ) returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gae {
    /// λ in `[0, 1]`: 0 trusts the critic after one step, 1 not at all.
    pub gae_lambda: f32,
}

impl Estimator for Gae {
    fn needs_values(&self) -> bool {
        true
    }

    fn on_device(&self) -> Option<Gae> {
        Some(*self)
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        let Rollout { reward, end, lanes, .. } = rollout;
        let Judged { value, next_value, .. } = now;
        out.advantage.resize(reward.len(), 0.0);
        gae_into([reward, value, next_value], end, *lanes, gamma, self.gae_lambda, &mut out.advantage);
        out.target.clear();
        out.target.extend(out.advantage.iter().zip(value).map(|(a, v)| a + v));
    }
}
