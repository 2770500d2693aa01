use candle_core::Tensor;

use super::{Batch, Objective, Report};
use crate::Result;
use crate::nn::Output;

/// Half the squared error of the critic.
///
/// ```text
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
    fn loss(&self, batch: &Batch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let mut squared = (&output.value - &batch.target)?.sqr()?;
        if self.clip_range_vf.is_finite() {
            let moved = (&output.value - &batch.value)?.clamp(-self.clip_range_vf, self.clip_range_vf)?;
            let clipped = ((moved + &batch.value)? - &batch.target)?.sqr()?;
            squared = squared.maximum(&clipped)?;
        }
        let loss = (squared.mean_all()? * 0.5)?;
        report.push("value_loss", &loss);
        Ok(loss)
    }
}
