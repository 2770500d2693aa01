//! A choice among `A` actions.

use crate::{Error, Result};
use std::cell::OnceCell;

use candle_core::{D, Tensor};

/// `B` categorical distributions over `A` actions.
#[derive(Debug, Clone)]
pub struct Categorical {
    logits: Tensor,
    /// Made when they are first asked for: the fused loss does without.
    log_probs: OnceCell<Tensor>,
}

impl Categorical {
    /// From unnormalised log-probabilities, `[B, A]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a tensor that is not a matrix of floats.
    pub fn new(logits: &Tensor) -> Result<Self> {
        logits.dims2()?;
        Ok(Self { logits: logits.clone(), log_probs: OnceCell::new() })
    }

    /// What it was made from, `[B, A]`.
    #[must_use]
    pub fn logits(&self) -> &Tensor {
        &self.logits
    }

    /// `log π(a|s)` of every action, `[B, A]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn log_probs(&self) -> Result<&Tensor> {
        if let Some(log_probs) = self.log_probs.get() {
            return Ok(log_probs);
        }
        let log_probs = candle_nn::ops::log_softmax(&self.logits, D::Minus1)?;
        Ok(self.log_probs.get_or_init(|| log_probs))
    }

    /// `log π(a|s)` of one action (`u32`, `[B]`) a row, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape, or an action past the end.
    pub fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        Ok(self.log_probs()?.gather(&action.unsqueeze(1)?, 1)?.squeeze(1)?)
    }

    /// `H = −Σₐ π(a|s) log π(a|s)` in nats, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn entropy(&self) -> Result<Tensor> {
        // An action that is out of the question adds nothing, 0·log 0 = 0, and its logarithm must stay out of the product:
        // the product's gradient would have it times 0.
        let log_probs = self.log_probs()?;
        let probs = log_probs.exp()?;
        let log_probs = probs.gt(0.0)?.where_cond(log_probs, &log_probs.zeros_like()?)?;
        Ok((probs * log_probs)?.sum(D::Minus1)?.neg()?)
    }

    /// The likeliest action of one row of logits, `[A]`, the first of equals.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a logit is NaN or infinite upwards.
    pub fn mode(logits: &[f32]) -> Result<u32> {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !max.is_finite() || logits.iter().any(|l| l.is_nan()) {
            return Err(no_distribution(logits));
        }
        Ok(logits.iter().position(|&l| l == max).unwrap_or(0) as u32)
    }
}

/// The error for a row of logits that gives no distribution.
pub(crate) fn no_distribution(logits: &[f32]) -> Error {
    Error::NotFinite { what: format!("one of the policy's logits {logits:?}") }
}

#[cfg(test)]
mod tests {
    use super::Categorical;
    use candle_core::{Device, Tensor};

    #[test]
    fn tensors_agree_with_the_definition() {
        let rows = [[0.5f32, -1.0, 2.0], [3.0, 3.0, 3.0]];
        let dist = Categorical::new(&Tensor::new(&rows, &Device::Cpu).unwrap()).unwrap();
        let action = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
        let log_prob: Vec<f32> = dist.log_prob(&action).unwrap().to_vec1().unwrap();
        let entropy: Vec<f32> = dist.entropy().unwrap().to_vec1().unwrap();
        for (i, row) in rows.iter().enumerate() {
            let total: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
            let p: Vec<f64> = row.iter().map(|&l| f64::from(l).exp() / total).collect();
            let h: f64 = p.iter().map(|p| -p * p.ln()).sum();
            assert!((f64::from(entropy[i]) - h).abs() < 1e-6);
            assert!((f64::from(log_prob[i]) - p[[2, 0][i]].ln()).abs() < 1e-6);
        }
    }

    #[test]
    fn nan_logits_are_an_error_not_an_action() {
        for bad in [[f32::NAN, 0.0], [f32::INFINITY, 0.0], [f32::NEG_INFINITY, f32::NEG_INFINITY]] {
            assert!(Categorical::mode(&bad).is_err(), "{bad:?}");
        }
    }
}
