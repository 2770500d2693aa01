//! The car between two hills, as tensors.

use candle_core::{DType, Result, Tensor};
use uphill_envs::mountain_car::{FORCE, GOAL_POSITION, GRAVITY, MAX_POSITION, MAX_SPEED, MIN_POSITION, START};
use uphill_envs::{Env, MountainCar};

use super::classic::as_it_is;
use super::{Classic, TensorStep, between, columns};

impl Classic {
    /// The twin of [`MountainCar`]; its state is what is seen of it.
    ///
    /// One step from the same state is within 10⁻⁶ of the host's, whose state is f64, and 200 steps are within 10⁻⁴.
    #[must_use]
    pub fn mountain_car() -> Self {
        let spec = MountainCar::new().spec().clone();
        Self { spec, state_len: 2, start_draws: 1, start, step, observe: as_it_is }
    }
}

/// A position between the hills, at rest.
pub(super) fn start(uniform: &Tensor) -> Result<Tensor> {
    let position = between(uniform, START.0, START.1)?;
    Tensor::cat(&[&position, &position.zeros_like()?], 1)
}

/// Where a car comes to that gains so much velocity, and how fast it then is; the wall on the left takes all its speed.
pub(super) fn roll(position: &Tensor, velocity: &Tensor, gained: &Tensor) -> Result<[Tensor; 2]> {
    let velocity = (velocity + gained)?.clamp(-MAX_SPEED, MAX_SPEED)?;
    let position = (position + &velocity)?.clamp(MIN_POSITION, MAX_POSITION)?;
    let velocity = position.le(MIN_POSITION)?.where_cond(&velocity.relu()?, &velocity)?;
    Ok([position, velocity])
}

/// Whether a car is at the flag.
pub(super) fn is_there(position: &Tensor, velocity: &Tensor, goal: f64) -> Result<Tensor> {
    position.ge(goal)?.minimum(&velocity.ge(0.0)?)
}

fn step(state: &Tensor, action: &Tensor) -> Result<TensorStep> {
    let [position, velocity] = columns(state)?;
    let pull = ((&position * 3.0)?.cos()? * -GRAVITY)?;
    let gained = (action.to_dtype(DType::F32)?.affine(FORCE, -FORCE)? + pull)?;
    let [position, velocity] = roll(&position, &velocity, &gained)?;
    let terminated = is_there(&position, &velocity, GOAL_POSITION)?;
    let reward = position.ones_like()?.neg()?;
    Ok(TensorStep { state: Tensor::stack(&[position, velocity], 1)?, reward, terminated })
}
