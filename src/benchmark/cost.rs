//! What an optimizer takes on one task with one algorithm: all that a clock decides, and bytes.

use super::results::{Results, Run, Status};

/// Of all runs of an optimizer there, whatever their protocol and learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// The most bytes of state.
    pub(super) state_bytes: u64,
    /// Microseconds of processor time a rollout with its update, in the middle one of all runs.
    pub(super) median: f64,
    /// The same in the fastest.
    pub(super) fastest: f64,
    /// Seconds of processor time an environment step, in the middle one of all runs.
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
        let sorted = |time: &dyn Fn(&Run) -> f64| {
            let mut times: Vec<f64> = runs.iter().map(|run| time(run)).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let middle = |times: &[f64]| times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
        let updates = sorted(&|run| run.microseconds_per_update());
        let steps = sorted(&|run| run.seconds / run.env_steps.max(1) as f64);
        Self {
            state_bytes,
            median: middle(&updates),
            fastest: updates.first().copied().unwrap_or(f64::NAN),
            seconds_per_step: middle(&steps),
        }
    }
}
