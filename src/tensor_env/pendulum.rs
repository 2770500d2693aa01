//! The pendulum that is to be swung up, as tensors.

use std::f64::consts::PI;

use candle_core::{DType, Result, Tensor};
use uphill_envs::pendulum::{DT, GRAVITY, LENGTH, MASS, MAX_SPEED, MAX_TORQUE, START};
use uphill_envs::{Env, Pendulum};

use super::{Classic, TensorStep, between, columns};

/// What the weight and a torque of 1 give to the angular velocity in a second, rad/s.
const PULL: f64 = 3.0 * GRAVITY / (2.0 * LENGTH);
const PUSH: f64 = 3.0 / (MASS * LENGTH * LENGTH);

impl Classic {
    /// The twin of [`Pendulum`]; its state is angle and angular velocity.
    ///
    /// One step from the same state is within 2·10⁻⁵ of the host's, whose state is f64; near upright a difference grows some sixfold a
    /// second, which is 20 steps.
    #[must_use]
    pub fn pendulum() -> Self {
        let spec = Pendulum::new().spec().clone();
        Self { spec, state_len: 2, start_draws: 2, start, step, observe }
    }
}

/// An angle within ±π.
pub(super) fn wrapped(angle: &Tensor) -> Result<Tensor> {
    let turns = angle.affine(0.5 / PI, 0.5)?.floor()?;
    angle - (turns * (2.0 * PI))?
}

fn start(uniform: &Tensor) -> Result<Tensor> {
    let [angle, speed] = columns(uniform)?;
    Tensor::stack(&[between(&angle, -START[0], START[0])?, between(&speed, -START[1], START[1])?], 1)
}

fn step(state: &Tensor, action: &Tensor) -> Result<TensorStep> {
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

fn observe(state: &Tensor) -> Result<Tensor> {
    let [theta, theta_dot] = columns(state)?;
    Tensor::stack(&[theta.cos()?, theta.sin()?, theta_dot], 1)
}
