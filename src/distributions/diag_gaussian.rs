//! Independent normal distributions, one a number of the action.

use std::f64::consts::PI;
use std::sync::Arc;

use candle_core::{D, Tensor};
use uphill_envs::Space;

use super::{
    ActionKind, DiagGaussianRows, Distribution, DistributionKind, DistributionRows, DistributionTensor, OwnBlock,
};
use crate::{Error, Result};

/// `K` independent normal distributions over the numbers of an action, from `2K` outputs: the means, which are the network's,
/// and the logarithms of the deviations, which are parameters of their own, the same in every state.
///
/// ```text
///   log π(a|s) = Σₖ −½·zₖ² − log σₖ − ½·log 2π,   zₖ = (aₖ − μₖ)/σₖ          H = Σₖ log σₖ + ½·log 2πe
/// ```
///
/// Actions are clipped to the box only where an environment takes them: log-probabilities are those of what was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagGaussian {
    /// Lower bound of each number, `[K]`.
    pub low: Vec<f32>,
    /// Upper bound of each number, `[K]`.
    pub high: Vec<f32>,
}

/// `½·log 2π`.
pub(super) fn half_log_2pi() -> f64 {
    0.5 * (2.0 * PI).ln()
}

impl DiagGaussian {
    /// It in the table of distributions.
    pub const ROW: DistributionKind = DistributionKind { actions: "continuous", over: Self::over };

    /// Over the actions of a box.
    #[must_use]
    pub fn over(space: &Space) -> Option<Arc<dyn Distribution>> {
        match space {
            Space::Box { low, high } => Some(Arc::new(Self { low: low.clone(), high: high.clone() })),
            _ => None,
        }
    }
}

impl Distribution for DiagGaussian {
    fn outputs(&self) -> usize {
        2 * self.low.len()
    }

    fn own(&self) -> Option<OwnBlock> {
        Some(OwnBlock { name: "log_std", len: self.low.len() })
    }

    fn action_len(&self) -> usize {
        self.low.len()
    }

    fn action_kind(&self) -> ActionKind {
        ActionKind::Continuous
    }

    fn clip(&self, actions: &mut [f32]) {
        for action in actions.chunks_exact_mut(self.low.len()) {
            for (a, (low, high)) in action.iter_mut().zip(self.low.iter().zip(&self.high)) {
                *a = a.max(*low).min(*high);
            }
        }
    }

    fn is_over(&self, space: &Space) -> bool {
        matches!(space, Space::Box { low, high } if *low == self.low && *high == self.high)
    }

    fn max_entropy(&self) -> Option<f64> {
        None
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(DiagGaussianRows::new(self.low.len()))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(DiagGaussianTensor::new(outputs)?))
    }
}

/// `B` times `K` independent normal distributions.
#[derive(Debug, Clone)]
pub struct DiagGaussianTensor {
    outputs: Tensor,
    /// `[B, K]`.
    mean: Tensor,
    /// `[B, K]`.
    log_std: Tensor,
}

impl DiagGaussianTensor {
    /// From means and then logarithms of deviations, `[B, 2K]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for an odd number of columns, [`Error::Tensor`] for what is no matrix.
    pub fn new(outputs: &Tensor) -> Result<Self> {
        let (rows, columns) = outputs.dims2()?;
        let k = columns / 2;
        if columns == 0 || !columns.is_multiple_of(2) {
            let what = "means and deviations of a normal distribution".into();
            return Err(Error::Shape { what, expected: vec![rows, 2 * k.max(1)], got: vec![rows, columns] });
        }
        let half = |start: usize| outputs.narrow(1, start, k);
        Ok(Self { outputs: outputs.clone(), mean: half(0)?, log_std: half(k)? })
    }

    fn len(&self) -> Result<f64> {
        Ok(self.mean.dim(1)? as f64)
    }
}

impl DistributionTensor for DiagGaussianTensor {
    fn outputs(&self) -> &Tensor {
        &self.outputs
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        let z = ((action - &self.mean)? * self.log_std.neg()?.exp()?)?;
        let each = ((z.sqr()? * -0.5)? - &self.log_std)?;
        Ok((each.sum(D::Minus1)? - self.len()? * half_log_2pi())?)
    }

    fn entropy(&self) -> Result<Tensor> {
        Ok((self.log_std.sum(D::Minus1)? + self.len()? * (0.5 + half_log_2pi()))?)
    }

    fn described(&self) -> Result<Tensor> {
        Ok(self.outputs.clone())
    }
}
