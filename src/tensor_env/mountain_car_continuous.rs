//! The car between two hills that is pushed as hard as one likes, as tensors.

use candle_core::{DType, Tensor};
use uphill_envs::{Env, Spec};

use super::mountain_car::{GRAVITY, is_there, roll, start};
use super::{TensorEnv, TensorStep, columns};
use crate::Result;

const GOAL_POSITION: f64 = 0.45;
const MAX_FORCE: f64 = 1.0;
const POWER: f64 = 0.0015;

/// The twin of [`MountainCarContinuous`](uphill_envs::MountainCarContinuous); its state is what is seen of it.
///
/// One step from the same state is within 10⁻⁶ of the host's, which takes an episode's first step in f64, and 200 steps are within 10⁻⁴.
#[derive(Debug, Clone)]
pub struct MountainCarContinuous {
    spec: Spec,
}

impl Default for MountainCarContinuous {
    fn default() -> Self {
        Self::new()
    }
}

impl MountainCarContinuous {
    /// `MountainCarContinuous-v0`.
    #[must_use]
    pub fn new() -> Self {
        Self { spec: uphill_envs::MountainCarContinuous::new().spec().clone() }
    }
}

impl TensorEnv for MountainCarContinuous {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn state_len(&self) -> usize {
        2
    }

    fn start_draws(&self) -> usize {
        1
    }

    fn start(&self, uniform: &Tensor) -> Result<Tensor> {
        Ok(start(uniform)?)
    }

    fn step(&self, state: &Tensor, action: &Tensor, _: Option<&Tensor>) -> Result<TensorStep> {
        let [position, velocity] = columns(state)?;
        let push = action.squeeze(1)?;
        let pull = ((&position * 3.0)?.cos()? * GRAVITY)?;
        let gained = ((push.clamp(-MAX_FORCE, MAX_FORCE)? * POWER)? - pull)?;
        let [position, velocity] = roll(&position, &velocity, &gained)?;
        let terminated = is_there(&position, &velocity, GOAL_POSITION)?;
        let reward = ((terminated.to_dtype(DType::F32)? * 100.0)? - (push.sqr()? * 0.1)?)?;
        Ok(TensorStep { state: Tensor::stack(&[position, velocity], 1)?, reward, terminated })
    }

    fn observe(&self, state: &Tensor) -> Result<Tensor> {
        Ok(state.clone())
    }
}
