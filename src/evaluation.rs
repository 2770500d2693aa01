//! What a policy's episodes came to.

use serde::Serialize;
use uphill_envs::counted;

use crate::episodes::LONGEST;

/// What a policy's episodes were like.
///
/// Where the task has no limit of steps, an episode is cut off after 10,000: a policy that always takes the likeliest
/// action may walk in circles for ever. What such an episode returns is not known, and the others, left to themselves, would
/// be the lucky ones, so with any of them mean, deviation and minimum are `None` (`null` in a file).
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
    /// Each return, by lane; `None` of an episode that was cut off.
    #[serde(skip)]
    pub returns: Vec<Option<f64>>,
}

impl Evaluation {
    /// Of these returns, by lane.
    pub(crate) fn of(returns: Vec<Option<f64>>) -> Self {
        let (episodes, cut) = (returns.len(), returns.iter().filter(|one| one.is_none()).count());
        let whole: Option<Vec<f64>> = returns.iter().copied().collect();
        let mean =
            |of: &dyn Fn(f64) -> f64| whole.as_ref().map(|x| x.iter().map(|&r| of(r)).sum::<f64>() / episodes as f64);
        let return_mean = mean(&|r| r);
        let return_std = return_mean.and_then(|centre| mean(&|r| (r - centre).powi(2))).map(f64::sqrt);
        let return_min = whole.as_ref().map(|x| x.iter().copied().fold(f64::INFINITY, f64::min));
        Self { episodes, cut, return_mean, return_std, return_min, returns }
    }

    /// Why mean, deviation and minimum are not known, and what would help; nothing where they are.
    #[must_use]
    pub fn unknown(&self) -> Option<String> {
        let Self { episodes, cut, .. } = self;
        let remedy = "the task has no limit of steps; give it one: max_episode_steps";
        let text =
            format!("unknown: {cut} of {} cut off after {LONGEST} steps; {remedy}", counted(episodes, "episode"));
        (*cut > 0).then_some(text)
    }
}
