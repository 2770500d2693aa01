//! The contract of one environment: what it is ([`Spec`]), how it starts and moves ([`Env`]), how an episode ends ([`End`]).

use serde::{Deserialize, Serialize};

use crate::{Drawing, EnvError, Space, quoted};

/// Whether a step ended its episode, and how.
///
/// The difference decides what may be bootstrapped: after [`End::Terminated`] there is no future and its value is
/// zero; after [`End::Truncated`] the future goes on unseen and its value is that of the final observation.
/// Pardo et al. 2018, <https://arxiv.org/abs/1712.00378>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum End {
    /// The episode goes on.
    #[default]
    Not,
    /// The environment reached a terminal state.
    Terminated,
    /// A limit outside the environment's dynamics cut the episode off.
    Truncated,
}

impl End {
    /// Whether the episode is over, either way.
    #[must_use]
    #[inline]
    pub fn ended(self) -> bool {
        self != End::Not
    }

    /// Both reasons at once: termination wins over truncation, truncation over going on.
    #[must_use]
    #[inline]
    pub fn or(self, other: End) -> End {
        match (self, other) {
            (End::Terminated, _) | (_, End::Terminated) => End::Terminated,
            (End::Truncated, _) | (_, End::Truncated) => End::Truncated,
            (End::Not, End::Not) => End::Not,
        }
    }
}

/// What one step returned besides the observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The reward of the action just taken.
    pub reward: f32,
    /// Whether, and how, the episode ended with this step.
    pub end: End,
}

/// One action, as an environment takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action<'a> {
    /// An index into a [`Space::Discrete`].
    Discrete(u32),
    /// Indices into a [`Space::MultiDiscrete`], one a component, or the switches of a [`Space::MultiBinary`], each 0 or 1.
    MultiDiscrete(&'a [u32]),
    /// A point of a [`Space::Box`], one number a dimension.
    Continuous(&'a [f32]),
}

/// What an environment is: its name, its spaces and the limits its authors gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The registered name, such as `CartPole-v1`.
    pub id: String,
    /// The space of observations. Its [`Space::flat_len`] is the length of every observation slice.
    pub observation: Space,
    /// The space of actions.
    pub action: Space,
    /// Steps after which [`TimeLimit`](crate::TimeLimit) truncates, if there is a limit.
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the task counts as solved, where its authors gave one.
    pub reward_threshold: Option<f64>,
}

impl Spec {
    /// Numbers in one observation.
    #[must_use]
    pub fn observation_len(&self) -> usize {
        self.observation.flat_len()
    }

    /// The most characters of a name.
    pub const MAX_ID: usize = 80;

    /// Refuses what is no name of an environment: one has 1 to 80 visible characters, blanks only within, and no part between slashes
    /// that is empty, `.` or `..`, so that it can stand in a line and in a folder's name.
    ///
    /// # Errors
    /// [`EnvError::Option`].
    pub fn check_id(id: &str) -> Result<(), EnvError> {
        let visible = |c: char| !c.is_control() && (c == ' ' || !c.is_whitespace());
        let good = (1..=Self::MAX_ID).contains(&id.chars().count())
            && id.trim() == id
            && id.chars().all(visible)
            && id.split(['/', '\\']).all(|part| !matches!(part, "" | "." | ".."));
        let expected = r"a name has 1 to 80 visible characters, and no part between / or \ that is empty, `.` or `..`: my-world or lab/my-world";
        let value = || format!("\"{}\"", quoted(id));
        if good { Ok(()) } else { Err(EnvError::Option { name: "id", value: value(), expected }) }
    }
}

/// One environment. It owns its random generator, which runs on through resets.
///
/// An environment never truncates: wrap it in [`TimeLimit`](crate::TimeLimit) for that.
pub trait Env: Send {
    /// What this environment is.
    fn spec(&self) -> &Spec;

