use candle_core::Tensor;

use super::{Batch, Objective, Report, RowGradients, RowSums, Rows};
use crate::Result;
use crate::nn::Output;

/// The score-function loss: its gradient is minus the policy gradient.
///
/// ```text
///   L = −mean( Aₜ·log π(aₜ|sₜ) )
/// ```
///
/// The mean is over steps, so this is `−∇J` divided by the mean length of an episode. Reports `policy_loss`.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; Sutton et al. 2000, theorem 1,
/// <https://papers.nips.cc/paper/1713-policy-gradient-methods-for-reinforcement-learning-with-function-approximation>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyGradient;

impl Objective for PolicyGradient {
    fn loss(&self, batch: &Batch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let log_prob = output.policy.log_prob(&batch.action)?;
        let loss = (log_prob * &batch.advantage)?.mean_all()?.neg()?;
        report.push("policy_loss", &loss);
        Ok(loss)
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> Option<f64> {
        let mut sum = 0.0;
        for ((d, &advantage), &log_prob) in out.log_prob.iter_mut().zip(rows.advantage).zip(rows.log_prob) {
            *d -= weight * advantage;
            sum -= f64::from(advantage * log_prob);
        }
        sums.add("policy_loss", sum);
        Some(sum)
    }
}
