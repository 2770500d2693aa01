//! Which of a run's policies.

use std::path::Path;

use super::Policy;
use crate::{Catalogue, Result};

/// Which of a run's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// The one it ended with.
    #[default]
    Last,
    /// The one with the best mean return of 100 episodes of training.
    BestInTraining,
    /// The one with the best mean return of an evaluation.
    BestByEvaluation,
}

impl Which {
    /// Loads it.
    ///
    /// # Errors
    /// As [`Policy::load_with`].
    pub fn load(self, run: impl AsRef<Path>, catalogue: &Catalogue) -> Result<Policy> {
        match self {
            Self::Last => Policy::load_with(run, catalogue),
            Self::BestInTraining => Policy::load_best_with(run, catalogue),
            Self::BestByEvaluation => Policy::load_best_by_eval_with(run, catalogue),
        }
    }

    /// The file that holds it.
    #[cfg(feature = "pictures")]
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Last => super::POLICY,
            Self::BestInTraining => super::BEST,
            Self::BestByEvaluation => super::BEST_BY_EVAL,
        }
    }

    /// What it is called.
    #[cfg(feature = "pictures")]
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Last => "the last",
            Self::BestInTraining => "the best in training",
            Self::BestByEvaluation => "the best by evaluation",
        }
    }
}
