//! Independent normal distributions, one a number of the action.

use std::f64::consts::PI;
use std::sync::Arc;

use candle_core::{D, Tensor};
use uphill_envs::Space;

use super::{
    ActionKind, Deviation, DiagGaussianRows, Distribution, DistributionRows, DistributionTensor, Head, OwnBlock, Row,
    TensorSampler,
};
use crate::philox::normal;
use crate::words::{Args, Param, Range};
use crate::{Error, Result};

/// `K` independent normal distributions over the numbers of an action, from `2K` outputs: the means, which are a network's, and
/// the logarithms of the deviations. These are parameters of their own, the same in every state, or the network's as well.
///
/// ```math
///   log π(a|s) = Σₖ −½·zₖ² − log σₖ − ½·log 2π,   zₖ = (aₖ − μₖ)/σₖ          H = Σₖ log σₖ + ½·log 2πe
///   KL(π ‖ π′) = Σₖ log σ′ₖ/σₖ + (σₖ² + (μₖ − μ′ₖ)²)/2σ′ₖ² − ½
/// ```
///
/// Actions are clipped to the box only where an environment takes them: log-probabilities are those of what was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagGaussian {
    /// Lower bound of each number, `[K]`.
    pub low: Vec<f32>,
    /// Upper bound of each number, `[K]`.
    pub high: Vec<f32>,
    /// What the logarithm of each deviation begins at. Where a network gives them it is added to its outputs.
    pub log_std_init: f32,
    /// Whether a network gives the logarithms of the deviations.
    pub state_dependent_std: bool,
}

const LOG_STD_INIT: Param =
    Param::fixed("log_std_init", Range::Finite, "0", "what the logarithm of each deviation begins at");
const STATE_DEPENDENT_STD: Param = Param::flag(
    "state_dependent_std",
    "false",
    "whether a network gives the deviations, instead of parameters that are the same in every state",
);

/// Where the logarithm of a deviation begins: as far out as numbers are still told apart.
pub(super) fn log_std_init(args: &Args) -> Result<f32> {
    const MOST: f64 = 20.0;
    let init = args.number("log_std_init")?;
    if init.abs() <= MOST {
        return Ok(init as f32);
    }
    let (row, init) = (args.row(), uphill_envs::shown(init));
    Err(Error::Config(format!("{row}: log_std_init = {init} is impossible: it must lie from -{MOST} to {MOST}")))
}

/// What normal distributions of either kind take.
pub(super) const PARAMS: &[Param] = &[LOG_STD_INIT, STATE_DEPENDENT_STD];

pub(super) const ROW: Row = Row {
    name: "diag_gaussian",
    summary: "a normal distribution for each number; actions are clipped to the box",
    params: PARAMS,
    make: |args, space| Ok(DiagGaussian::of(args, space)?.map(|made| Arc::new(made) as _)),
};

/// `½·log 2π`.
pub(super) fn half_log_2pi() -> f64 {
    0.5 * (2.0 * PI).ln()
}

/// Clips actions, `[B, K]`, to a box.
pub(super) fn clip(actions: &mut [f32], low: &[f32], high: &[f32]) {
    for action in actions.chunks_exact_mut(low.len()) {
        for (a, (low, high)) in action.iter_mut().zip(low.iter().zip(high)) {
            *a = a.max(*low).min(*high);
        }
    }
}

impl DiagGaussian {
    /// Over a box with these bounds, `[K]` each, deviations of 1 to begin with, the same in every state.
    #[must_use]
    pub fn new(low: Vec<f32>, high: Vec<f32>) -> Self {
        Self { low, high, log_std_init: 0.0, state_dependent_std: false }
    }

    /// Over the actions of a box.
    pub(super) fn of(args: &Args, space: &Space) -> Result<Option<Self>> {
        let Space::Box { low, high } = space else { return Ok(None) };
        let (log_std_init, state_dependent_std) = (log_std_init(args)?, args.flag("state_dependent_std")?);
        Ok(Some(Self { log_std_init, state_dependent_std, ..Self::new(low.clone(), high.clone()) }))
    }

    /// What is added to the outputs that are logarithms of deviations.
    pub(super) fn shift(&self) -> f32 {
        if self.state_dependent_std { self.log_std_init } else { 0.0 }
    }
}

impl Distribution for DiagGaussian {
    fn outputs(&self) -> usize {
        2 * self.low.len()
    }

    fn own(&self) -> Option<OwnBlock> {
        let own = OwnBlock { name: "log_std", len: self.low.len(), initial: self.log_std_init };
        (!self.state_dependent_std).then_some(own)
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
            deviation: Deviation::Logarithm { shift: self.shift() },
        })
    }

    fn is_over(&self, space: &Space) -> bool {
        matches!(space, Space::Box { low, high } if *low == self.low && *high == self.high)
    }

    fn max_entropy(&self) -> Option<f64> {
        None
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(DiagGaussianRows::new(self.low.len(), self.shift()))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        Ok(Box::new(DiagGaussianTensor::new(outputs, self.shift())?))
    }

    fn sampler(&self) -> Option<&dyn TensorSampler> {
        Some(self)
    }
}

