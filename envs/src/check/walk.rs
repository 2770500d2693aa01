//! Walks through an environment, and what is seen on them.

use super::Finding;
use super::choice;
use crate::episodes::caught;
use crate::owned_action::OwnedAction;
use crate::{Env, EnvError, NumpyRng, Space, Step};

/// What an observation is filled with before it is to be written: a NaN that nobody computes.
const UNWRITTEN: f32 = f32::from_bits(0x7fc5_1e4d);

/// Which generator actions are drawn from.
pub(super) const ACTIONS: u64 = 77;

/// One reset or step: what was asked, the bits of what was observed, and what a step returned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) call: String,
    pub(super) bits: Vec<u32>,
    pub(super) step: Option<(u32, crate::End)>,
}

/// An environment that is led through episodes.
pub(super) struct Walk {
    pub(super) env: Box<dyn Env>,
    observation: Vec<f32>,
    space: Space,
    rng: NumpyRng,
    /// The last reset in words, and the steps since.
    from: String,
    pub(super) steps: u32,
}

impl Walk {
    /// Begins with nothing done yet.
    pub(super) fn new(env: Box<dyn Env>, actions: u64) -> Self {
        let (space, d) = (env.spec().action.clone(), env.spec().observation_len());
        let rng = NumpyRng::new(actions);
        Self { env, observation: vec![UNWRITTEN; d], space, rng, from: "no reset".into(), steps: 0 }
    }

    /// The same walk in another environment, which is where this one is.
    pub(super) fn beside(&self, env: Box<dyn Env>) -> Self {
        let Self { observation, space, rng, from, steps, .. } = self;
        let (observation, space, rng, from) = (observation.clone(), space.clone(), rng.clone(), from.clone());
        Self { env, observation, space, rng, from, steps: *steps }
    }

    /// Where the walk is, in words.
    pub(super) fn place(&self) -> String {
        match self.steps {
            0 => format!("after {}", self.from),
            steps => format!("step {steps} after {}", self.from),
        }
    }

    pub(super) fn observation(&self) -> &[f32] {
        &self.observation
    }

    /// Starts an episode, and refuses what [`Walk::check`] refuses.
    pub(super) fn reset(&mut self, seed: Option<u64>) -> Result<Seen, Finding> {
        self.observation.fill(UNWRITTEN);
        self.from = format!("reset({seed:?})");
        self.steps = 0;
        let Self { env, observation, .. } = self;
        caught(|| env.reset(seed, observation)).map_err(|e| {
            let remedy = "an environment starts an episode from any seed below 2^64 and without one, in the midst of another, too";
            Finding::breach(format!("reset({seed:?}) failed: {}", said(&e)), remedy)
        })?;
        self.check()?;
        Ok(Seen { call: self.from.clone(), bits: self.bits(), step: None })
    }

    /// Takes an action drawn at random among those that are legal.
    pub(super) fn step(&mut self) -> Result<(Seen, Step), Finding> {
        let choice = self.choose()?;
        self.take(&choice)
    }

    pub(super) fn choose(&mut self) -> Result<OwnedAction, Finding> {
        let mut mask = vec![true; self.space.choices()];
        let told = !mask.is_empty() && self.tells(&mut mask)?;
        Ok(choice::random(&self.space, told.then_some(&mask), &mut self.rng))
    }

    /// Asks which choices are legal, and whether the environment has told.
    pub(super) fn tells(&self, mask: &mut [bool]) -> Result<bool, Finding> {
        caught(|| Ok(self.env.action_mask(mask))).map_err(|e| {
            let what = format!("action_mask failed, {}: {}", self.place(), said(&e));
            Finding::breach(what, "it writes Space::choices entries")
        })
    }

    /// Takes this action.
    pub(super) fn take(&mut self, choice: &OwnedAction) -> Result<(Seen, Step), Finding> {
        let answer = self.answer(choice);
        self.judge(choice, answer)
    }

    /// The same with an action that may be refused; `None` if it is.
    pub(super) fn take_or_refuse(&mut self, choice: &OwnedAction) -> Result<Option<(Seen, Step)>, Finding> {
        match self.answer(choice) {
            Err(e) if !matches!(e, EnvError::Panicked { .. }) => Ok(None),
            answer => self.judge(choice, answer).map(Some),
        }
    }

    fn answer(&mut self, choice: &OwnedAction) -> Result<Step, EnvError> {
        self.observation.fill(UNWRITTEN);
        self.steps += 1;
        let Self { env, observation, .. } = self;
        caught(|| env.step(choice.get(), observation))
    }

