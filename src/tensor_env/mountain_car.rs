//! The car between two hills, as tensors.

use candle_core::{DType, Tensor};
use uphill_envs::{Env, Spec};

use super::{TensorEnv, TensorStep, between, columns};
use crate::Result;

pub(super) const MIN_POSITION: f64 = -1.2;
pub(super) const MAX_POSITION: f64 = 0.6;
pub(super) const MAX_SPEED: f64 = 0.07;
pub(super) const START: (f64, f64) = (-0.6, -0.4);
pub(super) const GRAVITY: f64 = 0.0025;
const GOAL_POSITION: f64 = 0.5;
const FORCE: f64 = 0.001;

/// The twin of [`MountainCar`](uphill_envs::MountainCar); its state is what is seen of it.
///
/// One step from the same state is within 10⁻⁶ of the host's, whose state is f64, and 200 steps are within 10⁻⁴.
#[derive(Debug, Clone)]
pub struct MountainCar {
    spec: Spec,
}

impl Default for MountainCar {
    fn default() -> Self {
        Self::new()
    }
}

impl MountainCar {
    /// `MountainCar-v0`.
    #[must_use]
    pub fn new() -> Self {
        Self { spec: uphill_envs::MountainCar::new().spec().clone() }
    }
}

/// A position between the hills, at rest.
pub(super) fn start(uniform: &Tensor) -> candle_core::Result<Tensor> {
    let position = between(uniform, START.0, START.1)?;
    Tensor::cat(&[&position, &position.zeros_like()?], 1)
}

/// Where a car comes to that gains so much velocity, and how fast it then is; the wall on the left takes all its speed.
pub(super) fn roll(position: &Tensor, velocity: &Tensor, gained: &Tensor) -> candle_core::Result<[Tensor; 2]> {
    let velocity = (velocity + gained)?.clamp(-MAX_SPEED, MAX_SPEED)?;
    let position = (position + &velocity)?.clamp(MIN_POSITION, MAX_POSITION)?;
    let velocity = position.le(MIN_POSITION)?.where_cond(&velocity.relu()?, &velocity)?;
    Ok([position, velocity])
}

/// Whether a car is at the flag.
pub(super) fn is_there(position: &Tensor, velocity: &Tensor, goal: f64) -> candle_core::Result<Tensor> {
    position.ge(goal)?.minimum(&velocity.ge(0.0)?)
}

impl TensorEnv for MountainCar {
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
        let pull = ((&position * 3.0)?.cos()? * -GRAVITY)?;
        let gained = (action.to_dtype(DType::F32)?.affine(FORCE, -FORCE)? + pull)?;
        let [position, velocity] = roll(&position, &velocity, &gained)?;
        let terminated = is_there(&position, &velocity, GOAL_POSITION)?;
        let reward = position.ones_like()?.neg()?;
        Ok(TensorStep { state: Tensor::stack(&[position, velocity], 1)?, reward, terminated })
    }

    fn observe(&self, state: &Tensor) -> Result<Tensor> {
        Ok(state.clone())
    }
}
