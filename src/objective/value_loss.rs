use candle_core::Tensor;

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;

/// Half the squared error of the critic.
///
/// ```math
///   L = ½·mean( (V(sₜ) − Gₜ)² )
///   L = ½·mean( max( (V − G)², (V_old + clip(V − V_old, −ε, ε) − G)² ) )      with a finite clip_range_vf
/// ```
///
/// The half is CleanRL's and OpenAI baselines' convention: with it `vf_coef = 0.5` weighs the squared error by 0.25;
/// Stable-Baselines3 leaves it out. Reports `value_loss`.
///
/// Huang et al. 2022, detail 9, <https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueLoss {
    /// ε, above 0; infinite does not clip.
    pub clip_range_vf: f64,
}

impl Default for ValueLoss {
    fn default() -> Self {
        Self { clip_range_vf: f64::INFINITY }
    }
}

impl Objective for ValueLoss {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let mut squared = (&output.value - &batch.target)?.sqr()?;
        if self.clip_range_vf.is_finite() {
            let moved = (output.value.detach() - &batch.value)?;
            let held = moved.clamp(-self.clip_range_vf, self.clip_range_vf)?;
            let clipped = ((held + &batch.value)? - &batch.target)?.sqr()?;
            // Where both agree, but for rounding, the whole derivative passes; a clipped one has none.
            let is_held = (clipped.gt(&squared)? * moved.abs()?.gt(self.clip_range_vf)?)?;
            squared = is_held.where_cond(&clipped, &squared)?;
        }
        let loss = (squared.mean_all()? * 0.5)?;
        report.push("value_loss", &loss);
        Ok(loss)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn reads_policy(&self) -> bool {
        false
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let limit = self.clip_range_vf as f32;
        let mut sum = 0.0;
        let steps = rows.value.iter().zip(rows.target).zip(rows.old_value);
        for (((&value, &target), &old), d) in steps.zip(&mut *out.value) {
            let error = value - target;
            let moved = value - old;
            let clipped = moved.clamp(-limit, limit) + old - target;
            // Where both agree the whole derivative passes; a clipped one has none.
            let (larger, slope) =
                if clipped * clipped > error * error && moved.abs() > limit { (clipped, 0.0) } else { (error, error) };
            *d += weight * slope;
            sum += 0.5 * f64::from(larger * larger);
        }
        sums.add("value_loss", sum);
        sum
    }
}
