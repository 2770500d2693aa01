//! Runs that were trained for longer than they began with.

use crate::{Config, Error, Result};

impl Config {
    /// The share of training that is done after so many environment steps, which schedules go by: of all steps, or, before a
    /// run was [continued](Config::continued), of those that it was to take then.
    pub(crate) fn progress_at(&self, env_steps: u64) -> f64 {
        let of_pair = self.pairs().find(|(at, _)| env_steps < *at).map(|(_, steps)| steps);
        env_steps as f64 / of_pair.unwrap_or(self.steps) as f64
    }

    /// The step at which the run was continued last.
    pub(crate) fn continued_at(&self) -> Option<u64> {
        self.pairs().last().map(|(at, _)| at)
    }

    /// The same for a run that has come to `at` environment steps and is trained for `more`.
    ///
    /// # Errors
    /// [`Error::Config`] for none and for too many.
    pub(crate) fn continued_for(&self, at: u64, more: u64) -> Result<Self> {
        if !(1..=Self::MAX_STEPS).contains(&more) {
            let problem = format!("{more} more steps are impossible: it must be 1 to {}", Self::MAX_STEPS);
            return Err(Error::Config(problem));
        }
        let continued = self.continued.iter().copied().chain([at, self.steps]).collect();
        let config = Self { steps: at + more, continued, ..self.clone() };
        config.validate()?;
        Ok(config)
    }

    /// This configuration of a run that had come to `env_steps`, as it is if `since` is what continuing has made of it.
    pub(crate) fn continued_like(self, since: &Self, env_steps: u64) -> Self {
        let had = self.continued.len();
        let is_continuation = match (since.continued.get(..had), since.continued.get(had..had + 2)) {
            (Some(before), Some(&[at, steps])) => before == self.continued && steps == self.steps && env_steps <= at,
            _ => false,
        };
        match is_continuation {
            true => Self { steps: since.steps, continued: since.continued.clone(), ..self },
            false => self,
        }
    }

    /// What is wrong with the setting, if something is.
    pub(super) fn check_continued(&self) -> Result<(), &'static str> {
        if !self.continued.len().is_multiple_of(2) {
            return Err("it must be pairs of numbers: a step, and the steps that the run was to take until then");
        }
        let in_order = self.pairs().map(|(at, _)| at).chain([self.steps]).is_sorted_by(|one, next| one < next);
        let possible = self.pairs().all(|(at, steps)| at > 0 && (1..=Self::MAX_STEPS).contains(&steps));
        match in_order && possible {
            true => Ok(()),
            false => Err("the first numbers of its pairs must rise, and stay below steps"),
        }
    }

    /// Step and steps of each time that the run was continued.
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.continued.as_chunks().0.iter().map(|&[at, steps]| (at, steps))
    }
}
