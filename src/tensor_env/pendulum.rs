//! The pendulum that is to be swung up, as tensors.

use std::f64::consts::PI;

use candle_core::{DType, Tensor};
use uphill_envs::{Env, Spec};

use super::{TensorEnv, TensorStep, between, columns};
use crate::Result;

/// `3g/2l`.
const PULL: f64 = 15.0;
/// `3/ml²`.
const PUSH: f64 = 3.0;
const DT: f64 = 0.05;
const MAX_SPEED: f64 = 8.0;
const MAX_TORQUE: f64 = 2.0;
const START: [f64; 2] = [PI, 1.0];

/// The twin of [`Pendulum`](uphill_envs::Pendulum); its state is angle and angular velocity.
///
/// One step from the same state is within 2·10⁻⁵ of the host's, whose state is f64; near upright a difference grows some sixfold a
/// second, which is 20 steps.
#[derive(Debug, Clone)]
pub struct Pendulum {
    spec: Spec,
}

impl Default for Pendulum {
    fn default() -> Self {
        Self::new()
    }
}

impl Pendulum {
    /// `Pendulum-v1`.
    #[must_use]
    pub fn new() -> Self {
        Self { spec: uphill_envs::Pendulum::new().spec().clone() }
    }
}

/// An angle within ±π.
pub(super) fn wrapped(angle: &Tensor) -> candle_core::Result<Tensor> {
    let turns = angle.affine(0.5 / PI, 0.5)?.floor()?;
    angle - (turns * (2.0 * PI))?
}

impl TensorEnv for Pendulum {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn state_len(&self) -> usize {
        2
    }

    fn start_draws(&self) -> usize {
        2
    }

    fn start(&self, uniform: &Tensor) -> Result<Tensor> {
        let [angle, speed] = columns(uniform)?;
        Ok(Tensor::stack(&[between(&angle, -START[0], START[0])?, between(&speed, -START[1], START[1])?], 1)?)
    }

    fn step(&self, state: &Tensor, action: &Tensor, _: Option<&Tensor>) -> Result<TensorStep> {
        let [theta, theta_dot] = columns(state)?;
        let torque = action.squeeze(1)?.clamp(-MAX_TORQUE, MAX_TORQUE)?;
        let of_speed = ((theta_dot.sqr()? * 0.1)? + (torque.sqr()? * 0.001)?)?;
        let reward = (wrapped(&theta)?.sqr()? + of_speed)?.neg()?;
        let gained = (((theta.sin()? * PULL)? + (torque * PUSH)?)? * DT)?;
        let theta_dot = (theta_dot + gained)?.clamp(-MAX_SPEED, MAX_SPEED)?;
        let theta = (theta + (&theta_dot * DT)?)?;
        let terminated = reward.zeros_like()?.to_dtype(DType::U8)?;
        Ok(TensorStep { state: Tensor::stack(&[theta, theta_dot], 1)?, reward, terminated })
    }

    fn observe(&self, state: &Tensor) -> Result<Tensor> {
        let [theta, theta_dot] = columns(state)?;
        Ok(Tensor::stack(&[theta.cos()?, theta.sin()?, theta_dot], 1)?)
    }
}
