//! Two links that hang from a joint, as tensors.

use candle_core::{DType, Result, Tensor};
use uphill_envs::acrobot::{CENTRE, GRAVITY, MAX_VELOCITY, START_RANGE, TAU};
use uphill_envs::{Acrobot, Env};

use super::pendulum::wrapped;
use super::{Classic, TensorStep, between, columns};

impl Classic {
    /// The twin of [`Acrobot`]; its state is both angles and their velocities.
    ///
    /// One step from the same state is within 10⁻⁴ of the host's, whose state is f64. Its motion is chaotic: after some 50 steps nothing is
    /// left of where it was.
    #[must_use]
    pub fn acrobot() -> Self {
        let spec = Acrobot::new().spec().clone();
        Self { spec, state_len: 4, start_draws: 4, start, step, observe }
    }
}

/// How fast the two angles and their velocities change under a torque; lengths, masses and moments of inertia are 1.
fn derivative(state: &[Tensor; 4], torque: &Tensor) -> Result<[Tensor; 4]> {
    let [theta1, theta2, dtheta1, dtheta2] = state;
    let (sin2, cos2) = ((theta2.sin()? * CENTRE)?, (theta2.cos()? * CENTRE)?);
    let d1 = cos2.affine(2.0, 3.0 + 2.0 * CENTRE * CENTRE)?;
    let d2 = cos2.affine(1.0, 1.0 + CENTRE * CENTRE)?;
    // cos(θ − π/2) is sin θ.
    let phi2 = ((theta1 + theta2)?.sin()? * (CENTRE * GRAVITY))?;
    let whirl = ((dtheta2.sqr()? + ((dtheta2 * dtheta1)? * 2.0)?)? * &sin2)?;
    let phi1 = (((theta1.sin()? * ((1.0 + CENTRE) * GRAVITY))? - whirl)? + &phi2)?;
    let pushed = ((((torque + ((&d2 / &d1)? * &phi1)?)? - (dtheta1.sqr()? * &sin2)?)?) - phi2)?;
    let ddtheta2 = (pushed / (d2.sqr()? / &d1)?.affine(-1.0, 1.0 + CENTRE * CENTRE)?)?;
    let ddtheta1 = (((d2 * &ddtheta2)? + phi1)? / d1)?.neg()?;
    Ok([dtheta1.clone(), dtheta2.clone(), ddtheta1, ddtheta2])
}

/// `xᵢ + s·kᵢ` of each of four.
fn along(x: &[Tensor; 4], slope: &[Tensor; 4], s: f64) -> Result<[Tensor; 4]> {
    let at = |i: usize| &x[i] + (&slope[i] * s)?;
    Ok([at(0)?, at(1)?, at(2)?, at(3)?])
}

/// One step of the classical Runge-Kutta method.
fn runge_kutta(state: &[Tensor; 4], torque: &Tensor) -> Result<[Tensor; 4]> {
    let k1 = derivative(state, torque)?;
    let k2 = derivative(&along(state, &k1, TAU / 2.0)?, torque)?;
    let k3 = derivative(&along(state, &k2, TAU / 2.0)?, torque)?;
    let k4 = derivative(&along(state, &k3, TAU)?, torque)?;
    let slope = along(&along(&along(&k1, &k2, 2.0)?, &k3, 2.0)?, &k4, 1.0)?;
    along(state, &slope, TAU / 6.0)
}

fn start(uniform: &Tensor) -> Result<Tensor> {
    between(uniform, -START_RANGE, START_RANGE)
}

fn step(state: &Tensor, action: &Tensor) -> Result<TensorStep> {
    let torque = action.to_dtype(DType::F32)?.affine(1.0, -1.0)?;
    let [theta1, theta2, dtheta1, dtheta2] = runge_kutta(&columns(state)?, &torque)?;
    let (theta1, theta2) = (wrapped(&theta1)?, wrapped(&theta2)?);
    let [max1, max2] = MAX_VELOCITY;
    let height = (theta1.cos()? + (&theta1 + &theta2)?.cos()?)?.neg()?;
    let terminated = height.gt(1.0)?;
    let reward = terminated.to_dtype(DType::F32)?.affine(1.0, -1.0)?;
    let state = Tensor::stack(&[theta1, theta2, dtheta1.clamp(-max1, max1)?, dtheta2.clamp(-max2, max2)?], 1)?;
    Ok(TensorStep { state, reward, terminated })
}

fn observe(state: &Tensor) -> Result<Tensor> {
    let [theta1, theta2, dtheta1, dtheta2] = columns(state)?;
    Tensor::stack(&[theta1.cos()?, theta1.sin()?, theta2.cos()?, theta2.sin()?, dtheta1, dtheta2], 1)
}
