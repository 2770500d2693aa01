//! One choice of hyper-parameters, and what came of it.

use serde::{Deserialize, Serialize};

use super::attempt::Record;
use super::objective::Objective;
use crate::Result;

/// A trial: values for all that is searched, run on each seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its number, from 1.
    pub number: usize,
    /// The values, in the order of [`Search::ranges`](super::Search).
    pub values: Vec<toml::Value>,
    /// How it ended.
    pub state: State,
    /// The rung that its scores are of: the steps that each of its runs was to take until then.
    pub steps: u64,
    /// The mean of its scores; none where it diverged, or where a run has none.
    pub score: Option<f64>,
    /// The score of each seed, in the order of the seeds.
    pub scores: Vec<Option<f64>>,
    /// Environment steps that its runs took, all together.
    pub env_steps: u64,
    /// The first seed on which it diverged, and where.
    pub diverged: Option<(u64, Divergence)>,
    /// Where it lies in the ranges, each coordinate in `[0, 1)`.
    pub(super) place: Vec<f64>,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Trained to its last step.
    Complete,
    /// Not among those that went on from a rung.
    Pruned,
    /// Left the real numbers on a seed: worse than any other.
    Diverged,
}

impl State {
    /// As the tables write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Complete => "complete",
            State::Pruned => "pruned",
            State::Diverged => "diverged",
        }
    }
}

/// Where a run left the real numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The update, from 1.
    pub update: u64,
    /// What was not finite.
    pub what: String,
}

impl Trial {
    pub(super) fn new(number: usize, place: Vec<f64>, values: Vec<toml::Value>) -> Self {
        let (state, scores) = (State::Complete, Vec::new());
        Self { number, values, state, steps: 0, score: None, scores, env_steps: 0, diverged: None, place }
    }

    /// What its runs had come to at a rung, in the order of the seeds.
    pub(super) fn take(
        &mut self,
        rung: u64,
        seeds: &[u64],
        records: &[Record],
        objective: Objective,
        random: Option<f64>,
    ) -> Result<()> {
        (self.steps, self.env_steps, self.scores) = (rung, 0, Vec::with_capacity(seeds.len()));
        for (&seed, record) in seeds.iter().zip(records) {
            let Some(reached) = record.at(rung) else { continue };
            self.scores.push(objective.of(reached, record, random)?);
            self.env_steps += reached.env_steps;
            if let (None, Some(divergence)) = (&self.diverged, &reached.diverged) {
                self.diverged = Some((seed, divergence.clone()));
                self.state = State::Diverged;
            }
        }
        let known: Option<Vec<f64>> = self.scores.iter().copied().collect();
        self.score =
            known.filter(|scores| !scores.is_empty()).map(|scores| scores.iter().sum::<f64>() / scores.len() as f64);
        Ok(())
    }
}
