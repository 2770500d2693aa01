//! An action that is kept.

use std::fmt;

use crate::Action;

/// An action that is kept, to be lent again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OwnedAction {
    Index(u32),
    Indices(Vec<u32>),
    Numbers(Vec<f32>),
}

impl OwnedAction {
    pub(crate) fn of(action: Action<'_>) -> Self {
        match action {
            Action::Discrete(index) => Self::Index(index),
            Action::MultiDiscrete(indices) => Self::Indices(indices.to_vec()),
            Action::Continuous(numbers) => Self::Numbers(numbers.to_vec()),
        }
    }

    /// Keeps this one instead, in the room that there is.
    pub(crate) fn set(&mut self, action: Action<'_>) {
        match (self, action) {
            (Self::Indices(kept), Action::MultiDiscrete(indices)) => indices.clone_into(kept),
            (Self::Numbers(kept), Action::Continuous(numbers)) => numbers.clone_into(kept),
            (kept, action) => *kept = Self::of(action),
        }
    }

    pub(crate) fn get(&self) -> Action<'_> {
        match self {
            Self::Index(index) => Action::Discrete(*index),
            Self::Indices(indices) => Action::MultiDiscrete(indices),
            Self::Numbers(numbers) => Action::Continuous(numbers),
        }
    }
}

impl fmt::Display for OwnedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Indices(indices) => write!(f, "{indices:?}"),
            Self::Numbers(numbers) => write!(f, "{numbers:?}"),
        }
    }
}
