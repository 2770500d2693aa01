//! Normal distributions whose noise is a function of the state: generalised state-dependent exploration.

use std::sync::Arc;

use candle_core::{D, Tensor};
use uphill_envs::Space;

use super::diag_gaussian::{clip, log_std_init};
use super::{
    ActionKind, Deviation, DiagGaussianTensor, Distribution, DistributionRows, DistributionTensor, GsdeRows, Head,
    OwnBlock, Row,
};
use crate::words::{Args, Param, Range};
use crate::{Error, Result};

/// Normal distributions over `K` numbers whose noise is linear in the `F` outputs `φ` of the actor's last hidden layer, the same
/// function of the state for some steps: explored is by trying another policy, and not by trembling.
///
/// ```math
///   aⱼ = μⱼ + Σᵢ φᵢ·εᵢⱼ + ε₀ⱼ,   εᵢⱼ ~ N(0, e^(2Lᵢⱼ)) and ε₀ⱼ ~ N(0, 1e-6), drawn anew every `sample_freq` steps
///   aⱼ ~ N(μⱼ, σⱼ²) in each state,   σⱼ² = Σᵢ φᵢ²·e^(2Lᵢⱼ) + 1e-6
/// ```
///
/// It reads `K + F + F·K` outputs: the means and the features, which are a network's, and `L`, `[F, K]`, parameters of its own, the
/// same in every state. Log-probabilities, entropies and divergences are those of the normal distributions in each state, whatever
/// noise is held. No gradient goes into the features: what they are is learnt for the means alone, and the Fisher information takes
/// them as given. Actions are clipped to the box where an environment takes them.
///
/// Raffin et al. 2022, <https://arxiv.org/abs/2005.05719>, where `ε₀` is missing and `1e-6` is in the variance all the same; van
/// Hoof et al. 2017, <https://jmlr.org/papers/v18/16-430.html>.
#[derive(Debug, Clone, PartialEq)]
pub struct Gsde {
    /// Lower bound of each number, `[K]`.
    pub low: Vec<f32>,
    /// Upper bound of each number, `[K]`.
    pub high: Vec<f32>,
    /// What each `L` begins at.
    pub log_std_init: f32,
    /// How many steps a noise is held for; `None` holds it for a whole rollout.
    pub sample_freq: Option<u64>,
    /// `F`, 0 as long as no network is known.
    pub features: usize,
}

const LOG_STD_INIT: Param = Param::fixed(
    "log_std_init",
    Range::Finite,
    "0",
    "what the logarithm of each deviation of the noise begins at: one a feature and number, so that more features make more noise",
);
const SAMPLE_FREQ: Param = Param::limit(
    "sde_sample_freq",
    1_000_000_000,
    "inf",
    "steps of a lane that a noise is held for; inf holds it for a whole rollout",
);

pub(super) const ROW: Row = Row {
    name: "gsde",
    summary: "a normal distribution for each number, its noise a function of the state that is held for some steps",
    params: &[LOG_STD_INIT, SAMPLE_FREQ],
    make: |args, space| Ok(Gsde::of(args, space)?.map(|made| Arc::new(made) as _)),
};

/// `ε₀`: the deviation that is left where all features are zero, and its square.
pub(super) const LEAST_STD: f32 = 1e-3;
pub(super) const LEAST_VARIANCE: f32 = 1e-6;

impl Gsde {
    /// Over a box with these bounds, `[K]` each, for a network of so many features; `L` begins at 0, and a noise is held for a
    /// whole rollout.
    #[must_use]
    pub fn new(low: Vec<f32>, high: Vec<f32>, features: usize) -> Self {
        Self { low, high, log_std_init: 0.0, sample_freq: None, features }
    }

    fn of(args: &Args, space: &Space) -> Result<Option<Self>> {
        let Space::Box { low, high } = space else { return Ok(None) };
        let (log_std_init, sample_freq) = (log_std_init(args)?, args.limit("sde_sample_freq")?);
        Ok(Some(Self { log_std_init, sample_freq, ..Self::new(low.clone(), high.clone(), 0) }))
    }
}

