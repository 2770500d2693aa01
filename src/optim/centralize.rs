//! Gradients without their mean.

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place};
use crate::Result;

/// See [`centralize`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centralize;

/// Subtracts from the gradient of each row of a weight matrix `[outputs, inputs]` its mean: `gᵤ ← gᵤ − mean(gᵤ)`.
///
/// Of a block with more dimensions a row is all that belongs to one index of the first; biases stay as they are. As
/// `optax.centralize`.
///
/// Yong et al. 2020, eq. 1, <https://arxiv.org/abs/2004.01461>.
#[must_use]
pub fn centralize() -> Centralize {
    Centralize
}

impl GradientTransform for Centralize {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        for (block, gradient, _) in blocks_mut(context, gradient) {
            if block.shape.len() < 2 {
                continue;
            }
            let len = block.shape[1..].iter().product::<usize>().max(1);
            for row in gradient.chunks_mut(len) {
                let mean = (row.iter().map(|&g| f64::from(g)).sum::<f64>() / len as f64) as f32;
                row.iter_mut().for_each(|g| *g -= mean);
            }
        }
        Ok(())
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "centralize",
    summary: "subtracts the mean from each row of a weight matrix's gradient",
    params: &[],
    make: Make::Link(Place::Anywhere, |_| Ok(Chain::new().then(centralize()))),
}];
