//! The one thing that truncates episodes.

use crate::episodes::saved_length;
use crate::wrappers::as_within;
use crate::{Action, End, Env, EnvError, Spec, Step};

/// An environment whose episodes are cut off after `max_episode_steps` steps, as Gymnasium's `TimeLimit`.
///
/// A step that both reaches a terminal state and the limit is [`End::Terminated`].
#[derive(Debug, Clone)]
pub struct TimeLimit<E> {
    env: E,
    spec: Spec,
    elapsed: u32,
}

impl<E: Env> TimeLimit<E> {
    /// Limits episodes of `env` to the `max_episode_steps` of its own [`Spec`]; without one they run until they terminate.
    pub fn new(env: E) -> Self {
        let spec = env.spec().clone();
        Self { env, spec, elapsed: 0 }
    }

    /// The same with another limit, where a threshold of the environment is none of this task's.
    ///
    /// # Errors
    /// [`EnvError::Option`] for a limit of zero.
    pub fn with_limit(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        if max_episode_steps == 0 {
            return Err(EnvError::Option {
                name: "max_episode_steps",
                value: "0".into(),
                expected: "an episode takes at least 1 step",
            });
        }
        let mut limited = Self::new(env);
        if limited.spec.max_episode_steps != Some(max_episode_steps) {
            limited.spec.max_episode_steps = Some(max_episode_steps);
            limited.spec.reward_threshold = None;
        }
        Ok(limited)
    }

    /// The same under a name of its own, so that nobody takes it for the environment within.
    ///
    /// # Errors
    /// [`EnvError::Option`] for what is [no name](Spec::check_id).
    pub fn named(mut self, id: &str) -> Result<Self, EnvError> {
        Spec::check_id(id)?;
        self.spec.id = id.into();
        Ok(self)
    }

    /// The environment within.
    pub fn inner(&self) -> &E {
        &self.env
    }
}

impl<E: Env> Env for TimeLimit<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.elapsed = 0;
        Ok(())
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset_wide(seed, observation)?;
        self.elapsed = 0;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        // A truncated environment does not know that its episode is over; this wrapper does.
        if cut(&self.spec, self.elapsed).ended() {
            return Err(EnvError::NeedsReset);
        }
        let mut step = self.env.step(action, observation)?;
        self.elapsed += 1;
        step.end = step.end.or(cut(&self.spec, self.elapsed));
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.elapsed.into());
        let saved = self.env.save(state);
        if !saved {
            state.pop();
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let Some((elapsed, inner)) = state.split_first() else {
            return Err(EnvError::Saved { problem: "there is nothing in it" });
        };
        self.elapsed = saved_length(*elapsed)?;
        self.env.restore(inner)
    }

    as_within!(action_mask, draw);
}

/// What the limit of `spec` does to an episode that has taken `elapsed` steps; every truncation comes from here.
#[inline]
pub(crate) fn cut(spec: &Spec, elapsed: u32) -> End {
    if spec.max_episode_steps.is_some_and(|limit| elapsed >= limit) { End::Truncated } else { End::Not }
}
