use candle_core::Tensor;

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;

/// The score-function loss.
///
/// ```math
///   L = −mean( Aₜ·log π(aₜ|sₜ) )
/// ```
///
/// On average over whole episodes, with returns or unbiased advantages, its gradient is
/// [`exact_episode_gradient`](crate::oracle::exact_episode_gradient), downhill and divided by the mean length of an
/// episode, for the mean is over steps:
///
/// ```math
///   E ∇L = −1/length · Σₛ η(s) Σₐ ∇π(a|s)·Q(s,a)          η(s) = Σₜ Pr(sₜ = s),   Q discounted by γ
/// ```
///
/// At `γ = 1` that is `−∇J`, the policy gradient. Below, it is not: `∇J` has `γᵗ` before each step, which this leaves out,
/// as nearly all implementations do. The two may point quite different ways, more so the later the rewards come, and
/// neither need be the gradient of any function at all (Nota and Thomas 2020, <https://arxiv.org/abs/1906.07073>).
/// Windows that cut episodes weigh states by their visits within them instead of `η`.
///
/// Reports `policy_loss`.
///
/// Williams 1992, <https://doi.org/10.1007/BF00992696>; Sutton et al. 2000, theorem 1,
/// <https://papers.nips.cc/paper/1713-policy-gradient-methods-for-reinforcement-learning-with-function-approximation>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyGradient;

impl Objective for PolicyGradient {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let log_prob = output.policy.log_prob(&batch.action)?;
        let loss = (log_prob * &batch.advantage)?.mean_all()?.neg()?;
        report.push("policy_loss", &loss);
        Ok(loss)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let mut sum = 0.0;
        for ((d, &advantage), &log_prob) in out.log_prob.iter_mut().zip(rows.advantage).zip(rows.log_prob) {
            *d -= weight * advantage;
            sum -= f64::from(advantage * log_prob);
        }
        sums.add("policy_loss", sum);
        sum
    }
}
