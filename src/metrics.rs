//! What is known of training after an update: one row of `metrics.csv`.

mod update_report;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::arrays::Arrays;
use crate::episodes::{Episode, Episodes};
use crate::{Error, Result};

pub(crate) use update_report::Mean;
pub use update_report::UpdateReport;

/// One update. A number that does not exist (no episode counts yet, the algorithm has no such term) is `None`, an empty
/// field in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The update's number, from 1.
    pub update: u64,
    /// Environment steps so far, all lanes together.
    pub env_steps: u64,
    /// Episodes finished so far.
    pub episodes: u64,
    /// Mean undiscounted return of the last 100 episodes that count, or of all if there are fewer: see [`History`].
    pub episode_return_mean: Option<f64>,
    /// Mean length of the same, in steps.
    pub episode_length_mean: Option<f64>,
    /// Mean policy loss over the update's gradient steps.
    pub policy_loss: Option<f64>,
    /// Mean value loss.
    pub value_loss: Option<f64>,
    /// Mean entropy of the policy, in nats.
    pub entropy: Option<f64>,
    /// Mean estimate of KL(old policy, new policy), in nats.
    pub approx_kl: Option<f64>,
    /// Share of steps whose probability ratio was clipped.
    pub clip_fraction: Option<f64>,
    /// Share of the value targets' variance that the critic explains; 1 is perfect, 0 no better than a constant.
    pub explained_variance: Option<f64>,
    /// Mean Euclidean norm of the gradient, before clipping.
    pub grad_norm: f64,
    /// Mean Euclidean norm of the parameters' change.
    pub update_norm: f64,
    /// The learning rate.
    pub lr: Option<f64>,
    /// Environment steps a second since training began. The only column that a clock decides.
    pub steps_per_second: f64,
    /// What else the objective and the optimizer report, by the names that they declare, and each of the algorithm's numbers
    /// that is a schedule, such as `ent_coef`: the columns before the last.
    #[serde(skip)]
    pub others: Vec<(&'static str, f64)>,
}

/// The terms that have a place of their own.
const TERMS: [&str; 5] = ["policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction"];

impl Metrics {
    /// The columns that every `metrics.csv` begins with, in order. Those of [`others`](Metrics::others) come after them, and
    /// `steps_per_second` last.
    pub const COLUMNS: [&str; 14] = [
        "update",
        "env_steps",
        "episodes",
        "episode_return_mean",
        "episode_length_mean",
        "policy_loss",
        "value_loss",
        "entropy",
        "approx_kl",
        "clip_fraction",
        "explained_variance",
        "grad_norm",
        "update_norm",
        "lr",
    ];

    /// The last column, the only one that a clock decides.
    pub(crate) const CLOCK: &str = "steps_per_second";

