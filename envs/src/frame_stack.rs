//! Environments that show their last observations together.

use crate::wrappers::as_within;
use crate::{Action, Env, EnvError, Space, Spec, Step};

/// An environment that shows its last `k` observations, the oldest first; before an episode has had so many, its first one stands for
/// those that are missing. Of boxes the numbers come one observation after the other; of images each pixel has the channels of
/// all, as Gymnasium's `FrameStackObservation` and its kin.
#[derive(Debug, Clone)]
pub struct FrameStack<E> {
    env: E,
    spec: Spec,
    /// Numbers of an observation that stay together: a pixel's channels, or all.
    run: usize,
    /// `[k, D]`, the oldest first.
    frames: Vec<f32>,
    newest: Vec<f32>,
}

impl<E: Env> FrameStack<E> {
    /// The most observations that are shown together.
    pub const MOST: usize = 64;
    /// The most numbers of all of them.
    pub const MOST_NUMBERS: usize = 1 << 26;

    /// Shows the last `k` observations of boxes or images.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no observation or more than [`MOST`](Self::MOST), for more than
    /// [`MOST_NUMBERS`](Self::MOST_NUMBERS), for those that are neither, and for several where an episode has one step.
    pub fn new(env: E, k: usize) -> Result<Self, EnvError> {
        let wrong = |value: String, expected| Err(EnvError::Option { name: "frame_stack", value, expected });
        if !(1..=Self::MOST).contains(&k) {
            return wrong(k.to_string(), "it must be 1 to 64 observations");
        }
        if k > 1 && env.spec().max_episode_steps == Some(1) {
            return wrong(k.to_string(), "episodes of one step have one observation; leave it out");
        }
        let d = env.spec().observation_len();
        if k.saturating_mul(d) > Self::MOST_NUMBERS {
            return wrong(format!("{k} of {d} numbers"), "all observations together have 67108864 numbers at most");
        }
        let (observation, run) = match &env.spec().observation {
            Space::Box { low, high } => (Space::Box { low: low.repeat(k), high: high.repeat(k) }, d),
            &Space::Image { height, width, channels, max } => {
                (Space::Image { height, width, channels: k.saturating_mul(channels), max }, channels)
            }
            other => return wrong(format!("{k} of {}", other.kind()), "observations of boxes and images are stacked"),
        };
        let spec = Spec { observation, ..env.spec().clone() };
        Ok(Self { env, spec, run, frames: vec![0.0; k * d], newest: vec![0.0; d] })
    }

    /// Writes all frames, the runs of each place side by side.
    fn show(&self, observation: &mut [f32]) {
        let (d, k) = (self.newest.len(), self.frames.len() / self.newest.len().max(1));
        for (place, to) in observation.chunks_exact_mut(self.run * k).enumerate() {
            for (to, frame) in to.chunks_exact_mut(self.run).zip(self.frames.chunks_exact(d)) {
                to.copy_from_slice(&frame[place * self.run..][..self.run]);
            }
        }
    }

    /// Fills all frames with the first observation of an episode.
    fn begin(
        &mut self,
        observation: &mut [f32],
        reset: impl FnOnce(&mut E, &mut [f32]) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.frames.len(), observation.len())?;
        reset(&mut self.env, &mut self.newest)?;
        self.frames.chunks_exact_mut(self.newest.len()).for_each(|frame| frame.copy_from_slice(&self.newest));
        self.show(observation);
        Ok(())
    }
}

impl<E: Env> Env for FrameStack<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(observation, |env, newest| env.reset(seed, newest))
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(observation, |env, newest| env.reset_wide(seed, newest))
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.frames.len(), observation.len())?;
        let step = self.env.step(action, &mut self.newest)?;
        let d = self.newest.len();
        self.frames.copy_within(d.., 0);
        let last = self.frames.len() - d;
        self.frames[last..].copy_from_slice(&self.newest);
        self.show(observation);
        Ok(step)
    }

    /// The frames, two numbers a word, then the environment's own.
    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        state.extend(self.frames.chunks(2).map(|two| {
            let bits = |i: usize| u64::from(two.get(i).map_or(0, |x| x.to_bits()));
            bits(1) << 32 | bits(0)
        }));
        let saved = self.env.save(state);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let Some((frames, inner)) = state.split_at_checked(self.frames.len().div_ceil(2)) else {
            return Err(EnvError::Saved { problem: "it is of fewer or smaller observations" });
        };
        self.env.restore(inner)?;
        for (two, &word) in self.frames.chunks_mut(2).zip(frames) {
            let halves = [word as u32, (word >> 32) as u32];
            two.iter_mut().zip(halves).for_each(|(to, bits)| *to = f32::from_bits(bits));
        }
        Ok(())
    }

    as_within!(action_mask, draw);
}
