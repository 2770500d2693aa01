use candle_core::Tensor;

use super::{Batch, Objective, Report};
use crate::Result;
use crate::nn::Output;

/// The policy's mean entropy, in nats: with a negative coefficient a bonus for staying undecided.
///
/// ```text
///   H = mean( −Σₐ π(a|sₜ) log π(a|sₜ) )
/// ```
///
/// Reports `entropy`. Williams and Peng 1991, <https://doi.org/10.1080/09540099108946587>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entropy;

impl Objective for Entropy {
    fn loss(&self, _: &Batch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let entropy = output.policy.entropy()?.mean_all()?;
        report.push("entropy", &entropy);
        Ok(entropy)
    }
}
