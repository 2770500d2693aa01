//! The pole on a cart, as tensors.

use std::f64::consts::PI;

use candle_core::{DType, Tensor};
use uphill_envs::{Env, Spec};

use super::{TensorEnv, TensorStep, between, columns};
use crate::Result;

const GRAVITY: f64 = 9.8;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = 1.1;
const HALF_LENGTH: f64 = 0.5;
const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_LENGTH;
const FORCE: f64 = 10.0;
const TAU: f64 = 0.02;
const ANGLE_LIMIT: f64 = 12.0 * PI / 180.0;
const POSITION_LIMIT: f64 = 2.4;
const START_RANGE: f64 = 0.05;

/// The twin of [`CartPole`](uphill_envs::CartPole); its state is what is seen of it.
///
/// One step from the same state is within 2·10⁻⁶ of the host's, whose state is f64. A falling pole magnifies the difference: an episode of
/// some 20 steps is within 10⁻⁴.
#[derive(Debug, Clone)]
pub struct CartPole {
    spec: Spec,
}

impl Default for CartPole {
    fn default() -> Self {
        Self::new()
    }
}

impl CartPole {
    /// `CartPole-v1`.
    #[must_use]
    pub fn new() -> Self {
        Self { spec: uphill_envs::CartPole::new().spec().clone() }
    }
}

impl TensorEnv for CartPole {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn state_len(&self) -> usize {
        4
    }

    fn start_draws(&self) -> usize {
        4
    }

    fn start(&self, uniform: &Tensor) -> Result<Tensor> {
        Ok(between(uniform, -START_RANGE, START_RANGE)?)
    }

    fn step(&self, state: &Tensor, action: &Tensor, _: Option<&Tensor>) -> Result<TensorStep> {
        let [x, x_dot, theta, theta_dot] = columns(state)?;
        let force = action.to_dtype(DType::F32)?.affine(2.0 * FORCE, -FORCE)?;
        let (sin, cos) = (theta.sin()?, theta.cos()?);
        let temp = ((force + ((theta_dot.sqr()? * POLE_MASS_LENGTH)? * &sin)?)? / TOTAL_MASS)?;
        let inertia = cos.sqr()?.affine(-HALF_LENGTH * POLE_MASS / TOTAL_MASS, HALF_LENGTH * 4.0 / 3.0)?;
        let theta_acc = (((&sin * GRAVITY)? - (&cos * &temp)?)? / inertia)?;
        let x_acc = (temp - ((&theta_acc * &cos)? * (POLE_MASS_LENGTH / TOTAL_MASS))?)?;
        let x = (x + (&x_dot * TAU)?)?;
        let theta = (theta + (&theta_dot * TAU)?)?;
        let terminated = x.abs()?.gt(POSITION_LIMIT)?.maximum(&theta.abs()?.gt(ANGLE_LIMIT)?)?;
        let reward = x.ones_like()?;
        let state = Tensor::stack(&[x, (x_dot + (x_acc * TAU)?)?, theta, (theta_dot + (theta_acc * TAU)?)?], 1)?;
        Ok(TensorStep { state, reward, terminated })
    }

    fn observe(&self, state: &Tensor) -> Result<Tensor> {
        Ok(state.clone())
    }
}
