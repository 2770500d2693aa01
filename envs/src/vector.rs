//! `N` environments stepped together. Auto-reset is written here, once.

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
    fn lane(self, i: usize, lanes: usize) -> Action<'a> {
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
    /// after any other error in a lane, those before it have moved and the vector needs a reset.
    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError>;
}

/// Any [`Env`], `N` times.
#[derive(Debug)]
pub struct Lanes<E> {
    envs: Vec<E>,
    seeds: Vec<Option<u64>>,
    elapsed: Vec<u32>,
    spec: Spec,
}

impl<E: Env> Lanes<E> {
    /// Lanes made of these environments, which are all of one kind.
    ///
    /// # Errors
    /// [`EnvError::Option`] without any environment, or of environments whose observations hold no number.
    pub fn new(envs: Vec<E>) -> Result<Self, EnvError> {
        let Some(first) = envs.first() else {
            return Err(EnvError::Option { name: "lanes", value: "0".into(), expected: "at least 1 lane" });
        };
        let spec = first.spec().clone();
        if spec.observation_len() == 0 {
            let expected = "at least 1 number in an observation";
            return Err(EnvError::Option { name: "observation length", value: "0".into(), expected });
        }
        let lanes = envs.len();
        Ok(Self { envs, seeds: vec![None; lanes], elapsed: vec![0; lanes], spec })
    }

    /// The environment of one lane.
    pub fn lane(&self, lane: usize) -> Option<&E> {
        self.envs.get(lane)
    }

    fn in_lane(&self, lane: usize, source: EnvError) -> EnvError {
        EnvError::Lane {
            id: self.spec.id.clone(),
            lane,
            seed: self.seeds[lane],
            step: self.elapsed[lane],
            source: Box::new(source),
        }
    }
}

impl<E: Env> VecEnv for Lanes<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.envs.len()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let d = self.spec.observation_len();
        EnvError::check_len("observation", self.lanes() * d, observation.len())?;
        for (i, row) in observation.chunks_exact_mut(d).enumerate() {
            if let Some(seed) = seed {
                self.seeds[i] = Some(seed.wrapping_add(i as u64));
            }
            self.elapsed[i] = 0;
            let lane_seed = seed.map(|s| s.wrapping_add(i as u64));
            let started = self.envs[i].reset(lane_seed, row).and_then(|()| check_finite(row));
            started.map_err(|e| self.in_lane(i, e))?;
        }
        Ok(())
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        let (n, d) = (self.lanes(), self.spec.observation_len());
        EnvError::check_len("active", n, active.len())?;
        EnvError::check_len("observation", n * d, out.observation.len())?;
        EnvError::check_len("final_observation", n * d, out.final_observation.len())?;
        EnvError::check_len("reward", n, out.reward.len())?;
        EnvError::check_len("end", n, out.end.len())?;
        match actions {
            Actions::Discrete(a) => EnvError::check_len("actions", n, a.len())?,
            Actions::Continuous(a) => EnvError::check_len("actions", n * self.spec.action.flat_len(), a.len())?,
        }
        // All actions are looked at before any lane moves, so that a refused call leaves every lane as it was.
        for i in (0..n).filter(|&i| active[i]) {
            self.spec.action.check(actions.lane(i, n)).map_err(|e| self.in_lane(i, e))?;
        }
        for i in (0..n).filter(|&i| active[i]) {
            let row = &mut out.observation[i * d..(i + 1) * d];
            let stepped = self.envs[i].step(actions.lane(i, n), row).and_then(|step| {
                check_finite(row)?;
                if !step.reward.is_finite() {
                    return Err(EnvError::NotFinite { what: "reward".into(), value: step.reward });
                }
                Ok(step)
            });
            let step = stepped.map_err(|e| self.in_lane(i, e))?;
            out.reward[i] = step.reward;
            out.end[i] = step.end;
            self.elapsed[i] += 1;
            if step.end.ended() {
                out.final_observation[i * d..(i + 1) * d].copy_from_slice(row);
                self.elapsed[i] = 0;
                let started = self.envs[i].reset(None, row).and_then(|()| check_finite(row));
                started.map_err(|e| self.in_lane(i, e))?;
            }
        }
        Ok(())
    }
}

fn check_finite(observation: &[f32]) -> Result<(), EnvError> {
    match observation.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(i) => Err(EnvError::NotFinite { what: format!("observation[{i}]"), value: observation[i] }),
    }
}
