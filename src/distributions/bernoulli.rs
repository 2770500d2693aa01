//! Several independent switches.

use std::sync::Arc;

use candle_core::{D, DType, Tensor};
use uphill_envs::Space;

use super::{BernoulliRows, Distribution, DistributionRows, DistributionTensor, Head, Row};
use crate::Result;

/// `K` independent switches, each on with probability `pₖ`, from `K` logits `lₖ`.
///
/// ```math
///   p = 1/(1 + e⁻ˡ)          log π(a|s) = Σₖ aₖ·lₖ − log(1 + e^lₖ)          H = Σₖ log(1 + e^lₖ) − pₖ·lₖ
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bernoulli {
    /// `K`, at least 1.
    pub switches: usize,
}

pub(super) const ROW: Row = Row {
    name: "bernoulli",
    summary: "several switches, each on or off by itself",
    params: &[],
    make: |_, space| Ok(Bernoulli::over(space)),
};

impl Bernoulli {
    /// Over the actions of a multi-binary space.
    #[must_use]
    pub fn over(space: &Space) -> Option<Arc<dyn Distribution>> {
        match *space {
            Space::MultiBinary { n } => Some(Arc::new(Self { switches: n })),
            _ => None,
        }
    }
}

impl Distribution for Bernoulli {
    fn outputs(&self) -> usize {
        self.switches
    }

    fn action_len(&self) -> usize {
        self.switches
    }

    fn components(&self) -> Vec<usize> {
        vec![2; self.switches]
    }

    fn head(&self) -> Option<Head> {
        Some(Head::Switches(self.switches))
    }

    fn is_over(&self, space: &Space) -> bool {
        *space == Space::MultiBinary { n: self.switches }
    }

    fn max_entropy(&self) -> Option<f64> {
        Some(self.switches as f64 * std::f64::consts::LN_2)
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(BernoulliRows::new(self.switches))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(BernoulliTensor::new(outputs)?))
    }
}

/// `B` times `K` independent switches.
#[derive(Debug, Clone)]
pub struct BernoulliTensor {
    /// `[B, K]`.
    logits: Tensor,
}

impl BernoulliTensor {
    /// From logits, `[B, K]`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for what is no matrix.
    pub fn new(logits: &Tensor) -> Result<Self> {
        logits.dims2()?;
        Ok(Self { logits: logits.clone() })
    }

    /// `log(1 + e^l)`, without overflow: `(l + |l|)/2 + log(1 + e^−|l|)`.
    fn softplus(&self) -> Result<Tensor> {
        let size = self.logits.abs()?;
        let rest = (size.neg()?.exp()? + 1.0)?.log()?;
        Ok((((&self.logits + size)? * 0.5)? + rest)?)
    }
}

impl DistributionTensor for BernoulliTensor {
    fn outputs(&self) -> &Tensor {
        &self.logits
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        // The action of one switch has no second dimension.
        let on = action.to_dtype(DType::F32)?.reshape(self.logits.shape())?;
        Ok(((on * &self.logits)? - self.softplus()?)?.sum(D::Minus1)?)
    }

    fn entropy(&self) -> Result<Tensor> {
        let on = candle_nn::ops::sigmoid(&self.logits)?;
        Ok((self.softplus()? - (on * &self.logits)?)?.sum(D::Minus1)?)
    }

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        let other = Self::new(other.outputs())?;
        let on = candle_nn::ops::sigmoid(&self.logits)?;
        let each = ((on * (&self.logits - &other.logits)?)? - self.softplus()?)? + other.softplus()?;
        Ok(each?.sum(D::Minus1)?)
    }

    // Logarithms of the probabilities of on and off.
    fn described(&self) -> Result<Tensor> {
        let off = self.softplus()?.neg()?;
        Ok(Tensor::cat(&[&(&self.logits + &off)?, &off], 1)?)
    }
}
