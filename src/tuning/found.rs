//! What a search came to.

use super::search::Search;
use super::trial::{Divergence, State, Trial};
use crate::benchmark::{BOOTSTRAP, CLAIM};
use crate::envs::counted;
use crate::stats::{Interval, Scores, mean};
use crate::{Config, Result, screen};

/// Every trial of a search, and what the best of them is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What was searched.
    pub search: Search,
    /// Its trials, in the order in which they were drawn.
    pub trials: Vec<Trial>,
    /// The best of them on seeds that it was not chosen by; none where all diverged.
    pub report: Option<Report>,
}

/// The best trial on fresh seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// A run each, in the order of the seeds.
    pub runs: Vec<Reported>,
    /// The mean of their scores, with its 95% interval over seeds (5,000 replicates of the percentile bootstrap); none where a
    /// run has no score.
    pub mean: Option<Interval>,
}

/// A run of the best trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// Its seed.
    pub seed: u64,
    /// What the objective makes of it, if it did not diverge.
    pub score: Option<f64>,
    /// Environment steps taken.
    pub env_steps: u64,
    /// Where it left the real numbers, if it did.
    pub diverged: Option<Divergence>,
}

impl Report {
    pub(super) fn of(runs: Vec<Reported>) -> Result<Self> {
        let scores: Option<Vec<f64>> = runs.iter().map(|run| run.score).collect();
        let mean = scores.map(|scores| BOOTSTRAP.interval(&Scores::of_one_task(&scores)?, mean)).transpose()?;
        Ok(Self { runs, mean })
    }
}

impl Found {
    /// The trials from the best to the worst: those that were trained to the end, then those that went furthest, each by
    /// their scores; then those that diverged.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Trial> {
        let mut ranked: Vec<&Trial> = self.trials.iter().collect();
        ranked.sort_by(|a, b| {
            let place = |trial: &Trial| (trial.state, std::cmp::Reverse(trial.steps));
            let score = |trial: &Trial| trial.score.unwrap_or(f64::NEG_INFINITY);
            place(a).cmp(&place(b)).then(score(b).total_cmp(&score(a)))
        });
        ranked
    }

    /// The best of those that were trained to the end, the first of equals; none where none of them has a score.
    #[must_use]
    pub fn best(&self) -> Option<&Trial> {
        self.ranked().into_iter().next().filter(|trial| trial.state == State::Complete && trial.score.is_some())
    }

    /// The configuration of the best trial, on the first reported seed.
    ///
    /// # Errors
    /// As [`Search::from_table`].
    pub fn config(&self) -> Result<Option<Config>> {
        let Some(best) = self.best() else { return Ok(None) };
        let seed = self.search.report_seeds.list().first().copied().unwrap_or(1);
        Ok(Some(Config { seed, ..self.search.config(&best.values)? }))
    }

    /// How many trials there are and how they ended, in words.
    #[must_use]
    pub fn endings(&self) -> String {
        let count = |state: State| self.trials.iter().filter(|trial| trial.state == state).count();
        let [complete, pruned, diverged] = [State::Complete, State::Pruned, State::Diverged].map(count);
        format!("{}: {complete} complete, {pruned} pruned, {diverged} diverged", counted(self.trials.len(), "trial"))
    }

    /// What the best trial is worth, in words: on fresh seeds, or why that is not known.
    #[must_use]
    pub fn worth(&self) -> String {
        let (objective, seeds) = (self.search.objective.name(), self.search.report_seeds.count());
        let fresh = counted(seeds, "fresh seed");
        let Some(Report { runs, mean }) = &self.report else { return "no trial was trained to its end".into() };
        let without = runs.iter().filter(|run| run.score.is_none()).count();
        match mean {
            Some(Interval { point, low, high }) => {
                let [point, low, high] = screen::amounts([*point, *low, *high]);
                let interval = match seeds {
                    1 => "one seed has no interval".to_string(),
                    _ => format!("95% interval {low} to {high}"),
                };
                let caution = match seeds {
                    2..CLAIM => format!("; fewer than {CLAIM} seeds are too few for a claim"),
                    _ => String::new(),
                };
                format!("{point}, the mean {objective} of {fresh}; {interval}{caution}")
            }
            None => format!("of {fresh} {without} diverged or ended without a return, so there is no mean {objective}"),
        }
    }
}
