//! Adaptive gradient clipping, unit by unit.

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Schedule, Slot, scale};
use crate::kernels::sum_of_squares;
use crate::words::{Param, Range};
use crate::{Block, Result};

/// See [`adaptive_clip`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveClip {
    clipping: Schedule,
    eps: Schedule,
}

/// Scales the gradient of each unit down if it is too large for the unit's weights.
///
/// ```math
///   limit = clipping·max(‖θᵤ‖, ε)            ‖gᵤ‖ > limit:  gᵤ ← gᵤ·limit / ‖gᵤ‖
/// ```
///
/// A unit is a row of a weight matrix `[outputs, inputs]`, what leads into one output; a bias, or a block with a single
/// row or column, is one unit. ε lets weights move that are 0. As `optax.adaptive_grad_clip`, whose kernels are
/// `[inputs, outputs]`, and which counts ‖gᵤ‖ as 1e-6 at least.
///
/// Brock et al. 2021, eq. 3, <https://arxiv.org/abs/2102.06171>.
#[must_use]
pub fn adaptive_clip(clipping: impl Into<Schedule>, eps: impl Into<Schedule>) -> AdaptiveClip {
    AdaptiveClip { clipping: clipping.into(), eps: eps.into() }
}

/// How many numbers of a block belong to one unit, at least 1.
fn unit_len(block: &Block) -> usize {
    let is_vector = block.shape.iter().filter(|&&size| size > 1).count() <= 1;
    let rows = if is_vector { 1 } else { block.shape[0] };
    (block.elem_count() / rows).max(1)
}

impl GradientTransform for AdaptiveClip {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let [clipping, eps] = [&self.clipping, &self.eps].map(|x| x.at(context.when));
        for (block, gradient, theta) in blocks_mut(context, gradient) {
            let len = unit_len(block);
            for (gradient, theta) in gradient.chunks_mut(len).zip(theta.chunks(len)) {
                let limit = clipping * sum_of_squares(theta).sqrt().max(eps);
                let norm = sum_of_squares(gradient).sqrt();
                if norm > limit {
                    scale(gradient, limit / norm);
                }
            }
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("clipping", Slot::Schedule(&mut self.clipping));
        visit("eps", Slot::Schedule(&mut self.eps));
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "adaptive_clip",
    summary: "scales each unit's gradient down to a share of its weights' norm",
    params: &[
        Param::number("clipping", Range::Positive, "0.01", "largest norm of a gradient over that of its weights"),
        Param::number("eps", Range::Positive, "1e-3", "what norms of weights count as at least"),
    ],
    make: Make::Clip(|a| Ok(Chain::new().then(adaptive_clip(a.schedule("clipping")?, a.schedule("eps")?)))),
}];