impl Distribution for Gsde {
    fn outputs(&self) -> usize {
        let k = self.low.len();
        k + self.features + self.features * k
    }

    fn features(&self) -> usize {
        self.features
    }

    fn with_features(&self, features: usize) -> Option<Arc<dyn Distribution>> {
        Some(Arc::new(Self { features, ..self.clone() }))
    }

    fn own(&self) -> Option<OwnBlock> {
        // A block without shape: no matrix that maps anything, and not to decay, which would bring all deviations to 1.
        let len = self.features * self.low.len();
        (len > 0).then_some(OwnBlock { name: "log_std", len, initial: self.log_std_init })
    }

    fn action_len(&self) -> usize {
        self.low.len()
    }

    fn action_kind(&self) -> ActionKind {
        ActionKind::Continuous
    }

    fn means(&self) -> usize {
        self.low.len()
    }

    fn map_action(&self, actions: &mut [f32]) {
        clip(actions, &self.low, &self.high);
    }

    fn head(&self) -> Option<Head> {
        Some(Head::Normal {
            low: self.low.clone(),
            high: self.high.clone(),
            is_squashed: false,
            deviation: Deviation::Features { least: LEAST_VARIANCE },
        })
    }

    fn is_over(&self, space: &Space) -> bool {
        matches!(space, Space::Box { low, high } if *low == self.low && *high == self.high)
    }

    fn max_entropy(&self) -> Option<f64> {
        None
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(GsdeRows::new(self.low.len(), self.features, self.sample_freq))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(GsdeTensor::new(outputs, self.low.len(), self.features)?))
    }
}

/// `B` times `K` normal distributions of deviations that depend on features.
#[derive(Debug, Clone)]
pub struct GsdeTensor {
    outputs: Tensor,
    len: usize,
    features: usize,
    normal: DiagGaussianTensor,
}

impl GsdeTensor {
    /// From `K` means, then `F` features, then `L`, `[F, K]`: `[B, K + F + F·K]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of columns, [`Error::Tensor`] for what is no matrix.
    pub fn new(outputs: &Tensor, len: usize, features: usize) -> Result<Self> {
        let (rows, columns) = outputs.dims2()?;
        let own = features * len;
        if len == 0 || columns != len + features + own {
            let what = "means, features and deviations of a normal distribution".into();
            return Err(Error::Shape { what, expected: vec![rows, len + features + own], got: vec![rows, columns] });
        }
        let mean = outputs.narrow(1, 0, len)?;
        let squares = outputs.narrow(1, len, features)?.detach().sqr()?.unsqueeze(2)?;
        let log_std = outputs.narrow(1, len + features, own)?.contiguous()?.reshape((rows, features, len))?;
        let variance = ((log_std * 2.0)?.exp()?.broadcast_mul(&squares)?.sum(1)? + f64::from(LEAST_VARIANCE))?;
        let normal = DiagGaussianTensor::new(&Tensor::cat(&[mean, (variance.log()? * 0.5)?], D::Minus1)?, 0.0)?;
        Ok(Self { outputs: outputs.clone(), len, features, normal })
    }
}

impl DistributionTensor for GsdeTensor {
    fn outputs(&self) -> &Tensor {
        &self.outputs
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        self.normal.log_prob(action)
    }

    fn entropy(&self) -> Result<Tensor> {
        self.normal.entropy()
    }

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        self.normal.kl(&Self::new(other.outputs(), self.len, self.features)?.normal)
    }

    // Without the features, which have no gradient.
    fn described(&self) -> Result<Tensor> {
        let own = self.len + self.features;
        let part = |start: usize, len: usize| self.outputs.narrow(1, start, len);
        Ok(Tensor::cat(&[part(0, self.len)?, part(own, self.features * self.len)?], 1)?)
    }
}
