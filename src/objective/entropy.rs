use candle_core::Tensor;

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;

/// The policy's mean entropy, in nats: with a negative coefficient a bonus for staying undecided.
///
/// ```math
///   H = mean( −Σₐ π(a|sₜ) log π(a|sₜ) )
/// ```
///
/// Reports `entropy`. Williams and Peng 1991, <https://doi.org/10.1080/09540099108946587>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entropy;

impl Objective for Entropy {
    fn loss(&self, _: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let entropy = output.policy.entropy()?.mean_all()?;
        report.push("entropy", &entropy);
        Ok(entropy)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        out.entropy.iter_mut().for_each(|d| *d += weight);
        let sum = rows.entropy.iter().map(|&h| f64::from(h)).sum();
        sums.add("entropy", sum);
        sum
    }
}
