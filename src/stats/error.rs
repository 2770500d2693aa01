//! What can be wrong with what statistics are asked of.

use thiserror::Error;
use uphill_envs::{counted, shown};

/// Why there is no such statistic. Each message names the place and what would be right there; runs, tasks and places
/// count from 0.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// There is nothing to take a statistic of.
    #[error("there are no {what}; at least one is needed")]
    Empty {
        /// Of what there is none: `runs`, `tasks`, `points`, ...
        what: &'static str,
    },
    /// Two things that belong together are of different lengths.
    #[error("{what} has {} instead of {expected}, one for each {each}", counted(got, "value"))]
    Length {
        /// What is too long or too short: `run 3`, `task 0`, `score`, ...
        what: String,
        /// Its length.
        got: usize,
        /// The length it should have.
        expected: usize,
        /// What one value belongs to.
        each: &'static str,
    },
    /// A NaN or an infinity where none may be. A run that diverged has a score all the same: that of the policy it left
    /// behind, or the least there is.
    #[error("{what} is {value}; a finite number is needed (a diverged run counts with the least score, not with none)")]
    NotFinite {
        /// `the score of run 3 on task 0`, `the score at point 7`, ...
        what: String,
        /// What stands there.
        value: f64,
    },
    /// Two methods were run on different numbers of tasks.
    #[error(
        "the first method has {} and the second {y}; both need the same tasks in the same order",
        counted(x, "task")
    )]
    Tasks {
        /// Tasks of the first.
        x: usize,
        /// Tasks of the second.
        y: usize,
    },
    /// Numbers that must rise do not.
    #[error("{what} at place {place} is {} after {}; each must be greater than the one before", shown(*value), shown(*previous))]
    Order {
        /// Of what: `env_steps`, `lr`, `tau`.
        what: &'static str,
        /// Where.
        place: usize,
        /// The number before.
        previous: f64,
        /// The number there.
        value: f64,
    },
    /// A scale from a random policy's score to an optimal one's has no length.
    #[error("random and optimal score are both {}; a scale needs two different ones", shown(*value))]
    Scale {
        /// The score that stands for both.
        value: f64,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}; expected {expected}")]
    Option {
        /// The setting.
        name: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A statistic has no value for these scores, or for a resample of them.
    #[error("quantity {place} of the statistic is NaN {}", of(*replicate))]
    Undefined {
        /// Which quantity, where a statistic has several.
        place: usize,
        /// Of which bootstrap replicate; `None`: of the scores themselves.
        replicate: Option<usize>,
    },
}

fn of(replicate: Option<usize>) -> String {
    match replicate {
        Some(replicate) => {
            format!("in bootstrap replicate {replicate}; it must have a value for every resample of runs")
        }
        None => "for the scores given".into(),
    }
}

/// A number out of `range` is an error that says so.
pub(super) fn check_option(
    name: &'static str,
    value: f64,
    fits: bool,
    expected: &'static str,
) -> Result<(), StatsError> {
    if fits { Ok(()) } else { Err(StatsError::Option { name, value: shown(value), expected }) }
}

/// Numbers are finite and each is greater than the one before.
pub(super) fn check_rising(what: &'static str, values: &[f64]) -> Result<(), StatsError> {
    if values.is_empty() {
        return Err(StatsError::Empty { what });
    }
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        return Err(StatsError::NotFinite { what: format!("{what} at place {place}"), value: values[place] });
    }
    match values.windows(2).position(|pair| pair[0] >= pair[1]) {
        None => Ok(()),
        Some(before) => {
            let (previous, value) = (values[before], values[before + 1]);
            Err(StatsError::Order { what, place: before + 1, previous, value })
        }
    }
}

impl From<StatsError> for crate::Error {
    fn from(error: StatsError) -> Self {
        Self::part(error)
    }
}
