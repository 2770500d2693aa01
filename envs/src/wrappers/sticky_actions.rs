//! Actions that stick.

use super::as_within;
use crate::owned_action::OwnedAction;
use crate::{Action, Env, EnvError, NumpyRng, Space, Spec, Step};

/// An environment that takes, with some probability, the last action again instead of the one that it is given. Machado et al.
/// 2018, <https://arxiv.org/abs/1709.06009>. The first action of an episode is always taken.
///
/// A threshold of the environment is none of this task's. Whether one sticks is drawn from a generator of its own, which a seeded reset restarts and others let run on.
#[derive(Debug, Clone)]
pub struct StickyActions<E> {
    env: E,
    spec: Spec,
    probability: f64,
    rng: NumpyRng,
    is_first: bool,
    /// The action before, where this is not the first; its room is kept for the next episode.
    last: Option<OwnedAction>,
}

/// The numbers of an action, as words.
fn words(action: Action<'_>) -> Vec<u64> {
    match action {
        Action::Discrete(index) => vec![index.into()],
        Action::MultiDiscrete(indices) => indices.iter().map(|&index| index.into()).collect(),
        Action::Continuous(numbers) => numbers.iter().map(|x| x.to_bits().into()).collect(),
    }
}

/// What the seed of the environment becomes for the generator of its own.
const OWN: u128 = 0x5719_c4ac_7105 << 64;

impl<E: Env> StickyActions<E> {
    /// Takes the last action again with this probability.
    ///
    /// # Errors
    /// [`EnvError::Option`] unless it is from 0 to below 1.
    pub fn new(env: E, probability: f64) -> Result<Self, EnvError> {
        if !(0.0..1.0).contains(&probability) {
            let expected = "a probability from 0 to below 1: at 1 the first action is taken for ever";
            return Err(EnvError::Option { name: "probability", value: probability.to_string(), expected });
        }
        let spec = Spec { reward_threshold: None, ..env.spec().clone() };
        Ok(Self { env, spec, probability, rng: NumpyRng::wide(OWN), is_first: true, last: None })
    }
}

impl<E: Env> Env for StickyActions<E> {
    as_within!(action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.is_first = true;
        if let Some(seed) = seed {
            self.rng = NumpyRng::wide(OWN ^ u128::from(seed));
        }
        Ok(())
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset_wide(seed, observation)?;
        (self.is_first, self.rng) = (true, NumpyRng::wide(OWN ^ seed));
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        // Before chance is asked: what is refused changes nothing.
        self.env.spec().action.check(action)?;
        let before = self.rng.clone();
        let last = self.last.as_ref().filter(|_| !self.is_first && self.rng.random() < self.probability);
        let step = self.env.step(last.map_or(action, OwnedAction::get), observation);
        match (&step, last.is_some(), &mut self.last) {
            (Err(_), ..) => self.rng = before,
            (Ok(_), true, _) => {}
            (Ok(_), false, Some(last)) => last.set(action),
            (Ok(_), false, last) => *last = Some(OwnedAction::of(action)),
        }
        self.is_first &= step.is_err();
        step
    }

    /// Whether there is a last action, its numbers, and the generator's place; then the environment's own.
    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        let width = self.env.spec().action.flat_len();
        let last = self.last.as_ref().filter(|_| !self.is_first);
        state.push(last.is_some().into());
        state.extend(last.map_or(vec![0; width], |last| words(last.get())));
        state.extend(self.rng.place());
        let saved = self.env.save(state);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let problem =
            "expected 0 or 1, the numbers of an action, a generator's three words, and those of the environment";
        let wrong = || EnvError::Saved { problem };
        let space = &self.env.spec().action;
        let Some((&has, rest)) = state.split_first() else { return Err(wrong()) };
        let Some((words, rest)) = rest.split_at_checked(space.flat_len()) else { return Err(wrong()) };
        let Some((&place, rest)) = rest.split_first_chunk::<3>() else { return Err(wrong()) };
        let narrow: Vec<u32> = words.iter().filter_map(|&word| u32::try_from(word).ok()).collect();
        let last = match (has, space) {
            (0, _) => None,
            (1, _) if narrow.len() < words.len() => return Err(wrong()),
            (1, Space::Discrete { .. }) => Some(OwnedAction::Index(narrow[0])),
            (1, Space::Box { .. }) => {
                Some(OwnedAction::Numbers(narrow.iter().map(|&bits| f32::from_bits(bits)).collect()))
            }
            (1, _) => Some(OwnedAction::Indices(narrow)),
            _ => return Err(wrong()),
        };
        if last.as_ref().is_some_and(|last| space.check(last.get()).is_err()) {
            return Err(wrong());
        }
        self.env.restore(rest)?;
        (self.is_first, self.last, self.rng) = (last.is_none(), last, NumpyRng::at(place));
        Ok(())
    }
}
