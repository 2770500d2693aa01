//! What an optimizer takes on one task with one algorithm: all that a clock decides, and bytes.

use super::results::{Results, Run, Status};

/// Of all runs of an optimizer there, whatever their protocol and learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// The most bytes of state.
    pub(super) state_bytes: u64,
    /// Microseconds a rollout with its update in the fastest run. What else the machine does only ever adds to it.
    pub(super) fastest: f64,
    /// The same in the middle one of all runs.
    pub(super) median: f64,
    /// Seconds an environment step in the fastest run.
    pub(super) seconds_per_step: f64,
}

impl Cost {
    pub(super) fn of(results: &Results, task: &str, algo: &str, optimizer: &str) -> Self {
        let own = |run: &&Run| run.task == task && run.algo == algo && run.optimizer == optimizer;
        let mut runs: Vec<&Run> = results.runs.iter().filter(own).collect();
        let state_bytes = runs.iter().map(|run| run.state_bytes).max().unwrap_or_default();
        // A run that diverged was not evaluated, which would make it look fast.
        if runs.iter().any(|run| run.status != Status::Diverged) {
            runs.retain(|run| run.status != Status::Diverged);
        }
        let mut times: Vec<f64> = runs.iter().map(|run| run.microseconds_per_update()).collect();
        times.sort_by(f64::total_cmp);
        let at = |place: usize| times.get(place).copied().unwrap_or(f64::NAN);
        let per_step = runs.iter().map(|run| run.seconds / run.env_steps.max(1) as f64);
        Self {
            state_bytes,
            fastest: at(0),
            median: at(times.len() / 2),
            seconds_per_step: per_step.fold(f64::INFINITY, f64::min),
        }
    }
}
