//! The car between two hills that is pushed as hard as one likes, as tensors.

use candle_core::{DType, Result, Tensor};
use uphill_envs::mountain_car::GRAVITY;
use uphill_envs::mountain_car_continuous::{GOAL_POSITION, MAX_FORCE, POWER};
use uphill_envs::{Env, MountainCarContinuous};

use super::classic::as_it_is;
use super::mountain_car::{is_there, roll, start};
use super::{Classic, TensorStep, columns};

impl Classic {
    /// The twin of [`MountainCarContinuous`]; its state is what is seen of it.
    ///
    /// One step from the same state is within 10⁻⁶ of the host's, which takes an episode's first step in f64, and 200 steps are within 10⁻⁴.
    #[must_use]
    pub fn mountain_car_continuous() -> Self {
        let spec = MountainCarContinuous::new().spec().clone();
        Self { spec, state_len: 2, start_draws: 1, start, step, observe: as_it_is }
    }
}

fn step(state: &Tensor, action: &Tensor) -> Result<TensorStep> {
    let [position, velocity] = columns(state)?;
    let push = action.squeeze(1)?;
    let pull = ((&position * 3.0)?.cos()? * GRAVITY)?;
    let gained = ((push.clamp(-MAX_FORCE, MAX_FORCE)? * POWER)? - pull)?;
    let [position, velocity] = roll(&position, &velocity, &gained)?;
    let terminated = is_there(&position, &velocity, f64::from(GOAL_POSITION))?;
    let reward = ((terminated.to_dtype(DType::F32)? * 100.0)? - (push.sqr()? * 0.1)?)?;
    Ok(TensorStep { state: Tensor::stack(&[position, velocity], 1)?, reward, terminated })
}
