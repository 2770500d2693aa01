//! The sets that observations and actions come from.

use crate::{Action, EnvError};

/// A set of observations or actions.
#[derive(Debug, Clone, PartialEq)]
pub enum Space {
    /// The integers `0..n`.
    Discrete {
        /// How many there are.
        n: usize,
    },
    /// A box in `R^D`, closed; bounds may be infinite.
    Box {
        /// Lower bound of each dimension, `[D]`.
        low: Vec<f32>,
        /// Upper bound of each dimension, `[D]`.
        high: Vec<f32>,
    },
}

impl Space {
    /// A box with the same bounds in each of `len` dimensions.
    #[must_use]
    pub fn uniform_box(len: usize, low: f32, high: f32) -> Space {
        Space::Box { low: vec![low; len], high: vec![high; len] }
    }

    /// Numbers in one element written flat: `D` for a box, 1 for a discrete space.
    #[must_use]
    pub fn flat_len(&self) -> usize {
        match self {
            Space::Discrete { .. } => 1,
            Space::Box { low, .. } => low.len(),
        }
    }

    /// Whether every number of a flat element lies within the bounds; NaN lies in none.
    #[must_use]
    pub fn contains(&self, element: &[f32]) -> bool {
        match self {
            Space::Discrete { n } => {
                element.len() == 1 && element[0] >= 0.0 && element[0].fract() == 0.0 && (element[0] as usize) < *n
            }
            Space::Box { low, high } => {
                element.len() == low.len()
                    && element.iter().zip(low.iter().zip(high)).all(|(x, (lo, hi))| lo <= x && x <= hi)
            }
        }
    }

    /// The index of a discrete action of this space.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] if the action or the space is not discrete, [`EnvError::ActionOutOfRange`] past the end.
    pub fn discrete(&self, action: Action<'_>) -> Result<usize, EnvError> {
        match (self, action) {
            (Space::Discrete { n }, Action::Discrete(a)) if (a as usize) < *n => Ok(a as usize),
            (Space::Discrete { n }, Action::Discrete(action)) => Err(EnvError::ActionOutOfRange { action, n: *n }),
            (space, action) => Err(EnvError::ActionKind {
                expected: space.kind(),
                got: match action {
                    Action::Discrete(_) => "discrete",
                    Action::Continuous(_) => "continuous",
                },
            }),
        }
    }

    /// Refuses an action that is not one of this space.
    ///
    /// A continuous action is only measured: whether numbers outside a box are clipped or refused is the environment's
    /// affair.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] for one of the other kind, [`EnvError::ActionOutOfRange`] past the end of a discrete space,
    /// [`EnvError::Length`] for a continuous one of another length.
    pub fn check(&self, action: Action<'_>) -> Result<(), EnvError> {
        match (self, action) {
            (Space::Box { low, .. }, Action::Continuous(a)) => EnvError::check_len("action", low.len(), a.len()),
            _ => self.discrete(action).map(|_| ()),
        }
    }

    /// What actions of this space are called in messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Space::Discrete { .. } => "discrete",
            Space::Box { .. } => "continuous",
        }
    }
}
