//! What `Lanes` and `Columns` see to, for vectors of environments that others wrote.

use crate::episodes::{Episodes, all_finite, all_possible, caught, check_returned};
use crate::{Actions, EnvError, Spec, Spread, Transitions, VecEnv};

/// A vector of environments whose mistakes are errors: a NaN or infinite observation or reward, a number that an image may not
/// hold, a panic, an episode past the
/// limit of its [`Spec`]. Each names environment, lane, seed and step, or all lanes where nobody knows which it was.
///
/// It also refuses slices of a wrong length and actions outside their space before the vector within sees them.
pub struct Guarded {
    env: Box<dyn VecEnv>,
    episodes: Episodes,
    /// Steps since the last reset.
    steps: u64,
}

/// The same vector, guarded where it does not [guard itself](VecEnv::is_guarded).
///
/// # Errors
/// [`EnvError::Option`] for a vector without a lane, or of observations that hold no number, [`EnvError::Panicked`].
pub fn guarded(env: Box<dyn VecEnv>) -> Result<Box<dyn VecEnv>, EnvError> {
    if env.is_guarded() { Ok(env) } else { Ok(Box::new(Guarded::new(env)?)) }
}

impl Guarded {
    /// Guards a vector.
    ///
    /// # Errors
    /// As [`guarded`].
    pub fn new(env: Box<dyn VecEnv>) -> Result<Self, EnvError> {
        let episodes = caught(|| Episodes::new(Some(env.spec()), env.lanes()))?;
        Ok(Self { env, episodes, steps: 0 })
    }

    /// An error with all that is known of where it happened.
    fn somewhere(&self, source: EnvError) -> EnvError {
        match (source, self.lanes()) {
            (known @ (EnvError::Lane { .. } | EnvError::Lanes { .. }), _) => known,
            (source, 1) => self.episodes.in_lane(0, source),
            (source, lanes) => EnvError::Lanes {
                id: self.spec().id.clone(),
                first: 0,
                last: lanes - 1,
                seed: self.episodes.seed(0),
                step: self.steps,
                source: Box::new(source),
            },
        }
    }

    /// Starts an episode in every lane, as `reset` does it.
    fn start(
        &mut self,
        seed: Option<u128>,
        observation: &mut [f32],
        reset: impl FnOnce(&mut dyn VecEnv, &mut [f32]) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        let d = self.spec().observation_len();
        EnvError::check_len("observation", self.lanes() * d, observation.len())?;
        self.episodes.begin(seed);
        self.steps = 0;
        caught(|| reset(&mut *self.env, observation)).map_err(|e| self.somewhere(e))?;
        let mut rows = observation.chunks_exact(d).enumerate();
        rows.try_for_each(|(lane, row)| {
            check_returned(&self.spec().observation, row, 0.0).map_err(|e| self.episodes.in_lane(lane, e))
        })
    }

    /// Steps every lane, as `step` does it.
    fn advance(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        step: impl FnOnce(&mut dyn VecEnv, Transitions<'_>) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        self.episodes.check(actions, active, &out)?;
        let Transitions { observation, final_observation, reward, end } = out;
        let given = Transitions {
            observation: &mut *observation,
            final_observation: &mut *final_observation,
            reward: &mut *reward,
            end: &mut *end,
        };
        caught(|| step(&mut *self.env, given)).map_err(|e| self.somewhere(e))?;
        let out = Transitions { observation, final_observation, reward, end };
        let possible = all_possible(&self.spec().observation, out.observation) && all_finite(out.reward);
        for lane in (0..active.len()).filter(|&lane| active[lane]) {
            let ended = out.end[lane].ended();
            if !possible || ended {
                self.check_lane(lane, &out).map_err(|e| self.episodes.in_lane(lane, e))?;
            }
            let elapsed = self.episodes.elapsed[lane] + 1;
            self.episodes.elapsed[lane] = if ended { 0 } else { elapsed };
            match self.spec().max_episode_steps {
                Some(limit) if elapsed > limit || elapsed == limit && !ended => {
                    return Err(self.episodes.in_lane(lane, EnvError::PastLimit { limit }));
                }
                _ => {}
            }
        }
        self.steps += 1;
        Ok(())
    }

    /// Refuses what a step of one lane must not leave behind.
    fn check_lane(&self, lane: usize, out: &Transitions<'_>) -> Result<(), EnvError> {
        let (d, space) = (self.spec().observation_len(), &self.spec().observation);
        let row = lane * d..(lane + 1) * d;
        if out.end[lane].ended() {
            check_returned(space, &out.final_observation[row.clone()], out.reward[lane])?;
        }
        check_returned(space, &out.observation[row], out.reward[lane])
    }
}

impl VecEnv for Guarded {
    fn spec(&self) -> &Spec {
        self.episodes.spec()
    }

    fn lanes(&self) -> usize {
        self.episodes.lanes()
    }

    fn is_guarded(&self) -> bool {
        true
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(seed.map(u128::from), observation, |env, observation| env.reset(seed, observation))
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(Some(seed), observation, |env, observation| env.reset_wide(seed, observation))
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        self.advance(actions, active, out, |env, out| env.step(actions, active, out))
    }

    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        spread: Spread<'_>,
    ) -> Result<(), EnvError> {
        self.advance(actions, active, out, |env, out| env.step_spread(actions, active, out, spread))
    }

    fn action_masks(&self, masks: &mut [bool]) -> Result<bool, EnvError> {
        let choices = self.spec().action.choices();
        EnvError::check_len("action masks", self.lanes() * choices, masks.len())?;
        let told = caught(|| self.env.action_masks(masks)).map_err(|e| self.somewhere(e))?;
        if told && choices > 0 {
            let mut rows = masks.chunks_exact(choices).enumerate();
            let check = |(lane, mask): (usize, &[bool])| {
                self.spec().action.check_mask(mask).map_err(|e| self.episodes.in_lane(lane, e))
            };
            rows.try_for_each(check)?;
        }
        Ok(told)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        self.episodes.save(state);
        state.push(self.steps);
        let saved = caught(|| Ok(self.env.save(state))).unwrap_or(false);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let rest = self.episodes.restore(state)?;
        let Some((&steps, rest)) = rest.split_first() else {
            return Err(EnvError::Saved { problem: "it is of fewer lanes" });
        };
        self.steps = steps;
        caught(|| self.env.restore(rest)).map_err(|e| self.somewhere(e))
    }

    fn save_lane(&self, lane: usize, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        self.episodes.save_lane(lane, state);
        let saved = caught(|| Ok(self.env.save_lane(lane, state))).unwrap_or(false);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore_lane(&mut self, lane: usize, state: &[u64]) -> Result<(), EnvError> {
        let rest = self.episodes.restore_lane(lane, state)?;
        caught(|| self.env.restore_lane(lane, rest)).map_err(|e| self.episodes.in_lane(lane, e))
    }
}
