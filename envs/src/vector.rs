//! `N` environments stepped together.

use crate::episodes::{Episodes, caught, check_returned, restart};
use crate::time_limit::cut;
use crate::{Action, End, Env, EnvError, Space, Spec};

/// The actions of `N` lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Actions<'a> {
    /// Indices, one a lane, `[N]`, or one a component of each lane's action, `[N, K]` row by row.
    Discrete(&'a [u32]),
    /// `A` numbers a lane, `[N, A]` row by row.
    Continuous(&'a [f32]),
}

impl<'a> Actions<'a> {
    /// The action of lane `i`, in a space that they have the length for.
    ///
    /// # Panics
    /// If there are no numbers for that lane.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn lane(self, i: usize, space: &Space) -> Action<'a> {
        let width = space.flat_len();
        let places = i * width..(i + 1) * width;
        match (self, space) {
            (Actions::Discrete(a), Space::MultiDiscrete { .. } | Space::MultiBinary { .. }) => {
                Action::MultiDiscrete(&a[places])
            }
            (Actions::Discrete(a), _) => Action::Discrete(a[i]),
            (Actions::Continuous(a), _) => Action::Continuous(&a[places]),
        }
    }
}

/// Where one step of `N` lanes is written, `D` numbers an observation.
#[derive(Debug)]
pub struct Transitions<'a> {
    /// `[N, D]`: what each lane's next action answers to; after an end, the first observation of the next episode.
    pub observation: &'a mut [f32],
    /// `[N, D]`: the observation that the action led to, written only for lanes whose episode ended.
    pub final_observation: &'a mut [f32],
    /// `[N]`.
    pub reward: &'a mut [f32],
    /// `[N]`.
    pub end: &'a mut [End],
}

/// A part of a step, for any thread.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Has every task done, on whichever threads, and returns when all are.
pub type Spread<'a> = &'a dyn Fn(Vec<Task<'_>>);

/// `N` environments of one kind, reset automatically in the step that ends an episode.
pub trait VecEnv: Send {
    /// What each lane is.
    fn spec(&self) -> &Spec;

    /// `N`.
    fn lanes(&self) -> usize;

    /// Starts an episode in every lane and writes the first observations, `[N, D]`. Lane `i` is seeded `seed + i`.
    ///
    /// # Errors
    /// [`EnvError::Length`] for a slice of another size, [`EnvError::Lane`] for what a lane refused or returned.
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// The same from a seed that may be past 64 bits: lanes that are several vectors are seeded on from vector to vector.
    /// The default hands smaller ones to [`reset`](VecEnv::reset).
    ///
    /// # Errors
    /// As [`reset`](VecEnv::reset); [`EnvError::Option`] for a seed that the environments do not take, of 2⁶⁴ or more by
    /// default.
    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.reset(Some(EnvError::narrow(seed)?), observation)
    }

    /// Steps every lane that is `active` (`[N]`); the others stay as they are and nothing of theirs is written.
    ///
    /// # Errors
    /// [`EnvError::Length`] for a slice of another size, [`EnvError::Lane`] for what a lane refused or returned,
    /// a NaN or infinite reward or observation among them, and an image's number that none may have. An action outside its space is found before any lane moves;
    /// after any other error in a lane, some have moved and the vector needs a reset.
    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError>;

    /// The same where lanes take long and other threads are at hand: what can be done side by side is handed to `spread` as
    /// tasks, and comes to what [`step`](VecEnv::step) comes to. The default steps as it always does; [`Lanes`] makes a task of
    /// each lane.
    ///
    /// # Errors
    /// As [`step`](VecEnv::step), of the first lane that failed; others may have moved.
    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        _spread: Spread<'_>,
    ) -> Result<(), EnvError> {
        self.step(actions, active, out)
    }

    /// Writes which choices are legal in each lane's present state, `[N, A]`, `A` of [`Space::choices`], and says whether it
    /// has; all are, the default. Lanes that tell them tell them in every state.
    ///
    /// # Errors
    /// [`EnvError::Lane`] around [`EnvError::NoLegalAction`] for a lane that is left none, [`EnvError::Length`] for a slice of
    /// another size.
    fn action_masks(&self, _masks: &mut [bool]) -> Result<bool, EnvError> {
        Ok(false)
    }

    /// Whether it keeps by itself what [`guarded`](crate::guarded) would see to; [`Lanes`] and [`Columns`](crate::Columns)
    /// do.
    fn is_guarded(&self) -> bool {
        false
    }

    /// Appends to `state` all that the next steps depend on, and says whether it has: a vector of environments that cannot
    /// tell their state, the default, leaves `state` as it is.
    fn save(&self, _state: &mut Vec<u64>) -> bool {
        false
    }

    /// Goes on from where a vector like this one was saved. The observations that its lanes stand at are the caller's.
    ///
    /// # Errors
    /// [`EnvError::Saved`], in [`EnvError::Lane`] where a lane refuses its part, for words that [`save`](VecEnv::save) of
    /// such a vector never leaves. The vector then needs a reset.
    fn restore(&mut self, _state: &[u64]) -> Result<(), EnvError> {
        Err(EnvError::Saved { problem: "these environments cannot be saved or restored" })
    }

    /// As [`save`](VecEnv::save), of one lane, so that it can go on among others.
    fn save_lane(&self, _lane: usize, _state: &mut Vec<u64>) -> bool {
        false
    }

    /// Has a lane go on from where any lane of environments of this kind was saved. The others stay as they are, and are to have
    /// been reset.
    ///
    /// # Errors
    /// As [`restore`](VecEnv::restore).
    fn restore_lane(&mut self, _lane: usize, _state: &[u64]) -> Result<(), EnvError> {
        Err(EnvError::Saved { problem: "lanes of these environments cannot be saved or restored one by one" })
    }
}