    /// The number of a column of that name, where there is one; those of [`others`](Metrics::others) are not among them.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<f64> {
        match name {
            "update" => Some(self.update as f64),
            "env_steps" => Some(self.env_steps as f64),
            "episodes" => Some(self.episodes as f64),
            "episode_return_mean" => self.episode_return_mean,
            "episode_length_mean" => self.episode_length_mean,
            "policy_loss" => self.policy_loss,
            "value_loss" => self.value_loss,
            "entropy" => self.entropy,
            "approx_kl" => self.approx_kl,
            "clip_fraction" => self.clip_fraction,
            "explained_variance" => self.explained_variance,
            "grad_norm" => Some(self.grad_norm),
            "update_norm" => Some(self.update_norm),
            "lr" => self.lr,
            Self::CLOCK => Some(self.steps_per_second),
            _ => None,
        }
    }

    /// `scheduled` are the algorithm's numbers that change over training, as they were; `of_optimizer` is what the optimizer
    /// reports, and a loss scale.
    pub(crate) fn new(
        update: u64,
        env_steps: u64,
        history: &History,
        report: &UpdateReport,
        scheduled: impl Iterator<Item = (&'static str, f64)>,
        (lr, of_optimizer): (Option<f64>, Vec<(&'static str, f64)>),
        seconds: f64,
    ) -> Self {
        let term = |name: &str| report.terms.iter().find(|(term, _)| *term == name).map(|(_, value)| *value);
        let others = report.terms.iter().filter(|(name, _)| !TERMS.contains(name)).copied();
        Self {
            update,
            env_steps,
            episodes: history.episodes(),
            episode_return_mean: history.return_mean(),
            episode_length_mean: history.length_mean(),
            policy_loss: term("policy_loss"),
            value_loss: term("value_loss"),
            entropy: term("entropy"),
            approx_kl: term("approx_kl"),
            clip_fraction: term("clip_fraction"),
            explained_variance: Some(report.explained_variance).filter(|v| v.is_finite()),
            grad_norm: report.grad_norm,
            update_norm: report.update_norm,
            lr,
            steps_per_second: env_steps as f64 / seconds,
            others: others.chain(scheduled).chain(of_optimizer).collect(),
        }
    }
}

/// The last 100 episodes, and when their mean return first reached the environment's threshold.
///
/// Episodes count in the order in which they began, each once all that began before it or together with it have ended. The
/// last 100 to end would be too many short ones, and at first, with many lanes, the 100 shortest of all, whose return is
/// luck. So there is no mean before every lane has ended its first episode.
///
/// In a task without a limit of steps there is none, either, while an episode has been open for more than 10,000 of them:
/// what it will return is not known, and the mean of the others would be that of the lucky ones.
#[derive(Debug, Clone)]
pub struct History {
    recent: VecDeque<Episode>,
    episodes: u64,
    /// Whether an open episode makes every mean unknown.
    unknown: bool,
    threshold: Option<f64>,
    solved_at_step: Option<u64>,
}

impl History {
    /// Episodes that the means go over.
    pub const WINDOW: usize = 100;

    /// An empty history for a task that counts as solved at a mean return of `threshold`, if it has one.
    #[must_use]
    pub fn new(threshold: Option<f64>) -> Self {
        let recent = VecDeque::with_capacity(Self::WINDOW);
        Self { recent, episodes: 0, unknown: false, threshold, solved_at_step: None }
    }

    /// Notes an episode that counts.
    pub fn push(&mut self, episode: Episode) {
        if self.recent.len() == Self::WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(episode);
        self.episodes += 1;
        let mean = self.return_mean_of_100();
        let reached = self.threshold.zip(mean).is_some_and(|(threshold, mean)| reaches(mean, threshold));
        if self.solved_at_step.is_none() && reached {
            self.solved_at_step = Some(episode.env_steps);
        }
    }

    /// Notes what a collector's last rollout brought.
    pub(crate) fn follow(&mut self, episodes: &Episodes) {
        self.unknown = episodes.one_is_stuck();
        episodes.counted().iter().for_each(|&episode| self.push(episode));
        self.episodes = episodes.ended();
    }

    /// Episodes finished so far, with those that do not count yet.
    #[must_use]
    pub fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Mean return of the last 100 episodes that count, or of all if there are fewer.
    #[must_use]
    pub fn return_mean(&self) -> Option<f64> {
        self.mean(|episode| episode.episode_return)
    }

    /// Mean return of the last 100 episodes that count; `None` while there are fewer, whose mean is good by luck. By this
    /// a task is solved, a policy the best, and a plateau one.
    #[must_use]
    pub fn return_mean_of_100(&self) -> Option<f64> {
        self.return_mean().filter(|_| self.recent.len() == Self::WINDOW)
    }

    /// Mean length of the last 100 episodes that count, or of all if there are fewer.
    #[must_use]
    pub fn length_mean(&self) -> Option<f64> {
        self.mean(|episode| f64::from(episode.length))
    }

    /// The environment step at which 100 episodes that count first had a mean return at or above the threshold.
    #[must_use]
    pub fn solved_at_step(&self) -> Option<u64> {
        self.solved_at_step
    }

    /// Adds the last episodes to `arrays`; how many there were in all, and which are open, is the collector's to keep.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        arrays.put(
            "history.episode_return",
            self.recent.iter().map(|episode| episode.episode_return).collect::<Vec<_>>(),
        );
        arrays.put("history.length", self.recent.iter().map(|episode| episode.length.into()).collect::<Vec<u64>>());
        arrays.put("history.env_steps", self.recent.iter().map(|episode| episode.env_steps).collect::<Vec<_>>());
    }

    /// Goes on from what [`History::save`] left; [`History::follow`] has to come after it.
    pub(crate) fn restore(&mut self, arrays: &Arrays, solved_at_step: Option<u64>) -> Result<()> {
        let returns = arrays.get::<f64>("history.episode_return")?;
        let lengths = arrays.get_len::<u64>("history.length", returns.len())?;
        let steps = arrays.get_len::<u64>("history.env_steps", returns.len())?;
        let recent = returns.iter().zip(lengths).zip(steps).map(|((&episode_return, &length), &env_steps)| {
            let length =
                u32::try_from(length).map_err(|_| Error::Checkpoint(format!("an episode of {length} steps")))?;
            Ok(Episode { episode_return, length, env_steps })
        });
        self.recent = recent.take(Self::WINDOW).collect::<Result<_>>()?;
        self.solved_at_step = solved_at_step;
        Ok(())
    }

    fn mean(&self, of: impl Fn(&Episode) -> f64) -> Option<f64> {
        let n = self.recent.len();
        (n > 0 && !self.unknown).then(|| self.recent.iter().map(of).sum::<f64>() / n as f64)
    }
}

