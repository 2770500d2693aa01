//! Steps as long as the parameters that they move.

use super::blocks::blocks_mut;
use super::{Context, GradientTransform, Schedule, Slot, scale};
use crate::Result;
use crate::kernels::sum_of_squares;

/// See [`scale_by_trust_ratio`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleByTrustRatio {
    trust_coefficient: Schedule,
    eps: Schedule,
    clamp: Schedule,
}

/// Makes each block's update as long as the block itself, times a coefficient.
///
/// ```text
///   u ← u·min(clamp, trust_coefficient·‖θ‖ / (‖u‖ + ε))          block by block
/// ```
///
/// A block of zeros, and an update of zeros, are left as they are: optax's `scale_by_trust_ratio`. An infinite `clamp`
/// does not clamp; 1 is timm's `trust_clip`. Whatever the scale of the gradient, the step is the same if ε is 0.
///
/// You et al. 2017, eq. 6 (LARS), <https://arxiv.org/abs/1708.03888>; You et al. 2020, algorithm 2 (LAMB),
/// <https://arxiv.org/abs/1904.00962>.
#[must_use]
pub fn scale_by_trust_ratio(
    trust_coefficient: impl Into<Schedule>,
    eps: impl Into<Schedule>,
    clamp: impl Into<Schedule>,
) -> ScaleByTrustRatio {
    ScaleByTrustRatio { trust_coefficient: trust_coefficient.into(), eps: eps.into(), clamp: clamp.into() }
}

impl GradientTransform for ScaleByTrustRatio {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let [coefficient, eps, clamp] =
            [&self.trust_coefficient, &self.eps, &self.clamp].map(|schedule| schedule.at(context.when));
        for (_, update, theta) in blocks_mut(context, gradient) {
            let (length, of_theta) = (sum_of_squares(update).sqrt(), sum_of_squares(theta).sqrt());
            if length > 0.0 && of_theta > 0.0 {
                scale(update, (coefficient * of_theta / (length + eps)).min(clamp));
            }
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("trust_coefficient", Slot::Schedule(&mut self.trust_coefficient));
        visit("eps", Slot::Schedule(&mut self.eps));
        visit("clamp", Slot::Schedule(&mut self.clamp));
    }
}
