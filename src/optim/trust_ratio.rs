//! Steps as long as the parameters that they move.

use candle_core::Tensor;

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::tensors::{at_most, length, scaled_by};
use super::{Args, Chain, Place, add_decayed_weights, scale_by_adam, scale_by_learning_rate, trace};
use super::{Context, GradientTransform, Schedule, Slot, scale};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::sum_of_squares;
use crate::words::{Param, Range};

/// See [`scale_by_trust_ratio`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleByTrustRatio {
    trust_coefficient: Schedule,
    eps: Schedule,
    clamp: Schedule,
}

/// Makes each block's update as long as the block itself, times a coefficient.
///
/// ```math
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

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByTrustRatio {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let [coefficient, eps, clamp] =
            [&self.trust_coefficient, &self.eps, &self.clamp].map(|schedule| schedule.at(context.when));
        context.by_block(gradient, |_, update, theta| {
            let (of_update, of_theta) = (length(&update)?, length(&theta)?);
            let ratio = (of_theta.affine(coefficient, 0.0)? / of_update.affine(1.0, eps)?)?;
            let ratio = if clamp.is_finite() { at_most(&ratio, clamp)? } else { ratio };
            let none = of_update.zeros_like()?;
            let ratio = of_update.gt(&none)?.where_cond(&ratio, &ratio.ones_like()?)?;
            scaled_by(&update, &of_theta.gt(&none)?.where_cond(&ratio, &ratio.ones_like()?)?)
        })
    }
}

const COEFFICIENT: &str = "length of a step, in lengths of the block, before the learning rate";
const CLAMP: Param = Param::number("clamp", Range::Limit, "inf", "largest ratio of lengths; 1 is timm's trust_clip");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "lars",
        summary: "momentum with steps as long as each block is, times a coefficient",
        params: &[
            Param::lr("1"),
            Param::number("momentum", Range::Decay, "0.9", "decay of the sum of steps"),
            Param::WEIGHT_DECAY,
            Param::number("trust_coefficient", Range::Positive, "1e-3", COEFFICIENT),
            Param::eps("0"),
        ],
        make: Make::Recipe(lars),
    },
    Row {
        name: "lamb",
        summary: "adam with steps as long as each block is",
        params: &[Param::lr("1e-3"), Param::BETA1, Param::BETA2, Param::eps("1e-6"), Param::WEIGHT_DECAY, CLAMP],
        make: Make::Recipe(lamb),
    },
    Row {
        name: "scale_by_trust_ratio",
        summary: "each block's update as long as the block",
        params: &[Param::number("trust_coefficient", Range::Positive, "1", COEFFICIENT), Param::eps("0"), CLAMP],
        make: Make::Link(Place::BeforeRate, |a| {
            let ratio =
                scale_by_trust_ratio(a.schedule("trust_coefficient")?, a.schedule("eps")?, a.schedule("clamp")?);
            Ok(Chain::new().then(ratio))
        }),
    },
];

/// `optax.lars`: the learning rate comes before the momentum, so that what is summed are steps.
fn lars(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new()
        .then(add_decayed_weights(a.schedule("weight_decay")?))
        .then(scale_by_trust_ratio(a.schedule("trust_coefficient")?, a.schedule("eps")?, f64::INFINITY))
        .then(scale_by_learning_rate(a.schedule("lr")?))
        .then(trace(a.schedule("momentum")?)))
}

/// `optax.lamb`.
fn lamb(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new()
        .then(scale_by_adam(a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?))
        .then(add_decayed_weights(a.schedule("weight_decay")?))
        .then(scale_by_trust_ratio(1.0, 0.0, a.schedule("clamp")?))
        .then(scale_by_learning_rate(a.schedule("lr")?)))
}

#[cfg(test)]
mod tests {
    use super::scale_by_trust_ratio;
    use crate::Layout;
    use crate::optim::{Context, GradientTransform, When};

    #[test]
    fn a_step_is_as_long_as_its_block_however_short_the_direction() {
        let mut layout = Layout::default();
        layout.push("w", &[2]);
        let theta = [3.0, -4.0];
        let context = Context::new(&theta, &layout, When::default());
        for length in [1e30, 1.0, 1e-30, 1e-38, 1e-41] {
            let mut update = [0.6 * length, 0.8 * length];
            scale_by_trust_ratio(1.0, 0.0, f64::INFINITY).update(&mut update, &context).expect("an update");
            // Below 1e-38 an f32 has fewer digits.
            let tolerance = if length < 1e-37 { 1e-3 } else { 1e-6 };
            assert!((update[0] - 3.0).abs() < tolerance && (update[1] - 4.0).abs() < tolerance, "{length}: {update:?}");
        }
    }
}