/// Any [`Env`], `N` times. Where their [`Spec`] has a limit, episodes are truncated at it, also those of environments that
/// are in no [`TimeLimit`](crate::TimeLimit).
#[derive(Debug)]
pub struct Lanes<E> {
    envs: Vec<E>,
    episodes: Episodes,
}

impl<E: Env> Lanes<E> {
    /// Lanes made of these environments, which are all of one kind.
    ///
    /// # Errors
    /// [`EnvError::Option`] without any environment, or of environments whose observations hold no number.
    pub fn new(envs: Vec<E>) -> Result<Self, EnvError> {
        let episodes = Episodes::new(envs.first().map(Env::spec), envs.len())?;
        Ok(Self { envs, episodes })
    }

    /// The environment of one lane.
    pub fn lane(&self, lane: usize) -> Option<&E> {
        self.envs.get(lane)
    }

    fn start(&mut self, seed: Option<u128>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.episodes.reset(seed, observation, |lane, seed, row| match seed {
            Some(seed) => self.envs[lane].reset_wide(seed, row),
            None => self.envs[lane].reset(None, row),
        })
    }
}

impl<E: Env> VecEnv for Lanes<E> {
    fn spec(&self) -> &Spec {
        self.episodes.spec()
    }

    fn lanes(&self) -> usize {
        self.envs.len()
    }

