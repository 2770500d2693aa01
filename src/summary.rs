//! What a run came to.

use serde::Serialize;

use crate::evaluation::{Evaluation, StoppedBy};

/// What `summary.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The environment.
    pub env: String,
    /// The algorithm.
    pub algo: String,
    /// The optimizer.
    pub optimizer: String,
    /// The seed.
    pub seed: u64,
    /// The device that was used, such as `cpu` or `cuda:0`.
    pub device: String,
    /// Environment steps taken, all lanes together.
    pub env_steps: u64,
    /// Seconds that training took, without the evaluations.
    pub wall_seconds: f64,
    /// `env_steps / wall_seconds`.
    pub steps_per_second: f64,
    /// Episodes finished in training.
    pub episodes: u64,
    /// Mean return of the last 100 episodes of training that count: see [`History`](crate::History).
    pub episode_return_mean: Option<f64>,
    /// First environment step at which the mean of the last 100 episodes reached the environment's threshold.
    pub solved_at_step: Option<u64>,
    /// The highest mean return of the last 100 episodes after any update: that of `best.safetensors`.
    pub best_return_mean: Option<f64>,
    /// The update that had it.
    pub best_update: Option<u64>,
    /// The highest mean return of an evaluation in the midst of training: that of `best_by_eval.safetensors`.
    pub best_eval_return_mean: Option<f64>,
    /// The update before it.
    pub best_eval_update: Option<u64>,
    /// Whether training is over; `false` for a run that was interrupted and can go on.
    pub finished: bool,
    /// The setting by which an evaluation ended training before all steps were taken; `None` if none did.
    pub stopped_by: Option<StoppedBy>,
    /// The return at which the task counts as solved, where there is one.
    pub reward_threshold: Option<f64>,
    /// Updates, those that diverged among them.
    pub updates: u64,
    /// Times that training left the real numbers and went on.
    pub divergences: u64,
    /// What the run's own numbers show that held it back, with what usually helps; empty where it reached the
    /// environment's threshold. See [`findings`](crate::findings).
    pub findings: Vec<String>,
    /// Whole episodes with the likeliest actions, on seeds of their own.
    pub eval: Evaluation,
    /// The version of this crate that did it.
    pub version: &'static str,
}
