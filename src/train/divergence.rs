//! What a run does when training leaves the real numbers.

use super::Trainer;
use crate::algo::{self, Learner};
use crate::arrays::Arrays;
use crate::{Config, Error, OnDivergence, Precision, Result};

/// Divergences one after the other, without an update between them that did not, after which a run gives up.
const GIVES_UP_AFTER: u64 = 10;

/// The rewards from which on a value loss, a square of sums of them, is beyond f32.
const HUGE_REWARD: f32 = 1e15;

/// What usually helps a run of this configuration after a divergence, in an update with rewards as large as this.
pub(super) fn remedy(config: &Config, largest_reward: f32) -> String {
    if largest_reward >= HUGE_REWARD {
        return format!("rewards reach {largest_reward:e}, and f32 does not hold their squares: scale them down");
    }
    let goes_on = match config.on_divergence {
        OnDivergence::Stop => ", and on_divergence = rollback or skip goes on",
        _ => "",
    };
    // A number of f16 ends at 65,504.
    let of_f16 = if config.precision == Precision::F16 { ", and so may precision = bf16" } else { "" };
    format!("{} usually helps{of_f16}{goes_on}", config.what_calms())
}

impl Trainer {
    /// Notes parameters and optimizer, if it is time to.
    pub(super) fn note_good(&mut self) -> Result<()> {
        let due = |every| self.good.is_none() || self.progress.update.is_multiple_of(every);
        if self.config.on_divergence.notes_every().is_some_and(due) {
            let good = self.good.insert(Arrays::default());
            self.learner.params.save("good.params", good)?;
            self.learner.optimizer.save("good.optimizer", good)?;
            algo::save(&mut *self.algo, "good.algo", good);
        }
        Ok(())
    }

    /// Puts parameters and optimizer back to where they were last good. The steps of the update that it is of count.
    pub(super) fn go_back(&mut self, error: Error) -> Result<()> {
        let again = self.progress.divergences_in_a_row + 1;
        let Some(good) = &self.good else { return Err(error) };
        if again > GIVES_UP_AFTER {
            return Err(match error {
                Error::Diverged { update, what, remedy } => {
                    let remedy =
                        format!("the {GIVES_UP_AFTER} updates before it diverged, too, and the run ends: {remedy}");
                    Error::Diverged { update, what, remedy }
                }
                other => other,
            });
        }
        let Learner { params, optimizer, .. } = &mut self.learner;
        params.restore("good.params", good)?;
        optimizer.restore("good.optimizer", good, params.layout())?;
        algo::restore(&mut *self.algo, "good.algo", good)?;
        self.algo.lanes_moved();
        self.broken_off = false;
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
