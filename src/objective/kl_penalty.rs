use candle_core::{DType, Tensor};

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;

/// A penalty on how far the policy moves from the one that acted, with a coefficient that adapts: PPO's other form.
///
/// ```math
///   ρₜ = π(aₜ|sₜ) / π_old(aₜ|sₜ)          KL(π_old, π) ≈ mean(ρ − 1 − log ρ)          L = β·KL
///   after an update:   β ← 2·β if KL > 1.5·target_kl,   β ← β/2 if KL < target_kl/1.5
/// ```
///
/// Reports `kl`, the estimate, and `kl_coef`, β; β goes into checkpoints. Together with an unclipped surrogate,
/// `ClippedSurrogate::new(f64::INFINITY)`, it is section 4 of Schulman et al. 2017, <https://arxiv.org/abs/1707.06347>; the
/// estimate is k3 of <http://joschu.net/blog/kl-approx.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KlPenalty {
    /// The KL divergence that an update should come to, above 0.
    pub target_kl: f64,
    kl_coef: f64,
}

/// How far from its target a divergence may be before the coefficient changes, and by what factor it does.
const TOLERANCE: f64 = 1.5;
const FACTOR: f64 = 2.0;

impl KlPenalty {
    /// A penalty that aims at this divergence, with this coefficient to begin with.
    #[must_use]
    pub fn new(target_kl: f64, kl_coef: f64) -> Self {
        Self { target_kl, kl_coef }
    }

    /// β, the coefficient now.
    #[must_use]
    pub fn kl_coef(&self) -> f64 {
        self.kl_coef
    }
}

impl Objective for KlPenalty {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let log_ratio = (output.policy.log_prob(&batch.action)? - &batch.log_prob)?;
        let kl = ((log_ratio.exp()? - 1.0)? - log_ratio)?.mean_all()?;
        report.push("kl", &kl);
        report.push("kl_coef", &Tensor::new(self.kl_coef, kl.device())?.to_dtype(DType::F32)?);
        Ok((kl * self.kl_coef)?)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let slope = weight * self.kl_coef as f32;
        let mut kl = 0.0;
        for ((d, &now), &old) in out.log_prob.iter_mut().zip(rows.log_prob).zip(rows.old_log_prob) {
            let log_ratio = now - old;
            let moved = log_ratio.exp() - 1.0;
            *d += slope * moved;
            kl += f64::from(moved - log_ratio);
        }
        sums.add("kl", kl);
        sums.add("kl_coef", self.kl_coef * rows.log_prob.len() as f64);
        self.kl_coef * kl
    }

    fn follow(&mut self, reported: &[(&'static str, f64)]) {
        if let Some((_, kl)) = reported.iter().find(|(name, _)| *name == "kl") {
            if *kl > TOLERANCE * self.target_kl {
                self.kl_coef *= FACTOR;
            } else if *kl < self.target_kl / TOLERANCE {
                self.kl_coef /= FACTOR;
            }
        }
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, &'a mut f64)) {
        visit("kl_coef", &mut self.kl_coef);
    }
}

#[cfg(test)]
mod tests;
