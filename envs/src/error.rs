//! What can go wrong in an environment, each with what was wrong, where, and what would be right.

use thiserror::Error;

use crate::{MapError, counted};

/// An environment refused what it was given, or returned what it must not.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
// A step's result is told from an error by the tag. Left alone that is as wide as a seed, and reading it waits for the narrower
// words that were just written there: a sixth of a short step, three times.
#[repr(u8)]
pub enum EnvError {
    /// No environment of that name is registered.
    #[error("no environment is called `{id}`{} (all of them: {known})", nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
    Unknown {
        /// The name that was asked for.
        id: String,
        /// The registered name that is like it, if one is.
        nearest: Option<String>,
        /// Every registered name.
        known: String,
    },
    /// An action, or a component of one, past the end of its choice.
    #[error(
        "{}action {action} is outside the action space: it has {}, 0 to {}",
        component.map(|k| format!("component {k}: ")).unwrap_or_default(),
        counted(n, "action"),
        n.saturating_sub(1)
    )]
    ActionOutOfRange {
        /// Which component of a multi-discrete action.
        component: Option<usize>,
        /// The action taken.
        action: u32,
        /// The number of actions.
        n: usize,
    },
    /// A continuous action where a discrete one belongs, or the reverse.
    #[error("a {got} action was given to a {expected} action space")]
    ActionKind {
        /// What the space takes.
        expected: &'static str,
        /// What was given.
        got: &'static str,
    },
    /// A step before the first reset or after the episode's end.
    #[error("step called on an environment that needs a reset: its episode has ended or never began")]
    NeedsReset,
    /// A slice of the wrong length.
    #[error("{what} has length {got}, expected {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A NaN or infinite reward or observation came out of an environment, or such an action was given to it.
    #[error("the environment {} {what} = {value}: it must be finite", if what.starts_with("action") { "was given" } else { "returned" })]
    NotFinite {
        /// `reward`, `observation[i]` or `action[k]`.
        what: String,
        /// The offending value.
        value: f32,
    },
    /// A number of an image that none may have.
    #[error(
        "the environment returned {value} in row {row}, column {column}, channel {channel} of its image: it must be a whole number, 0 to {max}"
    )]
    NotAPixel {
        /// Its row, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
        /// Its channel, from 0.
        channel: usize,
        /// The offending value.
        value: f32,
        /// The largest that the image may hold.
        max: u8,
    },
    /// A number of a discrete observation that is none of its choices.
    #[error("the environment returned observation[{place}] = {value}: it must be a whole number, 0 to {}", n.saturating_sub(1))]
    NotAnIndex {
        /// Which component.
        place: usize,
        /// The offending value.
        value: f32,
        /// How many choices it has.
        n: usize,
    },
    /// A mask that forbids every action.
    #[error(
        "the action mask allows no action{}: at least one must be legal in every state",
        component.map(|k| format!(" in component {k}")).unwrap_or_default()
    )]
    NoLegalAction {
        /// Which component of several allows none.
        component: Option<usize>,
    },
    /// Words that are no saved state of this environment.
    #[error("this is no saved state of the environment: {problem}")]
    Saved {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// An environment panicked.
    #[error("the environment panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
    /// An environment written in another language raised an exception.
    #[error("the environment raised {exception}{}", if traceback.is_empty() { String::new() } else { format!("\n{}", traceback.trim_end()) })]
    Raised {
        /// The exception's kind and what it says, in a line.
        exception: String,
        /// Where it came from, the innermost call last, on as many lines as it takes; empty where that is not known.
        traceback: String,
    },
    /// An environment that cannot be seen.
    #[error("{id} has no picture to show{}{reason}", if reason.is_empty() { "" } else { ": " })]
    NoPicture {
        /// Its name.
        id: String,
        /// What is missing; empty where it never draws.
        reason: String,
    },
    /// An impossible option of an environment.
    #[error("{name} = {value} is impossible: {expected}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A limit within which a map's goal cannot be reached.
    #[error(
        "max_episode_steps = {limit} is impossible: from the start in row {row}, column {column} of the map the shortest way to a goal takes {way} steps"
    )]
    LimitTooShort {
        /// The limit.
        limit: u32,
        /// Steps of the shortest way.
        way: u32,
        /// The row of the start, from 1.
        row: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// An episode longer than its environment says that it can be.
    #[error(
        "the episode goes on past max_episode_steps = {limit} of the spec: end it there as truncated (`TimeLimit` does), or leave the limit out of the spec"
    )]
    PastLimit {
        /// The limit in the [`Spec`](crate::Spec).
        limit: u32,
    },
    /// A malformed map of a grid world.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The thread that an environment lives in has ended.
    #[error("{id} has stopped: its thread could not be started, or the environment panicked")]
    Stopped {
        /// The environment's name.
        id: String,
    },
    /// An error in a vector of environments that does not say in which lane.
    #[error("{id}, one of lanes {first} to {last}, step {step} since the reset{}: {source}", seed.map(|s| format!(", seed {s} on")).unwrap_or_default())]
    Lanes {
        /// The environments' name.
        id: String,
        /// The first lane.
        first: usize,
        /// The last lane.
        last: usize,
        /// The seed that the first lane was last reset with.
        seed: Option<u128>,
        /// The steps taken since, in each lane.
        step: u64,
        /// What went wrong.
        source: Box<EnvError>,
    },
    /// An error in one lane of a vector of environments.
    #[error("{id}, lane {lane}, step {step} of its episode{}: {source}", seed.map(|s| format!(", seed {s}")).unwrap_or_default())]
    Lane {
        /// The environment's name.
        id: String,
        /// Which lane.
        lane: usize,
        /// The seed this lane was last reset with.
        seed: Option<u128>,
        /// The steps already taken in this episode.
        step: u32,
        /// What went wrong.
        source: Box<EnvError>,
    },
}

impl EnvError {
    /// Fails with [`EnvError::Length`] unless `got` is `expected`.
    pub(crate) fn check_len(what: &'static str, expected: usize, got: usize) -> Result<(), EnvError> {
        if expected == got { Ok(()) } else { Err(EnvError::Length { what, expected, got }) }
    }

    /// The seed as one of 64 bits, for environments that take no other.
    pub(crate) fn narrow(seed: u128) -> Result<u64, EnvError> {
        let expected = "this environment takes seeds below 2^64 (one that takes more has a `reset_wide` of its own)";
        u64::try_from(seed).map_err(|_| EnvError::Option { name: "seed", value: seed.to_string(), expected })
    }
}
