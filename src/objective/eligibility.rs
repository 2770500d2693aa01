use candle_core::Tensor;

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;
use crate::schedule::{Schedule, When};

/// What an eligibility trace of actor and critic collects, downhill: its gradient is that of the log-probability, of the value and
/// of an entropy bonus which pulls the way that the temporal difference does not.
///
/// ```math
///   L = −mean( log π(aₜ|sₜ) + V(sₜ) + ent_coef·sgn(δₜ)·H(π(·|sₜ)) )
/// ```
///
/// The place of the advantage holds `sgn(δₜ)`: whatever the sign is, a step of `δ` along the trace raises the entropy.
///
/// Reports `entropy`. Elsayed, Vasan and Mahmood 2024, algorithm 3, <https://arxiv.org/abs/2410.14606>.
#[derive(Debug, Clone, PartialEq)]
pub struct Eligibility {
    schedule: Schedule,
    /// What the schedule comes to now.
    ent_coef: f64,
}

impl Eligibility {
    /// With so large a bonus, which may be a schedule.
    #[must_use]
    pub fn new(ent_coef: impl Into<Schedule>) -> Self {
        let schedule = ent_coef.into();
        Self { ent_coef: schedule.at(When::default()), schedule }
    }
}

impl Objective for Eligibility {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let entropy = output.policy.entropy()?;
        report.push("entropy", &entropy.mean_all()?);
        let bonus = ((entropy * &batch.advantage)? * self.ent_coef)?;
        let sum = ((output.policy.log_prob(&batch.action)? + &output.value)? + bonus)?;
        Ok(sum.mean_all()?.neg()?)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn begin(&mut self, when: When) {
        self.ent_coef = self.schedule.at(when);
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let ent_coef = self.ent_coef as f32;
        out.log_prob.iter_mut().chain(&mut *out.value).for_each(|d| *d -= weight);
        let mut sum = 0.0;
        for (i, d) in out.entropy.iter_mut().enumerate() {
            let signed = ent_coef * rows.advantage[i];
            *d -= weight * signed;
            sum -= f64::from(rows.log_prob[i]) + f64::from(rows.value[i]) + f64::from(signed * rows.entropy[i]);
        }
        sums.add("entropy", rows.entropy.iter().map(|&h| f64::from(h)).sum());
        sum
    }
}
