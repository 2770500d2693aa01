//! What episodes came to.

use super::as_within;
use crate::episodes::saved_length;
use crate::{Action, End, Env, EnvError, Spec, Step};

/// An environment that counts: the undiscounted return and the steps of each episode that ended, as Gymnasium's
/// `RecordEpisodeStatistics`. It keeps the last ones, as many as it is asked to.
#[derive(Debug, Clone)]
pub struct EpisodeStatistics<E> {
    env: E,
    most: usize,
    episodes: Vec<Played>,
    so_far: (f64, u32),
}

/// An episode that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// The sum of its rewards. One that was truncated would have gone on.
    pub total: f64,
    /// Its steps.
    pub steps: u32,
    /// How it ended.
    pub end: End,
}

impl<E: Env> EpisodeStatistics<E> {
    /// Counts in `env`, and keeps the last `most` episodes.
    pub fn new(env: E, most: usize) -> Self {
        Self { env, most, episodes: Vec::new(), so_far: (0.0, 0) }
    }

    /// The last episodes that ended, the latest last.
    #[must_use]
    pub fn episodes(&self) -> &[Played] {
        &self.episodes
    }

    /// The sum of rewards and the steps of the episode that goes on.
    #[must_use]
    pub fn so_far(&self) -> (f64, u32) {
        self.so_far
    }

    /// The environment within.
    pub fn inner(&self) -> &E {
        &self.env
    }
}

impl<E: Env> Env for EpisodeStatistics<E> {
    as_within!(action_mask, draw);

    fn spec(&self) -> &Spec {
        self.env.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.so_far = (0.0, 0);
        Ok(())
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset_wide(seed, observation)?;
        self.so_far = (0.0, 0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        self.so_far.0 += f64::from(step.reward);
        self.so_far.1 = self.so_far.1.saturating_add(1);
        if step.end.ended() && self.most > 0 {
            if self.episodes.len() == self.most {
                self.episodes.remove(0);
            }
            self.episodes.push(Played { total: self.so_far.0, steps: self.so_far.1, end: step.end });
        }
        Ok(step)
    }

    /// The episode that goes on, then the environment's own; those that ended are not kept.
    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        state.extend([self.so_far.0.to_bits(), self.so_far.1.into()]);
        let saved = self.env.save(state);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let Some((&[total, steps], within)) = state.split_first_chunk() else {
            return Err(EnvError::Saved { problem: "it has no sum of rewards and no steps" });
        };
        let steps = saved_length(steps)?;
        self.env.restore(within)?;
        self.so_far = (f64::from_bits(total), steps);
        Ok(())
    }
}
