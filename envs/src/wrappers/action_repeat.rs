//! Actions that are taken several times.

use super::as_within;
use crate::{Action, Env, EnvError, Spec, Step};

/// An environment that takes each action so many times, or until the episode ends, and returns the sum of the rewards: the frame
/// skip of Atari and of many control suites. Its limit is so many times shorter, rounded up, and a threshold of the environment is
/// none of this task's.
#[derive(Debug, Clone)]
pub struct ActionRepeat<E> {
    env: E,
    spec: Spec,
    times: u32,
}

impl<E: Env> ActionRepeat<E> {
    /// Takes each action of `env` so many times.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no time.
    pub fn new(env: E, times: u32) -> Result<Self, EnvError> {
        if times == 0 {
            let expected = "an action is taken at least once";
            return Err(EnvError::Option { name: "times", value: "0".into(), expected });
        }
        let max_episode_steps = env.spec().max_episode_steps.map(|limit| limit.div_ceil(times));
        let spec = Spec { max_episode_steps, reward_threshold: None, ..env.spec().clone() };
        Ok(Self { env, spec, times })
    }
}

impl<E: Env> Env for ActionRepeat<E> {
    as_within!(reset, save, action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let mut all = self.env.step(action, observation)?;
        for _ in 1..self.times {
            if all.end.ended() {
                break;
            }
            let step = self.env.step(action, observation)?;
            all = Step { reward: all.reward + step.reward, end: step.end };
        }
        Ok(all)
    }
}