    fn is_guarded(&self) -> bool {
        true
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(seed.map(u128::from), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(Some(seed), observation)
    }

    fn action_masks(&self, masks: &mut [bool]) -> Result<bool, EnvError> {
        let choices = self.spec().action.choices();
        if choices == 0 {
            return Ok(false);
        }
        EnvError::check_len("action masks", self.lanes() * choices, masks.len())?;
        let mut lane = 0;
        let told = caught(|| {
            let mut any = false;
            for (i, (env, mask)) in self.envs.iter().zip(masks.chunks_exact_mut(choices)).enumerate() {
                lane = i;
                mask.fill(true);
                if env.action_mask(mask) {
                    any = true;
                    self.spec().action.check_mask(mask)?;
                }
            }
            Ok(any)
        });
        told.map_err(|e| self.episodes.in_lane(lane, e))
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], mut out: Transitions<'_>) -> Result<(), EnvError> {
        self.episodes.check(actions, active, &out)?;
        let d = self.spec().observation_len();
        // One guard around all lanes rather than one around each: a step may take no longer than a few nanoseconds.
        let mut lane = 0;
        let stepped = caught(|| {
            for (i, env) in self.envs.iter_mut().enumerate().filter(|&(i, _)| active[i]) {
                lane = i;
                let row = &mut out.observation[i * d..(i + 1) * d];
                let step = env.step(actions.lane(i, &self.episodes.spec().action), row)?;
                check_returned(&self.episodes.spec().observation, row, step.reward)?;
                self.episodes.elapsed[i] += 1;
                let end = step.end.or(cut(self.episodes.spec(), self.episodes.elapsed[i]));
                out.reward[i] = step.reward;
                out.end[i] = end;
                if end.ended() {
                    self.episodes.restart(i, &mut out, |row| env.reset(None, row))?;
                }
            }
            Ok(())
        });
        stepped.map_err(|e| self.episodes.in_lane(lane, e))
    }

    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        spread: Spread<'_>,
    ) -> Result<(), EnvError> {
        self.episodes.check(actions, active, &out)?;
        let (n, d) = (self.lanes(), self.spec().observation_len());
        let mut outcomes: Vec<Result<(), EnvError>> = active.iter().map(|_| Ok(())).collect();
        let (spec, elapsed) = self.episodes.all_lanes();
        let observations = out.observation.chunks_exact_mut(d).zip(out.final_observation.chunks_exact_mut(d));
        let ends = out.reward.chunks_exact_mut(1).zip(out.end.chunks_exact_mut(1));
        let lanes = self.envs.iter_mut().zip(elapsed).zip(observations.zip(ends)).zip(&mut outcomes);
        let mut tasks: Vec<Task<'_>> = Vec::with_capacity(n);
        for (i, (((env, elapsed), (observations, ends)), outcome)) in lanes.enumerate().filter(|&(i, _)| active[i]) {
            let ((observation, final_observation), (reward, end)) = (observations, ends);
            let action = actions.lane(i, &spec.action);
            let work = move || {
                let step = env.step(action, observation)?;
                check_returned(&spec.observation, observation, step.reward)?;
                *elapsed += 1;
                (reward[0], end[0]) = (step.reward, step.end.or(cut(spec, *elapsed)));
                if end[0].ended() {
                    let space = &spec.observation;
                    restart(space, elapsed, observation, final_observation, |row| env.reset(None, row))?;
                }
                Ok(())
            };
            tasks.push(Box::new(move || *outcome = caught(work)));
        }
        spread(tasks);
        let mut outcomes = outcomes.into_iter().enumerate();
        outcomes.try_for_each(|(lane, outcome)| outcome.map_err(|e| self.episodes.in_lane(lane, e)))
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        self.episodes.save(state);
        let saved = self.envs.iter().all(|env| {
            // Each lane's words, after their number.
            let place = state.len();
            state.push(0);
            let saved = env.save(state);
            state[place] = (state.len() - place - 1) as u64;
            saved
        });
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let mut rest = self.episodes.restore(state)?;
        for (i, env) in self.envs.iter_mut().enumerate() {
            let own = rest.split_first().and_then(|(&len, rest)| rest.split_at_checked(usize::try_from(len).ok()?));
            let (own, others) = own.ok_or(EnvError::Saved { problem: "it is of fewer lanes" })?;
            env.restore(own).map_err(|e| self.episodes.in_lane(i, e))?;
            rest = others;
        }
        if rest.is_empty() { Ok(()) } else { Err(EnvError::Saved { problem: "it is of more lanes" }) }
    }

    fn save_lane(&self, lane: usize, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        self.episodes.save_lane(lane, state);
        let saved = self.envs[lane].save(state);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore_lane(&mut self, lane: usize, state: &[u64]) -> Result<(), EnvError> {
        let own = self.episodes.restore_lane(lane, state)?;
        self.envs[lane].restore(own).map_err(|e| self.episodes.in_lane(lane, e))
    }
}
