use candle_core::{DType, Tensor};

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;
use crate::kernels::exp_in_place;
use crate::schedule::{Schedule, When};

/// PPO's clipped surrogate.
///
/// ```math
///   ρₜ = π(aₜ|sₜ) / π_old(aₜ|sₜ)
///   L  = −mean( min( ρₜ·Aₜ, clip(ρₜ, 1 − ε, 1 + ε)·Aₜ ) )
/// ```
///
/// That has no lower bound where `Aₜ < 0`: an action that has become much likelier than it was can weigh as much as all the others.
/// With a [dual clip](Self::dual_clip) `c` a step is then worth no less than `c·Aₜ`:
///
/// ```text
///   max( min( ρₜ·Aₜ, clip(ρₜ, 1 − ε, 1 + ε)·Aₜ ), c·Aₜ )     where Aₜ < 0,   without a slope where ρₜ > c
/// ```
///
/// Reports `policy_loss`, `approx_kl = mean(ρ − 1 − log ρ)` and `clip_fraction`, the share of steps with
/// `|ρ − 1| > ε`.
///
/// Schulman et al. 2017, eq. 7, <https://arxiv.org/abs/1707.06347>; the second bound: Ye et al. 2020, eq. 5,
/// <https://arxiv.org/abs/1912.09729>; the KL estimate is k3 of <http://joschu.net/blog/kl-approx.html>.
#[derive(Debug, Clone, PartialEq)]
pub struct ClippedSurrogate {
    /// ε now, above 0.
    clip_range: f64,
    schedule: Schedule,
    /// `c`, above 1; infinite without one.
    dual_clip: f64,
}

/// Rows whose ratios are taken together.
const CHUNK: usize = 64;

impl ClippedSurrogate {
    /// The surrogate clipped at `1 ± clip_range`, which may be a schedule.
    #[must_use]
    pub fn new(clip_range: impl Into<Schedule>) -> Self {
        let schedule = clip_range.into();
        Self { clip_range: schedule.at(When::default()), schedule, dual_clip: f64::INFINITY }
    }

    /// The same with steps of negative advantage worth no less than `dual_clip` times it, a number above 1; infinity sets no bound.
    #[must_use]
    pub fn dual_clip(self, dual_clip: f64) -> Self {
        Self { dual_clip, ..self }
    }
}

impl Objective for ClippedSurrogate {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let log_ratio = (output.policy.log_prob(&batch.action)? - &batch.log_prob)?;
        let ratio = log_ratio.detach().exp()?;
        let free = (&ratio * &batch.advantage)?;
        let held = (ratio.clamp(1.0 - self.clip_range, 1.0 + self.clip_range)? * &batch.advantage)?;
        // A held row has no slope, and must stay out of the graph: a ratio past what an f32 holds is infinite, and its
        // gradient of 0 would be 0 times that.
        let (mut is_free, mut held) = (free.le(&held)?, held);
        if self.dual_clip.is_finite() {
            let is_bound = (batch.advantage.lt(0.0)? * ratio.gt(self.dual_clip)?)?;
            held = is_bound.where_cond(&(&batch.advantage * self.dual_clip)?, &held)?;
            is_free = is_free.gt(&is_bound)?;
        }
        let free = (is_free.where_cond(&log_ratio, &log_ratio.zeros_like()?)?.exp()? * &batch.advantage)?;
        let loss = is_free.where_cond(&free, &held)?.mean_all()?.neg()?;

        let log_ratio = log_ratio.detach();
        let distance = (&ratio - 1.0)?;
        report.push("policy_loss", &loss);
        report.push("approx_kl", &(&distance - log_ratio)?.mean_all()?);
        report.push("clip_fraction", &distance.abs()?.gt(self.clip_range)?.to_dtype(DType::F32)?.mean_all()?);
        Ok(loss)
    }

    fn begin(&mut self, when: When) {
        self.clip_range = self.schedule.at(when);
    }

    fn kl_name(&self) -> Option<&'static str> {
        Some("approx_kl")
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let (clip_range, dual_clip) = (self.clip_range as f32, self.dual_clip as f32);
        let (low, high) = ((1.0 - self.clip_range) as f32, (1.0 + self.clip_range) as f32);
        let (mut loss, mut kl, mut clipped) = (0.0, 0.0, 0.0);
        let mut ratios = [0.0; CHUNK];
        for start in (0..out.log_prob.len()).step_by(CHUNK) {
            let chunk = start..(start + CHUNK).min(out.log_prob.len());
            let (now, old) = (&rows.log_prob[chunk.clone()], &rows.old_log_prob[chunk.clone()]);
            let ratios = &mut ratios[..chunk.len()];
            ratios.iter_mut().zip(now).zip(old).for_each(|((r, now), old)| *r = now - old);
            exp_in_place(ratios);
            let steps = rows.advantage[chunk.clone()].iter().zip(now).zip(old).zip(&*ratios);
            for ((((&advantage, now), old), &ratio), d) in steps.zip(&mut out.log_prob[chunk]) {
                let log_ratio = now - old;
                let (free, held) = (ratio * advantage, ratio.clamp(low, high) * advantage);
                let is_bound = advantage < 0.0 && ratio > dual_clip;
                // dρ/d log π = ρ; where the clipped branch is the smaller one, the ratio is past its limit and has no slope.
                *d -= if free <= held && !is_bound { weight * free } else { 0.0 };
                loss -= f64::from(if is_bound { dual_clip * advantage } else { free.min(held) });
                kl += f64::from((ratio - 1.0) - log_ratio);
                clipped += f64::from(u8::from((ratio - 1.0).abs() > clip_range));
            }
        }
        sums.add("policy_loss", loss);
        sums.add("approx_kl", kl);
        sums.add("clip_fraction", clipped);
        loss
    }
}
