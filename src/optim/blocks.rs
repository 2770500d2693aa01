//! A vector block by block.

use super::Context;
use crate::Block;

/// The blocks of a gradient `[P]`, each with its place in the layout and its parameters, in order.
pub(super) fn blocks_mut<'a>(
    context: &Context<'a>,
    mut gradient: &'a mut [f32],
) -> impl Iterator<Item = (&'a Block, &'a mut [f32], &'a [f32])> {
    let mut theta = context.theta;
    context.layout.blocks().iter().map_while(move |block| {
        let count = block.elem_count();
        let (block_gradient, rest) = std::mem::take(&mut gradient).split_at_mut_checked(count)?;
        let (block_theta, theta_rest) = theta.split_at_checked(count)?;
        (gradient, theta) = (rest, theta_rest);
        Some((block, block_gradient, block_theta))
    })
}
