//! What an estimator makes of a rollout.

/// Advantages and value targets of a rollout, each `[T, N]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// `Aₜ`: what the policy gradient multiplies `∇ log π(aₜ|sₜ)` with.
    pub advantage: Vec<f32>,
    /// What `V(sₜ)` is regressed on.
    pub target: Vec<f32>,
}