/// `μ + σ·z`, `z` [normal](crate::philox::normal).
impl TensorSampler for DiagGaussian {
    fn draws(&self) -> usize {
        2 * self.low.len()
    }

    fn sample(&self, outputs: &Tensor, uniform: &Tensor) -> Result<Tensor> {
        let policy = DiagGaussianTensor::new(outputs, self.shift())?;
        let (mean, log_std) = policy.parameters();
        Ok((mean + (log_std.exp()? * normal(uniform)?)?)?)
    }

    fn map_action(&self, actions: &Tensor) -> Result<Tensor> {
        let bound = |bound: &[f32]| Tensor::from_slice(bound, (1, bound.len()), actions.device());
        Ok(actions.broadcast_maximum(&bound(&self.low)?)?.broadcast_minimum(&bound(&self.high)?)?)
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
    shift: f32,
}

impl DiagGaussianTensor {
    /// From means and then logarithms of deviations, `[B, 2K]`, to which `shift` is added.
    ///
    /// # Errors
    /// [`Error::Shape`] for an odd number of columns, [`Error::Tensor`] for what is no matrix.
    pub fn new(outputs: &Tensor, shift: f32) -> Result<Self> {
        let (rows, columns) = outputs.dims2()?;
        let k = columns / 2;
        if columns == 0 || !columns.is_multiple_of(2) {
            let what = "means and deviations of a normal distribution".into();
            return Err(Error::Shape { what, expected: vec![rows, 2 * k.max(1)], got: vec![rows, columns] });
        }
        let half = |start: usize| outputs.narrow(1, start, k);
        let log_std = if shift == 0.0 { half(k)? } else { (half(k)? + f64::from(shift))? };
        Ok(Self { outputs: outputs.clone(), mean: half(0)?, log_std, shift })
    }

    /// `μ` and `log σ`, `[B, K]` each.
    pub(super) fn parameters(&self) -> (&Tensor, &Tensor) {
        (&self.mean, &self.log_std)
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

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        let other = Self::new(other.outputs(), self.shift)?;
        let narrower = (&self.log_std - &other.log_std)?;
        let apart = ((&self.mean - &other.mean)? * other.log_std.neg()?.exp()?)?.sqr()?;
        let each = ((((&narrower * 2.0)?.exp()? + apart)? - 1.0)? * 0.5)? - narrower;
        Ok(each?.sum(D::Minus1)?)
    }

    fn described(&self) -> Result<Tensor> {
        Ok(self.outputs.clone())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::DiagGaussian;
    use crate::distributions::Distribution;
    use crate::philox::{LaneNumbers, Purpose, normal};
    use crate::seed::Seed;

    /// Of 20,000 draws mean and deviation are the policy's within four standard errors, and what an environment takes is in the box.
    #[test]
    fn actions_are_drawn_as_tensors() {
        let (cpu, n) = (&Device::Cpu, 20_000);
        let dist = DiagGaussian::new(vec![-1.0, -9.0], vec![1.0, 9.0]);
        let sampler = dist.sampler().expect("one");
        let outputs = Tensor::new(&[[0.5f32, -2.0, 0.5f32.ln(), 3f32.ln()]], cpu).unwrap();
        let outputs = outputs.broadcast_as((n, 4)).unwrap().contiguous().unwrap();
        let uniform = LaneNumbers::new(Seed(1), n).uniform((0, 1), Purpose::Action, sampler.draws(), cpu).unwrap();
        let uniform = uniform.squeeze(0).unwrap();
        let actions = sampler.sample(&outputs, &uniform).unwrap();
        let z = normal(&uniform).unwrap();
        for (i, (mean, std)) in [(0.5f32, 0.5f32), (-2.0, 3.0)].into_iter().enumerate() {
            let column = |x: &Tensor| x.narrow(1, i, 1).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let drawn = column(&actions);
            let of_mean = drawn.iter().sum::<f32>() / n as f32;
            let of_std = (drawn.iter().map(|x| (x - of_mean).powi(2)).sum::<f32>() / n as f32).sqrt();
            assert!((of_mean - mean).abs() < 0.029 * std && (of_std - std).abs() < 0.02 * std, "{of_mean} {of_std}");
            for (x, z) in drawn.iter().zip(column(&z)) {
                assert!((x - (mean + std * z)).abs() < 1e-5, "{x} of {z}");
            }
        }
        let taken: Vec<Vec<f32>> = sampler.map_action(&actions).unwrap().to_vec2().unwrap();
        let drawn: Vec<Vec<f32>> = actions.to_vec2().unwrap();
        let clipped = |row: &[f32]| vec![row[0].clamp(-1.0, 1.0), row[1].clamp(-9.0, 9.0)];
        assert_eq!(taken, drawn.iter().map(|row| clipped(row)).collect::<Vec<_>>());
        assert_ne!(taken, drawn);
    }
}
