//! A choice among `A` actions.

use candle_core::{D, Tensor};
use rand::RngExt;

use crate::seed::Rng;
use crate::{Error, Result};

/// `B` categorical distributions over `A` actions.
#[derive(Debug, Clone)]
pub struct Categorical {
    log_probs: Tensor,
}

impl Categorical {
    /// From unnormalised log-probabilities, `[B, A]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a tensor that is not a matrix of floats.
    pub fn new(logits: &Tensor) -> Result<Self> {
        Ok(Self { log_probs: candle_nn::ops::log_softmax(logits, D::Minus1)? })
    }

    /// `log π(a|s)` of every action, `[B, A]`.
    #[must_use]
    pub fn log_probs(&self) -> &Tensor {
        &self.log_probs
    }

    /// `log π(a|s)` of one action (`u32`, `[B]`) a row, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape, or an action past the end.
    pub fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        Ok(self.log_probs.gather(&action.unsqueeze(1)?, 1)?.squeeze(1)?)
    }

    /// `H = −Σₐ π(a|s) log π(a|s)` in nats, `[B]`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn entropy(&self) -> Result<Tensor> {
        Ok((self.log_probs.exp()? * &self.log_probs)?.sum(D::Minus1)?.neg()?)
    }

    /// Draws an action from one row of logits, `[A]`, by inverting the distribution function at one uniform number.
    /// Returns the action and its log-probability.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a logit is NaN or infinite upwards.
    pub fn sample(logits: &[f32], rng: &mut Rng) -> Result<(u32, f32)> {
        let (max, total) = Self::normaliser(logits)?;
        let mut left = rng.random::<f32>() * total;
        // Rounding can leave a little mass past the end: it belongs to the last action that has any.
        let mut chosen = 0;
        for (a, logit) in logits.iter().enumerate() {
            let mass = (logit - max).exp();
            if mass > 0.0 {
                chosen = a;
                left -= mass;
                if left < 0.0 {
                    break;
                }
            }
        }
        Ok((chosen as u32, logits[chosen] - max - total.ln()))
    }

    /// The likeliest action of one row of logits, `[A]`, the first of equals.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a logit is NaN or infinite upwards.
    pub fn mode(logits: &[f32]) -> Result<u32> {
        let (max, _) = Self::normaliser(logits)?;
        Ok(logits.iter().position(|&l| l == max).unwrap_or(0) as u32)
    }

    /// The largest logit and `Σ exp(logit − largest)`.
    fn normaliser(logits: &[f32]) -> Result<(f32, f32)> {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|l| (l - max).exp()).sum();
        if total.is_finite() {
            return Ok((max, total));
        }
        Err(Error::NotFinite { what: format!("one of the policy's logits {logits:?}") })
    }
}

#[cfg(test)]
mod tests {
    use super::Categorical;
    use crate::Seed;
    use candle_core::{Device, Tensor};

    #[test]
    fn samples_come_as_often_as_their_probability() {
        let logits = [0.0f32, 1.0, f32::NEG_INFINITY, -1.0];
        let total: f32 = logits.iter().map(|l| l.exp()).sum();
        let mut rng = Seed(1).stream("policy", 0);
        let n = 200_000;
        let mut counts = [0u32; 4];
        for _ in 0..n {
            let (action, log_prob) = Categorical::sample(&logits, &mut rng).expect("finite");
            counts[action as usize] += 1;
            assert!((log_prob - (logits[action as usize] - total.ln())).abs() < 1e-6);
        }
        assert_eq!(counts[2], 0, "an action of probability 0");
        for (count, logit) in counts.iter().zip(logits) {
            let p = f64::from(logit.exp() / total);
            let error = f64::from(*count) / f64::from(n) - p;
            assert!(error.abs() <= 4.0 * (p * (1.0 - p) / f64::from(n)).sqrt(), "{counts:?}");
        }
    }

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
        let mut rng = Seed(1).stream("policy", 0);
        for bad in [[f32::NAN, 0.0], [f32::INFINITY, 0.0], [f32::NEG_INFINITY, f32::NEG_INFINITY]] {
            assert!(Categorical::sample(&bad, &mut rng).is_err(), "{bad:?}");
            assert!(Categorical::mode(&bad).is_err(), "{bad:?}");
        }
    }
}
