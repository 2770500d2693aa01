//! Each episode against the others.

use uphill_envs::End;

use super::{Estimate, Estimator, Judged, MonteCarlo, same_steps};
use crate::Rollout;

/// Reward to go less what the rollout's other episodes had to come at the same step, for a policy gradient with a baseline but
/// without a critic.
///
/// ```math
///   Aₜ = Gₜ − 1/(n − 1)·Σₑ Gₜᵉ          e over the other episodes
/// ```
///
/// `n` is the number of episodes, `t` counts from an episode's own beginning, and `Gₜᵉ` is 0 where episode `e` was over. What
/// others obtained does not depend on this one's actions: the gradient's mean is left as it is, for any discount. At `t = 0` it
/// is the baseline of the returns of other samples. An episode that is alone gets none.
///
/// A rollout has to begin with episodes that begin, as those of whole episodes do; their end is that of the return, whether
/// they terminated or a time limit cut them off. Targets are `Gₜ`.
///
/// Kool et al. 2019, <https://openreview.net/forum?id=r1lgTGL5DE>; Ahmadian et al. 2024, <https://arxiv.org/abs/2402.14740>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaveOneOut;

impl Estimator for LeaveOneOut {
    fn needs_values(&self) -> bool {
        false
    }

    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate) {
        MonteCarlo { baseline: false }.estimate_into(rollout, gamma, now, out);
        let (lanes, end, valid) = (rollout.lanes, &rollout.end, &rollout.valid);
        same_steps(end.len(), lanes, [("valid", valid.len())]);
        // Sums over all episodes of the return from each of their steps on.
        let (mut sums, mut episodes) = (Vec::<f64>::new(), 0.0);
        each_step(end, valid, lanes, |place, step| {
            if step == 0 {
                episodes += 1.0;
            }
            if step == sums.len() {
                sums.push(0.0);
            }
            sums[step] += f64::from(out.target[place]);
        });
        if episodes < 2.0 {
            return;
        }
        each_step(end, valid, lanes, |place, step| {
            let own = f64::from(out.target[place]);
            out.advantage[place] = (own - (sums[step] - own) / (episodes - 1.0)) as f32;
        });
    }
}

/// Visits the valid steps, lane by lane: the place, and which step of its episode it is, from 0.
fn each_step(end: &[End], valid: &[bool], lanes: usize, mut visit: impl FnMut(usize, usize)) {
    for lane in 0..lanes {
        let mut step = 0;
        for place in (lane..end.len()).step_by(lanes).filter(|&place| valid[place]) {
            visit(place, step);
            step = if end[place].ended() { 0 } else { step + 1 };
        }
    }
}
