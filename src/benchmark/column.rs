//! What optimizers do on one task with one algorithm.

use super::cell::Stage;
use super::comparison::BOOTSTRAP;
use super::results::{Results, Run, Status};
use crate::Result;
use crate::stats::{Interval, Reached, Scores, iqm, median_steps, restricted_mean_steps};

/// The score that counts as half of the way from a random policy to the optimum.
pub(super) const HALF: f64 = 0.5;

/// A task with an algorithm under one protocol.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) stage: Stage,
    pub(super) task: String,
    pub(super) algo: String,
    /// Whether the task's environment says from which mean return on it is solved.
    pub(super) has_threshold: bool,
    /// One each optimizer, in the grid's order.
    pub(super) entries: Vec<Entry>,
}

/// What one optimizer does there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) optimizer: String,
    /// Interquartile mean of the area under the curve of scores.
    pub(super) area: Interval,
    /// Interquartile mean of the score at the end of training.
    pub(super) final_score: Interval,
    /// Until the learning curve was at [`HALF`] or above for good.
    pub(super) half: Milestone,
    /// Until 100 episodes reached the environment's threshold on average.
    pub(super) solved: Milestone,
    pub(super) collapsed: usize,
    pub(super) diverged: usize,
}

/// How many steps something took, and which share of the runs was never seen to get there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Milestone {
    pub(super) median: Interval,
    /// Steps below it within the steps that were asked for.
    pub(super) restricted_mean: Interval,
    pub(super) censored: f64,
}

impl Column {
    pub(super) fn of(results: &Results, stage: Stage, task: &str, algo: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for optimizer in results.optimizers() {
            let runs: Vec<&Run> = results.of(stage, task, algo, &optimizer).collect();
            entries.push(Entry::of(optimizer.clone(), &runs)?);
        }
        let has_threshold = results.grid.threshold(task)?.is_some();
        Ok(Self { stage, task: task.into(), algo: algo.into(), has_threshold, entries })
    }

    /// As the tables call it.
    pub(super) fn scope(&self) -> String {
        format!("{} {}", self.task, self.algo)
    }
}

impl Entry {
    fn of(optimizer: String, runs: &[&Run]) -> Result<Self> {
        let interval = |of: fn(&Run) -> f64| {
            let scores: Vec<f64> = runs.iter().map(|run| of(run)).collect();
            BOOTSTRAP.interval(&Scores::of_one_task(&scores)?, iqm)
        };
        // The last rollout may go beyond the steps that were asked for, and the task be solved there.
        let last = runs.iter().map(|run| run.env_steps.max(run.steps)).max().unwrap_or_default();
        let watched = |run: &Run| if run.status == Status::Diverged { last } else { run.env_steps.max(run.steps) };
        let solved = |run: &&Run| run.solved_at_step.map_or_else(|| Reached::NotBy(watched(run)), Reached::At);
        let half = |run: &&Run| {
            let (env_steps, scores) = run.score_curve();
            // For good: early points are means of few episodes, some of which are lucky.
            let below = scores.iter().rposition(|&score| score < HALF);
            let first = env_steps.get(below.map_or(0, |below| below + 1));
            first.map_or(Reached::NotBy(run.steps), |&env_steps| Reached::At(env_steps))
        };
        let steps = runs.iter().map(|run| run.steps).max().unwrap_or_default();
        let half: Vec<Reached> = runs.iter().map(half).collect();
        let solved: Vec<Reached> = runs.iter().map(solved).collect();
        let count = |status| runs.iter().filter(|run| run.status == status).count();
        Ok(Self {
            area: interval(|run| run.area)?,
            final_score: interval(|run| run.final_score)?,
            half: Milestone::of(&half, steps)?,
            solved: Milestone::of(&solved, steps)?,
            collapsed: count(Status::Collapsed),
            diverged: count(Status::Diverged),
            optimizer,
        })
    }
}

impl Milestone {
    fn of(runs: &[Reached], steps: u64) -> Result<Self> {
        let censored = runs.iter().filter(|run| matches!(run, Reached::NotBy(_))).count();
        Ok(Self {
            median: median_steps(runs, &BOOTSTRAP)?,
            restricted_mean: restricted_mean_steps(runs, steps, &BOOTSTRAP)?,
            censored: censored as f64 / runs.len() as f64,
        })
    }
}

#[cfg(test)]
mod tests;
