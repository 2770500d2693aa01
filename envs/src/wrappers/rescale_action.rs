//! Actions in another unit.

use super::as_within;
use super::clip_action::bounds;
use crate::{Action, Env, EnvError, Space, Spec, Step};

/// An environment whose continuous actions go from `low` to `high` in each dimension, in a straight line over the box within, as
/// Gymnasium's `RescaleAction`: a new policy tries about 1 to either side of 0.
#[derive(Debug, Clone)]
pub struct RescaleAction<E> {
    env: E,
    spec: Spec,
    low: f32,
    high: f32,
    within: Vec<f32>,
}

impl<E: Env> RescaleAction<E> {
    /// Takes actions from `low` to `high`, such as −1 to 1.
    ///
    /// # Errors
    /// [`EnvError::Option`] for actions that are no box, for a box without bounds, and unless `low` is less than `high` and both
    /// are finite.
    pub fn new(env: E, low: f32, high: f32) -> Result<Self, EnvError> {
        let (from, to) = bounds(env.spec(), "actions")?;
        if let Some((from, to)) = from.iter().zip(to).find(|(from, to)| !(from.is_finite() && to.is_finite())) {
            let expected = "a box without a bound has no scale";
            return Err(EnvError::Option { name: "actions", value: format!("{from} to {to}"), expected });
        }
        if !(low.is_finite() && high.is_finite() && low < high) {
            let expected = "the lower of two finite bounds comes first";
            return Err(EnvError::Option { name: "low, high", value: format!("{low}, {high}"), expected });
        }
        let action = Space::uniform_box(from.len(), low, high);
        let within = vec![0.0; from.len()];
        let spec = Spec { action, ..env.spec().clone() };
        Ok(Self { env, spec, low, high, within })
    }
}

impl<E: Env> Env for RescaleAction<E> {
    as_within!(reset, save, action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let numbers = self.spec.action.continuous(action)?;
        let (from, to) = bounds(self.env.spec(), "actions")?;
        for (within, (x, (from, to))) in self.within.iter_mut().zip(numbers.iter().zip(from.iter().zip(to))) {
            let share = (x - self.low) / (self.high - self.low);
            // Both borders are met exactly; what lies outside stays outside by as much.
            *within = share.mul_add(to - from, *from);
            *within = if share == 1.0 { *to } else { *within };
        }
        self.env.step(Action::Continuous(&self.within), observation)
    }
}