/// Whether a mean return is at a threshold or above, as far as rewards of f32 can tell: -0.1 is not -1/10 among them, and an episode's
/// sum of such numbers may come out below the threshold that it reaches, by a little of it.
pub(crate) fn reaches(mean: f64, threshold: f64) -> bool {
    const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;
    mean >= threshold - ROUNDING * threshold.abs()
}

#[cfg(test)]
mod tests {
    use super::{Episode, History, reaches};

    #[test]
    fn a_threshold_is_reached_by_the_rewards_of_f32_that_it_is_the_sum_of() {
        let sum = |rewards: &[f32]| rewards.iter().map(|&reward| f64::from(reward)).sum::<f64>();
        for (rewards, threshold) in
            [(&[-0.1, 1.0][..], 0.9), (&[-0.01, 1.0], 0.99), (&[-0.1; 15], -1.5), (&[0.3; 7], 2.1)]
        {
            assert!(reaches(sum(rewards), threshold), "{threshold}: {}", sum(rewards));
        }
        assert!(sum(&[-0.1, 1.0]) < 0.9);
        // 100 episodes, one of which was a step short.
        assert!(!reaches(474.99, 475.0) && !reaches(0.8999, 0.9) && !reaches(-110.01, -110.0) && !reaches(-1e-9, 0.0));
        assert!(!reaches(f64::NAN, 0.0) && !reaches(1e300, f64::INFINITY) && reaches(f64::INFINITY, 1.0));
    }

    #[test]
    fn a_task_is_solved_when_100_episodes_reach_the_threshold_on_average() {
        let mut history = History::new(Some(10.0));
        assert_eq!(history.return_mean(), None);
        for i in 1..=150u64 {
            // The first 50 return 0, the rest 20: the last 100 average 10 once 50 good ones are in.
            let episode_return = if i <= 50 { 0.0 } else { 20.0 };
            history.push(Episode { episode_return, length: 2, env_steps: 7 * i });
        }
        assert_eq!(history.solved_at_step(), Some(700));
        assert_eq!((history.episodes(), history.return_mean()), (150, Some(20.0)));
        assert_eq!(history.length_mean(), Some(2.0));
    }

    #[test]
    fn fewer_than_100_episodes_solve_nothing() {
        let mut history = History::new(Some(1.0));
        for i in 1..100 {
            history.push(Episode { episode_return: 5.0, length: 1, env_steps: i });
        }
        assert_eq!(history.solved_at_step(), None);
    }
}
