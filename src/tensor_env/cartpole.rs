//! The pole on a cart, as tensors.

use candle_core::{DType, Result, Tensor};
use uphill_envs::cartpole::{
    ANGLE_LIMIT, FORCE, GRAVITY, HALF_LENGTH, POLE_MASS, POLE_MASS_LENGTH, POSITION_LIMIT, START_RANGE, TAU, TOTAL_MASS,
};
use uphill_envs::{CartPole, Env};

use super::classic::as_it_is;
use super::{Classic, TensorStep, between, columns};

impl Classic {
    /// The twin of [`CartPole`]; its state is what is seen of it.
    ///
    /// One step from the same state is within 2·10⁻⁶ of the host's, whose state is f64. A falling pole magnifies the difference: an episode of
    /// some 20 steps is within 10⁻⁴.
    #[must_use]
    pub fn cart_pole() -> Self {
        let spec = CartPole::new().spec().clone();
        Self { spec, state_len: 4, start_draws: 4, start, step, observe: as_it_is }
    }
}

fn start(uniform: &Tensor) -> Result<Tensor> {
    between(uniform, -START_RANGE, START_RANGE)
}

fn step(state: &Tensor, action: &Tensor) -> Result<TensorStep> {
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
