//! What a run does when training leaves the real numbers.

use serde::{Deserialize, Serialize};

/// What to do about a loss, gradient, update or policy that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDivergence {
    /// End the run with an error.
    #[default]
    Stop,
    /// Put parameters and optimizer back to where they were some updates ago, and go on with new experience.
    Rollback,
    /// Put parameters and optimizer back to where they were before the update, and go on with new experience.
    Skip,
}

impl OnDivergence {
    /// Updates after which parameters and optimizer are noted as good to go back to; none if they never are.
    ///
    /// What is gone back to depends on the update's number alone, so that a run stays the same bits.
    pub(crate) fn notes_every(self) -> Option<u64> {
        match self {
            OnDivergence::Stop => None,
            OnDivergence::Rollback => Some(20),
            OnDivergence::Skip => Some(1),
        }
    }
}
