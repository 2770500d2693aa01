//! What a run does when training leaves the real numbers.

use serde::{Deserialize, Serialize};

use super::Trainer;
use crate::algo::Learner;
use crate::checkpoint::Arrays;
use crate::{Error, Result};

/// Divergences one after the other, without an update between them that did not, after which a run gives up.
const GIVES_UP_AFTER: u64 = 10;

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

impl Trainer {
    /// Notes parameters and optimizer, if it is time to.
    pub(super) fn note_good(&mut self) -> Result<()> {
        let due = |every| self.good.is_none() || self.progress.update.is_multiple_of(every);
        if self.config.on_divergence.notes_every().is_some_and(due) {
            let good = self.good.insert(Arrays::default());
            self.learner.params.save("good.params", good)?;
            self.learner.optimizer.save("good.optimizer", good);
        }
        Ok(())
    }

    /// Puts parameters and optimizer back to where they were last good. The update counts, and so do its steps.
    pub(super) fn go_back(&mut self, error: Error) -> Result<()> {
        let again = self.progress.divergences_in_a_row + 1;
        let Some(good) = self.good.as_ref().filter(|_| again <= GIVES_UP_AFTER) else { return Err(error) };
        let Learner { params, optimizer, .. } = &mut self.learner;
        params.restore("good.params", good)?;
        optimizer.restore("good.optimizer", good, params.layout())?;
        self.broken_off = false;
        self.progress.update += 1;
        self.progress.divergences += 1;
        self.progress.divergences_in_a_row = again;
        let did = match self.config.on_divergence {
            OnDivergence::Skip => "the update was skipped",
            _ => "parameters and optimizer went back to where they were last good",
        };
        self.notes.push(format!("{error}; {did}"));
        Ok(())
    }
}
