//! Several independent choices at once.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;
use uphill_envs::Space;

use super::{CategoricalTensor, Distribution, DistributionRows, DistributionTensor, Head, MultiCategoricalRows, Row};
use crate::Result;

/// `K` independent choices, the `k`-th among `Aₖ` actions, from the `Σ Aₖ` unnormalised log-probabilities of all, one choice's
/// after the other's.
///
/// ```math
///   log π(a|s) = Σₖ log πₖ(aₖ|s)          H = Σₖ Hₖ
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiCategorical {
    /// `[K]`, each at least 1.
    pub actions: Vec<usize>,
}

pub(super) const ROW: Row = Row {
    name: "multi_categorical",
    summary: "several choices at once, each by itself",
    params: &[],
    make: |_, space| Ok(MultiCategorical::over(space)),
};

impl MultiCategorical {
    /// Over the actions of a multi-discrete space.
    #[must_use]
    pub fn over(space: &Space) -> Option<Arc<dyn Distribution>> {
        match space {
            Space::MultiDiscrete { n } => Some(Arc::new(Self { actions: n.clone() })),
            _ => None,
        }
    }
}

impl Distribution for MultiCategorical {
    fn outputs(&self) -> usize {
        self.actions.iter().fold(0, |sum, &n| sum.saturating_add(n))
    }

    fn choices(&self) -> usize {
        self.outputs()
    }

    fn action_len(&self) -> usize {
        self.actions.len()
    }

    fn components(&self) -> Vec<usize> {
        self.actions.clone()
    }

    fn head(&self) -> Option<Head> {
        Some(Head::Choices(self.actions.clone()))
    }

    fn is_over(&self, space: &Space) -> bool {
        matches!(space, Space::MultiDiscrete { n } if *n == self.actions)
    }

    fn max_entropy(&self) -> Option<f64> {
        Some(self.actions.iter().map(|&n| (n as f64).ln()).sum())
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(MultiCategoricalRows::new(&self.actions))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(MultiCategoricalTensor::new(outputs, &self.actions)?))
    }
}

/// Where each choice's actions stand among the outputs of all.
pub(super) fn columns(actions: &[usize]) -> impl Iterator<Item = Range<usize>> {
    actions.iter().scan(0, |next, n| {
        let first = *next;
        *next += n;
        Some(first..*next)
    })
}

/// `B` times `K` independent categorical distributions.
#[derive(Debug, Clone)]
pub struct MultiCategoricalTensor {
    logits: Tensor,
    /// `[K]`, each over `[B, Aₖ]`.
    choices: Vec<CategoricalTensor>,
}

impl MultiCategoricalTensor {
    /// From unnormalised log-probabilities, `[B, Σ Aₖ]`, of choices among so many actions each, `[K]`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for a tensor of another shape.
    pub fn new(logits: &Tensor, actions: &[usize]) -> Result<Self> {
        let (rows, _) = logits.dims2()?;
        let all = logits.reshape((rows, actions.iter().sum::<usize>()))?;
        let choice = |columns: Range<usize>| CategoricalTensor::new(&all.narrow(1, columns.start, columns.len())?);
        Ok(Self { logits: logits.clone(), choices: columns(actions).map(choice).collect::<Result<_>>()? })
    }

    /// What the choices say, added up.
    fn sum(&self, of: impl Fn(usize, &CategoricalTensor) -> Result<Tensor>) -> Result<Tensor> {
        let each = self.choices.iter().enumerate().map(|(k, choice)| of(k, choice)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::stack(&each, 1)?.sum(1)?)
    }
}

impl DistributionTensor for MultiCategoricalTensor {
    fn outputs(&self) -> &Tensor {
        &self.logits
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        // The action of one choice has no second dimension.
        let action = action.reshape((self.logits.dim(0)?, self.choices.len()))?;
        self.sum(|k, choice| choice.log_prob(&action.narrow(1, k, 1)?.squeeze(1)?.contiguous()?))
    }

    fn entropy(&self) -> Result<Tensor> {
        self.sum(|_, choice| choice.entropy())
    }

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        let actions: Vec<usize> = self.choices.iter().map(CategoricalTensor::actions).collect::<Result<_>>()?;
        let other = Self::new(other.outputs(), &actions)?;
        self.sum(|k, choice| choice.kl(&other.choices[k]))
    }

    fn described(&self) -> Result<Tensor> {
        let each = self.choices.iter().map(CategoricalTensor::log_probs).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&each, 1)?)
    }
}
