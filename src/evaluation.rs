//! What a policy's episodes came to.

use std::fmt;

use serde::{Deserialize, Serialize};
use uphill_envs::counted;

use crate::episodes::LONGEST;

/// What a policy's episodes were like.
///
/// Where the task has no limit of steps, an episode is cut off after 10,000: a policy that always takes the likeliest
/// action may walk in circles for ever. What such an episode returns is not known, and the others, left to themselves, would
/// be the lucky ones, so with any of them means, deviation and minimum are `None` (`null` in a file).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// How many.
    pub episodes: usize,
    /// How many of them were cut off.
    pub cut: usize,
    /// Mean of their undiscounted returns.
    pub return_mean: Option<f64>,
    /// Standard deviation of their returns (divisor `n`).
    pub return_std: Option<f64>,
    /// The smallest of their returns.
    pub return_min: Option<f64>,
    /// Mean of their lengths, in steps.
    pub length_mean: Option<f64>,
    /// Each return, by lane; `None` of an episode that was cut off.
    #[serde(skip)]
    pub returns: Vec<Option<f64>>,
    /// Each length, likewise.
    #[serde(skip)]
    pub lengths: Vec<Option<u32>>,
}

impl Evaluation {
    /// Of these returns and lengths, by lane.
    pub(crate) fn of(returns: Vec<Option<f64>>, lengths: Vec<Option<u32>>) -> Self {
        let (episodes, cut) = (returns.len(), returns.iter().filter(|one| one.is_none()).count());
        let whole: Option<Vec<f64>> = returns.iter().copied().collect();
        let mean =
            |of: &dyn Fn(f64) -> f64| whole.as_ref().map(|x| x.iter().map(|&r| of(r)).sum::<f64>() / episodes as f64);
        let return_mean = mean(&|r| r);
        let return_std = return_mean.and_then(|centre| mean(&|r| (r - centre).powi(2))).map(f64::sqrt);
        let return_min = whole.as_ref().map(|x| x.iter().copied().fold(f64::INFINITY, f64::min));
        let steps: Option<u64> = lengths.iter().map(|length| length.map(u64::from)).sum();
        let length_mean = steps.map(|steps| steps as f64 / episodes as f64);
        Self { episodes, cut, return_mean, return_std, return_min, length_mean, returns, lengths }
    }

    /// Why means, deviation and minimum are not known, and what would help; nothing where they are.
    #[must_use]
    pub fn unknown(&self) -> Option<String> {
        let Self { episodes, cut, .. } = self;
        let remedy = "the task has no limit of steps; train with one, by max_episode_steps or the wrapper time_limit";
        let text =
            format!("unknown: {cut} of {} cut off after {LONGEST} steps; {remedy}", counted(episodes, "episode"));
        (*cut > 0).then_some(text)
    }
}

/// An evaluation in the midst of training: a row of `evaluations.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluated {
    /// Updates that had been made.
    pub update: u64,
    /// Environment steps that had been taken, all lanes together.
    pub env_steps: u64,
    /// Whether its mean return is above that of every evaluation before; of several [ranks](crate::World), their mean.
    pub is_best: bool,
    /// What the episodes came to.
    pub evaluation: Evaluation,
}

/// The setting by which an evaluation ended training before all steps were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// [`Config::stop_at_return`](crate::Config::stop_at_return): the mean return was high enough.
    StopAtReturn,
    /// [`Config::stop_without_improvement`](crate::Config::stop_without_improvement): so many evaluations in a row were no
    /// better than the best before them.
    StopWithoutImprovement,
}

/// What the evaluation did.
impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StopAtReturn => "an evaluation reached stop_at_return",
            Self::StopWithoutImprovement => {
                "evaluations were no better than the best, as many in a row as stop_without_improvement"
            }
        })
    }
}
