//! Observations that tell the time.

use super::as_within;
use crate::episodes::saved_length;
use crate::{Action, Env, EnvError, Space, Spec, Step};

/// An environment whose observation has one more number: the share of the time limit that has gone by, 0 at the start and 1 at the
/// limit, as Gymnasium's `TimeAwareObservation`. Where an end by the limit is a part of the task, a policy has to see it come.
#[derive(Debug, Clone)]
pub struct TimeAware<E> {
    env: E,
    spec: Spec,
    limit: u32,
    elapsed: u32,
}

impl<E: Env> TimeAware<E> {
    /// Shows the time of `env`.
    ///
    /// # Errors
    /// [`EnvError::Option`] for observations that are no box, and without a limit.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let Space::Box { low, high } = &env.spec().observation else {
            let (value, expected) = (
                env.spec().observation.kind().into(),
                "the time is added to a box: `flatten` makes one of an image, `one_hot` of choices",
            );
            return Err(EnvError::Option { name: "observations", value, expected });
        };
        let Some(limit) = env.spec().max_episode_steps else {
            let expected = "the time is a share of the limit: give the environment one";
            return Err(EnvError::Option { name: "max_episode_steps", value: "none".into(), expected });
        };
        let with = |bounds: &[f32], bound: f32| bounds.iter().copied().chain([bound]).collect();
        let observation = Space::Box { low: with(low, 0.0), high: with(high, 1.0) };
        let spec = Spec { observation, ..env.spec().clone() };
        Ok(Self { env, spec, limit, elapsed: 0 })
    }

    /// The observation within, and the number after it.
    fn split<'a>(&self, observation: &'a mut [f32]) -> Result<(&'a mut [f32], &'a mut f32), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        match observation.split_last_mut() {
            Some((time, within)) => Ok((within, time)),
            None => Err(EnvError::Length { what: "observation", expected: 1, got: 0 }),
        }
    }
}

impl<E: Env> Env for TimeAware<E> {
    as_within!(action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let (within, time) = self.split(observation)?;
        self.env.reset(seed, within)?;
        (*time, self.elapsed) = (0.0, 0);
        Ok(())
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        let (within, time) = self.split(observation)?;
        self.env.reset_wide(seed, within)?;
        (*time, self.elapsed) = (0.0, 0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let (within, time) = self.split(observation)?;
        let step = self.env.step(action, within)?;
        self.elapsed = self.elapsed.saturating_add(1);
        // Past the limit of an environment that nobody cuts off it is over.
        *time = (f64::from(self.elapsed) / f64::from(self.limit)).min(1.0) as f32;
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
        let Some((&elapsed, within)) = state.split_first() else {
            return Err(EnvError::Saved { problem: "there is nothing in it" });
        };
        let elapsed = saved_length(elapsed)?;
        self.env.restore(within)?;
        self.elapsed = elapsed;
        Ok(())
    }
}
