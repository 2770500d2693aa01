//! Pictures of episodes.

use super::as_within;
use crate::{Action, Drawing, Env, EnvError, Spec, Step};

/// An environment that keeps the pictures of every so many-th episode, for an animation: `uphill::render::write_gif` writes
/// what [`take`](Recording::take) gives.
#[derive(Debug, Clone)]
pub struct Recording<E> {
    env: E,
    every: u64,
    most: usize,
    episode: u64,
    frames: Vec<Drawing>,
}

impl<E: Env> Recording<E> {
    /// Records the first episode of `env` and every `every`-th after it, each up to `most` pictures.
    ///
    /// # Errors
    /// [`EnvError::Option`] for every 0th; what [`Env::prepare_picture`] fails with, unless it is that there is no picture.
    pub fn new(mut env: E, every: u64, most: usize) -> Result<Self, EnvError> {
        if every == 0 {
            let expected = "every 1st, 2nd, 3rd… episode is recorded";
            return Err(EnvError::Option { name: "every", value: "0".into(), expected });
        }
        if_seen(env.prepare_picture())?;
        Ok(Self { env, every, most, episode: 0, frames: Vec::new() })
    }

    /// The pictures of the episode that was recorded last, its first state's first; they are kept no longer. Empty where there is
    /// no picture, or none yet.
    pub fn take(&mut self) -> Vec<Drawing> {
        std::mem::take(&mut self.frames)
    }

    /// The environment within.
    pub fn inner(&self) -> &E {
        &self.env
    }

    fn begin(&mut self) -> Result<(), EnvError> {
        if !self.is_recorded() {
            return Ok(());
        }
        self.frames.clear();
        self.look()
    }

    fn is_recorded(&self) -> bool {
        self.episode.is_multiple_of(self.every)
    }

    fn look(&mut self) -> Result<(), EnvError> {
        if self.frames.len() < self.most {
            self.frames.extend(if_seen(self.env.picture())?);
        }
        Ok(())
    }
}

/// What came of looking at an environment; nothing of one that has no picture.
fn if_seen<T>(looked: Result<T, EnvError>) -> Result<Option<T>, EnvError> {
    match looked {
        Err(EnvError::NoPicture { .. }) => Ok(None),
        looked => looked.map(Some),
    }
}

impl<E: Env> Env for Recording<E> {
    as_within!(save, action_mask, draw);

    fn spec(&self) -> &Spec {
        self.env.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.begin()
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset_wide(seed, observation)?;
        self.begin()
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        if self.is_recorded() {
            self.look()?;
        }
        self.episode += u64::from(step.end.ended());
        Ok(step)
    }
}
