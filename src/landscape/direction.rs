//! Random directions in which all units move alike.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Layout;

/// A random direction, `[P]`, whose every filter is as long as the filter of `theta` in the same place:
///
/// ```math
///   dᵢ ~ N(0, 1),    then for each filter f:   d_f ← d_f · |θ_f| / |d_f|
/// ```
///
/// A network may scale the weights into a unit up and those out of it down and stay the same function; measured against
/// its own weights, no unit then counts more than another. In a perceptron a filter is a row of a weight matrix
/// `[outputs, inputs]`: the weights into one unit. In blocks of more dimensions it is what one index of the first leaves.
/// Biases, blocks of one dimension, stay where they are, as the authors' code has it by default.
///
/// Li et al. 2018, section 4, <https://arxiv.org/abs/1712.09913>.
///
/// `theta` is `[P]` of that layout; what it lacks of it counts as zero.
pub fn filter_normalised(theta: &[f32], layout: &Layout, rng: &mut impl Rng) -> Vec<f32> {
    let mut direction: Vec<f32> = StandardNormal.sample_iter(rng).take(layout.len()).collect();
    for block in layout.blocks() {
        let range = block.range();
        let filter = if block.shape.len() < 2 { 0 } else { block.shape.iter().skip(1).product() };
        if filter == 0 {
            direction[range].fill(0.0);
            continue;
        }
        let weights = theta.get(range.clone()).unwrap_or_default();
        for (i, filter) in direction[range].chunks_exact_mut(filter).enumerate() {
            let length = |x: &[f32]| x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            let of_theta = length(weights.get(i * filter.len()..(i + 1) * filter.len()).unwrap_or_default());
            let scale = of_theta / length(filter);
            filter.iter_mut().for_each(|d| *d = (f64::from(*d) * scale) as f32);
        }
    }
    direction
}
