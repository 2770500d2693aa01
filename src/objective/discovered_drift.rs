use candle_core::Tensor;

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;
use crate::kernels::{exp_in_place, tanh_in_place};

/// The surrogate of discovered policy optimisation: what an action gained, less a drift that holds the policy near the one that acted.
///
/// ```math
///   ρₜ = π(aₜ|sₜ) / π_old(aₜ|sₜ)          L = −mean( ρₜ·Aₜ − fₜ )
///   fₜ = max( 0, u − α·tanh(u/α) ),   u = (ρₜ − 1)·Aₜ      where Aₜ ≥ 0
///   fₜ = max( 0, v − β·tanh(v/β) ),   v = Aₜ·log ρₜ        where Aₜ < 0
/// ```
///
/// The drift is a closed form of one that a network had learnt. An action of positive advantage gains no more than `α` by
/// becoming likelier, and its slope fades long before; one of negative advantage is called back once it has become too unlikely.
///
/// Reports `policy_loss` and `approx_kl = mean(ρ − 1 − log ρ)`.
///
/// Lu et al. 2022, section 6, <https://arxiv.org/abs/2210.05639>, whose `α` is 2 and `β` 0.6; the KL estimate is k3 of
/// <http://joschu.net/blog/kl-approx.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscoveredDrift {
    /// `α`, above 0.
    pub alpha: f64,
    /// `β`, above 0.
    pub beta: f64,
}

/// Rows whose ratios are taken together.
const CHUNK: usize = 64;

impl Objective for DiscoveredDrift {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let Self { alpha, beta } = *self;
        let advantage = &batch.advantage;
        let log_ratio = (output.policy.log_prob(&batch.action)? - &batch.log_prob)?;
        let past = log_ratio.detach();
        let distance = (past.exp()? - 1.0)?;
        report.push("approx_kl", &(&distance - &past)?.mean_all()?);
        // A row without a slope must stay out of the graph: a ratio past what an f32 holds is infinite, and its gradient of 0
        // would be 0 times that.
        let is_flat = (advantage.gt(0.0)? * ((&distance * advantage)? / alpha)?.tanh()?.ge(1.0)?)?;
        let is_still = is_flat.maximum(&advantage.eq(0.0)?)?;
        let log_ratio = is_still.where_cond(&log_ratio.zeros_like()?, &log_ratio)?;
        let ratio = log_ratio.exp()?;
        let gain = (&ratio * advantage)?;
        let u = ((ratio - 1.0)? * advantage)?;
        let held = (((&u / alpha)?.tanh()? * alpha)? + advantage)?;
        let held = is_flat.where_cond(&(advantage + alpha)?, &u.gt(0.0)?.where_cond(&held, &gain)?)?;
        let v = (log_ratio * advantage)?;
        let drift = (&v - ((&v / beta)?.tanh()? * beta)?)?;
        let called = v.gt(0.0)?.where_cond(&(&gain - drift)?, &gain)?;
        let loss = advantage.ge(0.0)?.where_cond(&held, &called)?.mean_all()?.neg()?;
        report.push("policy_loss", &loss);
        Ok(loss)
    }

    fn kl_name(&self) -> Option<&'static str> {
        Some("approx_kl")
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let [alpha, beta] = [self.alpha, self.beta].map(|x| x as f32);
        let (mut loss, mut kl) = (0.0, 0.0);
        let [mut log_ratios, mut ratios, mut tanhs] = [[0.0; CHUNK]; 3];
        for start in (0..out.log_prob.len()).step_by(CHUNK) {
            let chunk = start..(start + CHUNK).min(out.log_prob.len());
            let advantage = &rows.advantage[chunk.clone()];
            let [log_ratios, ratios, tanhs] =
                [&mut log_ratios, &mut ratios, &mut tanhs].map(|all| &mut all[..chunk.len()]);
            let pairs = rows.log_prob[chunk.clone()].iter().zip(&rows.old_log_prob[chunk.clone()]);
            log_ratios.iter_mut().zip(pairs).for_each(|(log_ratio, (now, old))| *log_ratio = now - old);
            ratios.copy_from_slice(log_ratios);
            exp_in_place(ratios);
            for (i, x) in tanhs.iter_mut().enumerate() {
                let a = advantage[i];
                *x = if a < 0.0 { log_ratios[i] * a / beta } else { (ratios[i] - 1.0) * a / alpha };
            }
            tanh_in_place(tanhs);
            for (i, d) in out.log_prob[chunk].iter_mut().enumerate() {
                let (a, ratio, log_ratio, tanh) = (advantage[i], ratios[i], log_ratios[i], tanhs[i]);
                let gain = ratio * a;
                let (worth, slope) = if a == 0.0 {
                    (0.0, 0.0)
                } else if tanh <= 0.0 {
                    (gain, gain)
                } else if a < 0.0 {
                    (gain - (log_ratio * a - beta * tanh), gain - a * tanh * tanh)
                } else {
                    (a + alpha * tanh, if tanh < 1.0 { gain * (1.0 - tanh) * (1.0 + tanh) } else { 0.0 })
                };
                *d -= weight * slope;
                loss -= f64::from(worth);
                kl += f64::from((ratio - 1.0) - log_ratio);
            }
        }
        sums.add("policy_loss", loss);
        sums.add("approx_kl", kl);
        loss
    }
}
