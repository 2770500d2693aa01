//! A choice among `A` actions.

use std::cell::OnceCell;
use std::sync::Arc;

use candle_core::{D, DType, Tensor};
use uphill_envs::Space;

use super::{CategoricalRows, Distribution, DistributionRows, DistributionTensor, Head, Row, TensorSampler};
use crate::Result;

/// A choice among `A` actions, from `A` unnormalised log-probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Categorical {
    /// `A`, at least 1.
    pub actions: usize,
}

pub(super) const ROW: Row = Row {
    name: "categorical",
    summary: "a choice among actions",
    params: &[],
    make: |_, space| Ok(Categorical::over(space)),
};

impl Categorical {
    /// Over the actions of a discrete space.
    #[must_use]
    pub fn over(space: &Space) -> Option<Arc<dyn Distribution>> {
        match *space {
            Space::Discrete { n } => Some(Arc::new(Self { actions: n })),
            _ => None,
        }
    }
}

impl Distribution for Categorical {
    fn outputs(&self) -> usize {
        self.actions
    }

    fn choices(&self) -> usize {
        self.actions
    }

    fn components(&self) -> Vec<usize> {
        vec![self.actions]
    }

    fn head(&self) -> Option<Head> {
        Some(Head::Choices(vec![self.actions]))
    }

    fn is_over(&self, space: &Space) -> bool {
        *space == Space::Discrete { n: self.actions }
    }

    fn max_entropy(&self) -> Option<f64> {
        Some((self.actions as f64).ln())
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(CategoricalRows::new(self.actions))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(CategoricalTensor::new(outputs)?))
    }

    fn sampler(&self) -> Option<&dyn TensorSampler> {
        Some(self)
    }
}

/// By inversion: the action is how many of `π(0), π(0)+π(1), …`, without the last, are no larger than the number.
impl TensorSampler for Categorical {
    fn draws(&self) -> usize {
        1
    }

    fn sample(&self, outputs: &Tensor, uniform: &Tensor) -> Result<Tensor> {
        let probs = candle_nn::ops::softmax(outputs, D::Minus1)?;
        let mut below = uniform.zeros_like()?;
        let mut action = below.to_dtype(DType::U32)?;
        for a in 0..self.actions - 1 {
            below = (below + probs.narrow(1, a, 1)?)?;
            action = (action + below.le(uniform)?.to_dtype(DType::U32)?)?;
        }
        Ok(action.squeeze(1)?)
    }
}

/// `B` categorical distributions over `A` actions.
#[derive(Debug, Clone)]
pub struct CategoricalTensor {
    logits: Tensor,
    /// Made when they are first asked for: the fused loss does without.
    log_probs: OnceCell<Tensor>,
}

impl CategoricalTensor {
    /// From unnormalised log-probabilities, `[B, A]`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for a tensor that is not a matrix of floats.
    pub fn new(logits: &Tensor) -> Result<Self> {
        logits.dims2()?;
        Ok(Self { logits: logits.clone(), log_probs: OnceCell::new() })
    }

    /// What it was made from, `[B, A]`.
    #[must_use]
    pub fn logits(&self) -> &Tensor {
        &self.logits
    }

    /// `A`.
    pub(super) fn actions(&self) -> Result<usize> {
        Ok(self.logits.dim(1)?)
    }

    /// `log π(a|s)` of every action, `[B, A]`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub fn log_probs(&self) -> Result<&Tensor> {
        if let Some(log_probs) = self.log_probs.get() {
            return Ok(log_probs);
        }
        let log_probs = candle_nn::ops::log_softmax(&self.logits, D::Minus1)?;
        Ok(self.log_probs.get_or_init(|| log_probs))
    }
}

impl DistributionTensor for CategoricalTensor {
    fn outputs(&self) -> &Tensor {
        &self.logits
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        Ok(self.log_probs()?.gather(&action.unsqueeze(1)?, 1)?.squeeze(1)?)
    }

    fn entropy(&self) -> Result<Tensor> {
        // An action that is out of the question adds nothing, 0·log 0 = 0, and its logarithm must stay out of the product:
        // the product's gradient would have it times 0.
        let log_probs = self.log_probs()?;
        let probs = log_probs.exp()?;
        let log_probs = probs.gt(0.0)?.where_cond(log_probs, &log_probs.zeros_like()?)?;
        Ok((probs * log_probs)?.sum(D::Minus1)?.neg()?)
    }

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        // What this one never does adds nothing, whatever the other's logarithm of it.
        let (own, other) = (self.log_probs()?, Self::new(other.outputs())?);
        let probs = own.exp()?;
        let apart = probs.gt(0.0)?.where_cond(&(own - other.log_probs()?)?, &own.zeros_like()?)?;
        Ok((probs * apart)?.sum(D::Minus1)?)
    }

    fn described(&self) -> Result<Tensor> {
        Ok(self.log_probs()?.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Categorical, CategoricalTensor};
    use crate::distributions::{ActionMut, Distribution, DistributionTensor};
    use candle_core::{Device, Tensor};

    #[test]
    fn tensors_agree_with_the_definition() {
        let rows = [[0.5f32, -1.0, 2.0], [3.0, 3.0, 3.0]];
        let dist = CategoricalTensor::new(&Tensor::new(&rows, &Device::Cpu).unwrap()).unwrap();
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
    fn actions_are_drawn_by_inversion() {
        // Probabilities 0.1, 0, 0.6 and 0.3.
        let logits = [0.1f32.ln(), f32::NEG_INFINITY, 0.6f32.ln(), 0.3f32.ln()];
        let uniform = [0.0f32, 0.099, 0.101, 0.699, 0.701, 0.999_999];
        let outputs = Tensor::new(&[logits; 6], &Device::Cpu).unwrap();
        let uniform = Tensor::new(&uniform, &Device::Cpu).unwrap().unsqueeze(1).unwrap();
        let dist = Categorical { actions: 4 };
        let sampler = dist.sampler().expect("one");
        assert_eq!(sampler.draws(), 1);
        let actions: Vec<u32> = sampler.sample(&outputs, &uniform).unwrap().to_vec1().unwrap();
        assert_eq!(actions, [0, 0, 2, 2, 3, 3]);
    }

    #[test]
    fn nan_logits_are_an_error_not_an_action() {
        for bad in [[f32::NAN, 0.0], [f32::INFINITY, 0.0], [f32::NEG_INFINITY, f32::NEG_INFINITY]] {
            let mut rows = Categorical { actions: 2 }.rows();
            rows.set(&[[0.5, 2.0], bad].concat(), 2);
            let mut action = [7];
            assert_eq!(rows.mode(1, ActionMut::Discrete(&mut action)), None, "{bad:?}");
            assert_eq!((rows.mode(0, ActionMut::Discrete(&mut action)), action), (Some(()), [1]));
        }
    }
}