    fn judge(&self, choice: &OwnedAction, answer: Result<Step, EnvError>) -> Result<(Seen, Step), Finding> {
        let step = answer.map_err(|e| {
            let what = format!("action {choice} failed in {}: {}", self.place(), said(&e));
            Finding::breach(what, "every legal action of the action space can be taken until the episode ends")
        })?;
        self.check()?;
        if !step.reward.is_finite() {
            let what = format!("the reward is {} for action {choice} in {}", step.reward, self.place());
            return Err(Finding::breach(what, "rewards are finite numbers"));
        }
        let call = format!("action {choice} in {}", self.place());
        Ok((Seen { call, bits: self.bits(), step: Some((step.reward.to_bits(), step.end)) }, step))
    }

    /// So many steps, with unseeded resets where episodes end; one more reset if the last step ended one.
    pub(super) fn go(&mut self, steps: u32) -> Result<Vec<Seen>, Finding> {
        let mut seen = Vec::new();
        for _ in 0..steps {
            let (one, step) = self.step()?;
            seen.push(one);
            if step.end.ended() {
                seen.push(self.reset(None)?);
            }
        }
        Ok(seen)
    }

    fn bits(&self) -> Vec<u32> {
        self.observation.iter().map(|x| x.to_bits()).collect()
    }

    /// Refuses an observation with a number that is not written, no number, or outside its space.
    fn check(&self) -> Result<(), Finding> {
        let place = || self.place();
        if let Some(k) = self.observation.iter().position(|x| x.to_bits() == UNWRITTEN.to_bits()) {
            let remedy = "reset and step write every number of the slice that they are given";
            return Err(Finding::breach(format!("observation[{k}] was not written, {}", place()), remedy));
        }
        if let Some((k, x)) = self.observation.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            let what = format!("observation[{k}] is {x}, {}", place());
            return Err(Finding::breach(what, "observations are finite numbers"));
        }
        let space = &self.env.spec().observation;
        match self.observation.iter().enumerate().find(|&(k, &x)| !lies_within(space, k, x)) {
            None => Ok(()),
            Some((k, x)) => {
                let what = format!("observation[{k}] is {x}, {}, outside {}", place(), bounds(space, k));
                Err(Finding::breach(what, "widen the observation space in the spec, or keep to it"))
            }
        }
    }
}

/// An error as a part of a sentence.
pub(super) fn said(error: &EnvError) -> String {
    match error {
        EnvError::Panicked { message } => format!("it panicked with \"{message}\""),
        other => other.to_string(),
    }
}

/// Whether the number at place `k` of an observation is one of its space.
fn lies_within(space: &Space, k: usize, x: f32) -> bool {
    let index = |n: usize| Space::Discrete { n }.contains(&[x]);
    match space {
        Space::Discrete { n } => index(*n),
        Space::MultiDiscrete { n } => index(n[k]),
        Space::MultiBinary { .. } => index(2),
        Space::Box { low, high } => low[k] <= x && x <= high[k],
        Space::Image { max, .. } => index(usize::from(*max) + 1),
    }
}

fn bounds(space: &Space, k: usize) -> String {
    let whole = |n: usize| format!("the whole numbers 0 to {}", n.saturating_sub(1));
    match space {
        Space::Discrete { n } => whole(*n),
        Space::MultiDiscrete { n } => whole(n[k]),
        Space::MultiBinary { .. } => whole(2),
        Space::Box { low, high } => format!("{} to {}", low[k], high[k]),
        Space::Image { max, .. } => whole(usize::from(*max) + 1),
    }
}

/// The first thing that differs between two walks that should have seen the same.
pub(super) fn difference(first: &[Seen], second: &[Seen]) -> Option<String> {
    let (one, other) = first.iter().zip(second).find(|(one, other)| one != other)?;
    let what = if one.bits != other.bits {
        let k = one.bits.iter().zip(&other.bits).position(|(a, b)| a != b).unwrap_or_default();
        let [a, b] = [one, other].map(|seen| f32::from_bits(seen.bits[k]));
        format!("observation[{k}] is {a} and {b}")
    } else if one.step != other.step {
        let [a, b] = [one, other].map(|seen| match seen.step {
            Some((reward, end)) => format!("reward {} and end {end:?}", f32::from_bits(reward)),
            None => "no step".into(),
        });
        format!("{a} became {b}")
    } else {
        format!("{} became {}", one.call, other.call)
    };
    Some(format!("{}: {what}", one.call))
}