    /// Starts an episode and writes its first observation (`[D]`, `D` of [`Spec::observation_len`]).
    ///
    /// `Some(seed)` restarts the generator from that seed, as Gymnasium's `reset(seed=...)`; `None` lets it run on.
    ///
    /// # Errors
    /// [`EnvError::Length`] if the slice has another length than `D`.
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// The same from a seed that may be past 64 bits, as those of a vector's lanes may be, `seed + i`: Gymnasium's seeds have
    /// no end. The default hands smaller ones to [`reset`](Env::reset).
    ///
    /// # Errors
    /// As [`reset`](Env::reset); [`EnvError::Option`] for a seed that the environment does not take, of 2⁶⁴ or more by
    /// default.
    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.reset(Some(EnvError::narrow(seed)?), observation)
    }

    /// Takes an action and writes the observation it led to (`[D]`), also when that ended the episode.
    ///
    /// # Errors
    /// [`EnvError::ActionOutOfRange`] or [`EnvError::ActionKind`] for an action outside the space,
    /// [`EnvError::NeedsReset`] before the first reset and after an end, [`EnvError::Length`] if the slice has another
    /// length than `D`; the state is then unchanged.
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError>;

    /// Appends to `state` all that the next steps depend on, the generator's place with it, and says whether it has: an
    /// environment that cannot tell its state, the default, leaves `state` as it is.
    fn save(&self, _state: &mut Vec<u64>) -> bool {
        false
    }

    /// Goes on from where an environment like this one was saved, as if it had never been anywhere else.
    ///
    /// # Errors
    /// [`EnvError::Saved`] for words that [`save`](Env::save) of such an environment never leaves.
    fn restore(&mut self, _state: &[u64]) -> Result<(), EnvError> {
        Err(EnvError::Saved { problem: "this environment cannot be saved or restored" })
    }

    /// Writes of each choice whether it is legal in the present state, [`Space::choices`] entries, and says whether it has.
    /// All are, the default. An environment that tells them tells them in every state, and leaves at least one in each component; what it
    /// does with another one is its own affair.
    fn action_mask(&self, _mask: &mut [bool]) -> bool {
        false
    }

    /// The present state as shapes, for a terminal or a picture; `None` if the environment has no picture.
    fn draw(&self) -> Option<Drawing> {
        None
    }

    /// Makes ready for [`picture`](Env::picture), where pictures cost something that who does not look should not pay: called
    /// before the reset of an episode that is to be seen. What draws its state, the default, has nothing to do.
    ///
    /// # Errors
    /// [`EnvError::NoPicture`] if it cannot be seen, with what is missing.
    fn prepare_picture(&mut self) -> Result<(), EnvError> {
        Ok(())
    }

    /// The present state as it is to be seen: what [`draw`](Env::draw) gives, the default, or what only a program outside can paint.
    ///
    /// # Errors
    /// [`EnvError::NoPicture`] of an environment that has none; what painting fails with.
    fn picture(&mut self) -> Result<Drawing, EnvError> {
        self.draw().ok_or_else(|| EnvError::NoPicture { id: self.spec().id.clone(), reason: String::new() })
    }
}

impl<E: Env + ?Sized> Env for Box<E> {
    fn spec(&self) -> &Spec {
        (**self).spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        (**self).reset(seed, observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        (**self).reset_wide(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        (**self).step(action, observation)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        (**self).save(state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        (**self).restore(state)
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        (**self).action_mask(mask)
    }

    fn draw(&self) -> Option<Drawing> {
        (**self).draw()
    }

    fn prepare_picture(&mut self) -> Result<(), EnvError> {
        (**self).prepare_picture()
    }

    fn picture(&mut self) -> Result<Drawing, EnvError> {
        (**self).picture()
    }
}

#[cfg(test)]
mod tests {
    use super::End;

    #[test]
    fn termination_wins_over_truncation() {
        assert_eq!(End::Truncated.or(End::Terminated), End::Terminated);
        assert_eq!(End::Terminated.or(End::Truncated), End::Terminated);
        assert_eq!(End::Not.or(End::Truncated), End::Truncated);
        assert_eq!(End::Not.or(End::Not), End::Not);
    }
}
