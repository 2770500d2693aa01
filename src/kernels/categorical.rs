//! Categorical distributions over rows of logits on the host: log-probabilities and entropies, and their derivatives.

/// What [`forward`](Self::forward) leaves behind for [`backward`](Self::backward).
#[derive(Debug, Default)]
pub(crate) struct CategoricalRows {
    /// `[B, A]`.
    log_probs: Vec<f32>,
    /// `[B, A]`.
    probs: Vec<f32>,
}

impl CategoricalRows {
    /// `log π(a|s)` and `H = −Σ π log π` of each row, `[B]`, from `[B, stride]` outputs whose first `actions` columns are
    /// logits.
    pub(crate) fn forward(
        &mut self,
        outputs: &[f32],
        stride: usize,
        actions: usize,
        action: &[u32],
        log_prob: &mut Vec<f32>,
        entropy: &mut Vec<f32>,
    ) {
        for buffer in [&mut self.log_probs, &mut self.probs, &mut *log_prob, &mut *entropy] {
            buffer.clear();
        }
        for (row, &a) in outputs.chunks_exact(stride).zip(action) {
            let logits = &row[..actions];
            let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let start = self.probs.len();
            self.probs.extend(logits.iter().map(|l| (l - max).exp()));
            let total: f32 = self.probs[start..].iter().sum();
            let log_total = total.ln();
            self.log_probs.extend(logits.iter().map(|l| l - max - log_total));
            let mut h = 0.0;
            for (p, log_p) in self.probs[start..].iter_mut().zip(&self.log_probs[start..]) {
                *p /= total;
                // An action that is out of the question adds nothing: 0·log 0 = 0.
                h -= if *p > 0.0 { *p * log_p } else { 0.0 };
            }
            // An index out of range cannot come from a rollout; NaN would stop the update like any other bad number.
            log_prob.push(self.log_probs[start..].get(a as usize).copied().unwrap_or(f32::NAN));
            entropy.push(h);
        }
    }

    /// Writes `∂L/∂logits` into the first columns of `[B, stride]`, given `∂L/∂ log π(a|s)` and `∂L/∂H`, `[B]`.
    ///
    /// ```text
    ///   ∂ log π(a) / ∂lⱼ = [j = a] − πⱼ          ∂H / ∂lⱼ = −πⱼ·(log πⱼ + H)
    /// ```
    pub(crate) fn backward(
        &self,
        actions: usize,
        action: &[u32],
        entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let rows = self.probs.chunks_exact(actions).zip(self.log_probs.chunks_exact(actions));
        for (i, ((probs, log_probs), out)) in rows.zip(out.chunks_exact_mut(stride)).enumerate() {
            let (d, dh, h) = (by_log_prob[i], by_entropy[i], entropy[i]);
            for (j, ((out, &p), &log_p)) in out.iter_mut().zip(probs).zip(log_probs).enumerate() {
                let chosen = if j == action[i] as usize { 1.0 } else { 0.0 };
                let of_entropy = if p > 0.0 { p * (log_p + h) } else { 0.0 };
                *out = d * (chosen - p) - dh * of_entropy;
            }
        }
    }
}
