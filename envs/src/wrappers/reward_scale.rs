//! Rewards times a number.

use super::as_within;
use crate::{Action, Env, EnvError, Spec, Step};

/// An environment whose rewards are multiplied by a number; its threshold, too.
#[derive(Debug, Clone)]
pub struct RewardScale<E> {
    env: E,
    spec: Spec,
    factor: f32,
}

impl<E: Env> RewardScale<E> {
    /// Multiplies the rewards of `env`.
    ///
    /// # Errors
    /// [`EnvError::Option`] unless the factor is finite and above 0.
    pub fn new(env: E, factor: f32) -> Result<Self, EnvError> {
        if !(factor.is_finite() && factor > 0.0) {
            let expected = "a finite number above 0: the best policy stays the best";
            return Err(EnvError::Option { name: "factor", value: factor.to_string(), expected });
        }
        let reward_threshold = env.spec().reward_threshold.map(|threshold| threshold * f64::from(factor));
        let spec = Spec { reward_threshold, ..env.spec().clone() };
        Ok(Self { env, spec, factor })
    }
}

impl<E: Env> Env for RewardScale<E> {
    as_within!(reset, save, action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        Ok(Step { reward: step.reward * self.factor, ..step })
    }
}
