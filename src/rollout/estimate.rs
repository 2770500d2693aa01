//! What an estimator makes of a rollout.

/// Advantages and value targets of a rollout, each `[T, N]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// `Aₜ`: what the policy gradient multiplies `∇ log π(aₜ|sₜ)` with.
    pub advantage: Vec<f32>,
    /// What `V(sₜ)` is regressed on.
    pub target: Vec<f32>,
    /// What the network's own values are in. An objective is told targets, and values of the rollout, in it.
    pub unit: ValueUnit,
}

/// What a network's values are in: a value is `mean + std·v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueUnit {
    /// What 0 stands for.
    pub mean: f32,
    /// What 1 is more, above 0.
    pub std: f32,
}

impl Default for ValueUnit {
    /// That of the rewards.
    fn default() -> Self {
        Self { mean: 0.0, std: 1.0 }
    }
}

impl ValueUnit {
    /// A value in this unit.
    #[must_use]
    pub fn of(self, value: f32) -> f32 {
        (value - self.mean) / self.std
    }

    /// What `v` in this unit stands for.
    #[must_use]
    pub fn value(self, v: f32) -> f32 {
        self.mean + self.std * v
    }
}
