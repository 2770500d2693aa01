//! `N` environments stepped together.

use crate::episodes::{Episodes, check_finite};
use crate::{Action, End, Env, EnvError, Spec};

/// The actions of `N` lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Actions<'a> {
    /// One index a lane, `[N]`.
    Discrete(&'a [u32]),
    /// `A` numbers a lane, `[N, A]` row by row.
    Continuous(&'a [f32]),
}

impl<'a> Actions<'a> {
    /// The action of lane `i` of `lanes`.
    #[inline]
    pub(crate) fn lane(self, i: usize, lanes: usize) -> Action<'a> {
        match self {
            Actions::Discrete(a) => Action::Discrete(a[i]),
            Actions::Continuous(a) => {
                let width = a.len() / lanes;
                Action::Continuous(&a[i * width..(i + 1) * width])
            }
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

    /// Steps every lane that is `active` (`[N]`); the others stay as they are and nothing of theirs is written.
    ///
    /// # Errors
    /// [`EnvError::Length`] for a slice of another size, [`EnvError::Lane`] for what a lane refused or returned,
    /// a NaN or infinite reward or observation among them. An action outside its space is found before any lane moves;
    /// after any other error in a lane, some have moved and the vector needs a reset.
    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError>;
}

/// Any [`Env`], `N` times.
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
}

impl<E: Env> VecEnv for Lanes<E> {
    fn spec(&self) -> &Spec {
        self.episodes.spec()
    }

    fn lanes(&self) -> usize {
        self.envs.len()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.episodes.reset(seed, observation, |lane, seed, row| self.envs[lane].reset(seed, row))
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], mut out: Transitions<'_>) -> Result<(), EnvError> {
        self.episodes.check(actions, active, &out)?;
        let (n, d) = (self.lanes(), self.spec().observation_len());
        for (i, env) in self.envs.iter_mut().enumerate().filter(|&(i, _)| active[i]) {
            let row = &mut out.observation[i * d..(i + 1) * d];
            let stepped = env.step(actions.lane(i, n), row).and_then(|step| {
                check_finite(row, step.reward)?;
                Ok(step)
            });
            let step = stepped.map_err(|e| self.episodes.in_lane(i, e))?;
            out.reward[i] = step.reward;
            out.end[i] = step.end;
            self.episodes.elapsed[i] += 1;
            if step.end.ended() {
                self.episodes.restart(i, &mut out, |row| env.reset(None, row))?;
            }
        }
        Ok(())
    }
}
