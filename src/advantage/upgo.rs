//! The return of what went better than expected.

use super::{Estimate, Estimator, Judged, factors, lambda_return::lambda_return_into, same_steps, weighed};
use crate::Rollout;

/// Upgoing policy update: the return goes on for as long as actions were better than the critic thought, and is cut by the
/// critic's word before the first that was worse.
///
/// ```math
///   Gₜ = rₜ + γ·[not terminated]·(Gₜ₊₁ if rₜ₊₁ + γ·[not terminated]·V(sₜ₊₂) ≥ V(sₜ₊₁), else V(sₜ₊₁))
///   Aₜ = Gₜ − V(sₜ)
/// ```
///
/// Where an episode or the window ends, it is `V(sₜ₊₁)` that follows. Targets are the [`lambda_return`](super::lambda_return)s.
///
/// It is biased on purpose: what follows an action counts only where it went well, so that one lucky sequence is learnt from
/// without waiting for the critic, and an action whose consequences are uncertain looks better than it is. Where nothing is
/// left to chance it follows the best that was seen.
///
/// Vinyals et al. 2019, methods, <https://doi.org/10.1038/s41586-019-1724-z>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upgo {
    /// λ of the critic's targets, in `[0, 1]`.
    pub lambda: f32,
}

impl Estimator for Upgo {
    fn needs_values(&self) -> bool {
        true
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        let Rollout { reward, end, lanes, .. } = rollout;
        let Judged { value, next_value, .. } = now;
        same_steps(reward.len(), *lanes, [("value", value.len())]);
        out.target.resize(reward.len(), 0.0);
        lambda_return_into([reward, next_value], end, *lanes, gamma, self.lambda, &mut out.target);
        // What one action alone was worth, by the critic.
        let worth = |i: usize| {
            let (bootstrap, _) = factors(end[i]);
            reward[i] + weighed(gamma, if bootstrap > 0.0 { next_value[i] } else { 0.0 })
        };
        out.advantage.resize(reward.len(), 0.0);
        for i in (0..reward.len()).rev() {
            let (_, carry) = factors(end[i]);
            let after = i + lanes;
            let goes_on = carry > 0.0 && after < reward.len() && worth(after) >= value[after];
            // The advantage of the step after, and the value that it was less by, are its return.
            let upgoing =
                if goes_on { reward[i] + weighed(gamma, out.advantage[after] + value[after]) } else { worth(i) };
            out.advantage[i] = upgoing - value[i];
        }
    }
}
