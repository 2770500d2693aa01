//! Some steps of a rollout.

use super::{ActionKind, Estimate, ObservationColumn, ObservationKind, Rollout};
use crate::error::check_len;
use crate::stop::Stop;
use crate::{Error, Result};

/// Some steps of a rollout, as an objective takes them.
#[derive(Debug, Clone, Copy)]
pub struct Minibatch<'a> {
    /// What was collected.
    pub rollout: &'a Rollout,
    /// Advantages and targets of all of it; the targets are read here.
    pub estimate: &'a Estimate,
    /// Places in `[T, N]` of the `B` steps.
    pub places: &'a [usize],
    /// `[B]`: advantages, one a place, so that they can have been normalised over the minibatch.
    pub advantage: &'a [f32],
    /// Whether to break off, asked before every few rows.
    pub stop: Stop<'a>,
}

impl Minibatch<'_> {
    /// Refuses actions of another length or kind than a policy's.
    pub(crate) fn check_action(&self, len: usize, kind: ActionKind) -> Result<()> {
        check_len("an action of the rollout", len, self.rollout.action_len)?;
        let got = self.rollout.action.kind();
        let differ = || format!("the rollout's actions are {got:?}, those of the network's policy {kind:?}");
        if got == kind { Ok(()) } else { Err(Error::Config(differ())) }
    }

    /// Refuses shifts of another number of means than a policy's.
    pub(crate) fn check_shift(&self, means: usize) -> Result<()> {
        let got = self.estimate.shift.len();
        if got == 0 { Ok(()) } else { check_len("the estimate's shifts", self.rollout.log_prob.len() * means, got) }
    }

    /// Makes a rollout and an estimate of these steps alone, one after the other in one lane, with observations as numbers.
    ///
    /// # Panics
    /// If there is no such place: [`check`](Self::check) tells.
    pub(crate) fn copy_to(&self, rollout: &mut Rollout, estimate: &mut Estimate) {
        let Minibatch { rollout: from, places, .. } = *self;
        let observations = (from.observation_len, ObservationKind::Number);
        rollout.clear(1, observations, (from.action_len, from.action.kind()));
        if let ObservationColumn::Number(to) = &mut rollout.observation {
            from.observations_at(places, to);
        }
        from.actions_at(places, &mut rollout.action);
        rollout.choices = from.choices;
        from.masks_at(places, &mut rollout.mask);
        let take = |to: &mut Vec<f32>, from: &[f32]| to.extend(places.iter().map(|&i| from[i]));
        take(&mut rollout.log_prob, &from.log_prob);
        take(&mut rollout.value, &from.value);
        estimate.unit = self.estimate.unit;
        estimate.target.clear();
        take(&mut estimate.target, &self.estimate.target);
        let means = self.estimate.shift.len().checked_div(from.log_prob.len()).unwrap_or(0);
        estimate.shift.clear();
        places.iter().for_each(|&i| {
            estimate.shift.extend_from_slice(&self.estimate.shift[i * means..(i + 1) * means]);
        });
    }

    /// Refuses columns and advantages of other lengths, and places past the rollout's end.
    pub(crate) fn check(&self) -> Result<()> {
        let Minibatch { rollout, estimate, places, advantage, .. } = self;
        let len = rollout.action.len().checked_div(rollout.action_len).unwrap_or(0);
        check_len("the rollout's actions", len * rollout.action_len, rollout.action.len())?;
        check_len("the rollout's masks", len * rollout.choices, rollout.mask.len())?;
        check_len("the rollout's observations", len * rollout.observation_len, rollout.observation.len())?;
        check_len("the rollout's log-probabilities", len, rollout.log_prob.len())?;
        check_len("the rollout's values", len, rollout.value.len())?;
        check_len("the estimate's targets", len, estimate.target.len())?;
        check_len("the minibatch's advantages", places.len(), advantage.len())?;
        match places.iter().max() {
            Some(&last) if last >= len => {
                let what = format!("a rollout with a place {last}");
                Err(Error::Shape { what, expected: vec![last.saturating_add(1)], got: vec![len] })
            }
            _ => Ok(()),
        }
    }
}
