//! V-trace.

use super::{Estimate, Estimator, Judged, factors, same_steps, weighed};
use crate::Rollout;

/// V-trace: n-step returns of the policy of now from what an older one did.
///
/// ```math
///   ρₜ = min(ρ̄, π(aₜ|sₜ)/μ(aₜ|sₜ))              cₜ = λ·min(c̄, π(aₜ|sₜ)/μ(aₜ|sₜ))
///   δₜ = ρₜ·(rₜ + γ·[not terminated]·V(sₜ₊₁) − V(sₜ))
///   vₜ = V(sₜ) + δₜ + γ·[not ended]·cₜ·(vₜ₊₁ − V(sₜ₊₁))
///   Aₜ = ρₜ·(rₜ + γ·[not terminated]·vₜ₊₁ − V(sₜ))
/// ```
///
/// `μ` chose the actions, `π` is the policy now; `vₜ` are the targets. Where an episode or the window ends, `vₜ₊₁` is
/// `V(sₜ₊₁)`. Where both policies are one, this is generalised advantage estimation at λ = 1.
///
/// Espeholt et al. 2018, eqs. 1 and 4, <https://arxiv.org/abs/1802.01561>; λ: remark 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VTrace {
    /// λ in `[0, 1]`.
    pub lambda: f32,
    /// ρ̄, above 0: which policy the values are of. Infinite for those of π.
    pub clip_rho: f32,
    /// c̄, above 0: how far what happened later counts.
    pub clip_c: f32,
}

impl Default for VTrace {
    fn default() -> Self {
        Self { lambda: 1.0, clip_rho: 1.0, clip_c: 1.0 }
    }
}

impl Estimator for VTrace {
    fn needs_values(&self) -> bool {
        true
    }

    fn needs_log_probs(&self) -> bool {
        true
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        let Rollout { reward, end, lanes, .. } = rollout;
        let Judged { log_prob, value, next_value } = now;
        let columns = [
            ("value", value.len()),
            ("next_value", next_value.len()),
            ("end", end.len()),
            ("log_prob", rollout.log_prob.len()),
            ("log_prob of now", log_prob.len()),
        ];
        same_steps(reward.len(), *lanes, columns);
        let len = reward.len();
        out.advantage.resize(len, 0.0);
        out.target.resize(len, 0.0);
        for i in (0..len).rev() {
            let (bootstrap, carry) = factors(end[i]);
            let ratio = (log_prob[i] - rollout.log_prob[i]).exp();
            let (rho, c) = (ratio.min(self.clip_rho), self.lambda * ratio.min(self.clip_c));
            let after = i + lanes;
            let goes_on = carry > 0.0 && after < len;
            let next = if bootstrap > 0.0 { next_value[i] } else { 0.0 };
            let target_next = if goes_on { out.target[after] } else { next };
            let delta = rho * (reward[i] + weighed(gamma, next) - value[i]);
            let later = if goes_on { target_next - next } else { 0.0 };
            out.target[i] = value[i] + delta + weighed(gamma * c, later);
            out.advantage[i] = rho * (reward[i] + weighed(gamma, target_next) - value[i]);
        }
    }
}

#[cfg(test)]
mod tests;
