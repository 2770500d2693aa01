//! The weight that the discounted return gives to a state.

use super::{Estimate, Estimator, Judged, same_steps};
use crate::Rollout;

/// Another estimator with `γᵗ` before the advantage of an episode's step `t`, counted from 0; of advantages `[T, N]`, in the unit of the
/// rewards. Targets stay.
///
/// ```math
///   ∇J = E Σₜ γᵗ·Aₜ·∇log π(aₜ|sₜ)
/// ```
///
/// Without it, as nearly all implementations have it, late states count like early ones, and what is followed is the gradient of
/// the discounted return only at `γ = 1`. A rollout has to begin with episodes that begin, as those of whole episodes do.
///
/// Sutton and Barto 2018, section 13.3; Thomas 2014, <https://proceedings.mlr.press/v32/thomas14.html>.
#[derive(Debug)]
pub struct DiscountedStates(pub Box<dyn Estimator>);

impl Estimator for DiscountedStates {
    fn needs_values(&self) -> bool {
        self.0.needs_values()
    }

    fn needs_log_probs(&self) -> bool {
        self.0.needs_log_probs()
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        self.0.estimate_into(rollout, gamma, now, out);
        same_steps(out.advantage.len(), rollout.lanes, [("end", rollout.end.len())]);
        for lane in 0..rollout.lanes {
            let mut weight = 1.0;
            for place in (lane..out.advantage.len()).step_by(rollout.lanes) {
                out.advantage[place] *= weight as f32;
                weight = if rollout.end[place].ended() { 1.0 } else { weight * f64::from(gamma) };
            }
        }
    }
}
