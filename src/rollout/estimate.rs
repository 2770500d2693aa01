//! What a rollout is learnt from.

use candle_core::Tensor;

use crate::Result;

/// Advantages and value targets of a rollout, each `[T, N]`, and what else an objective is told of its steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// `Aₜ`: what the policy gradient multiplies `∇ log π(aₜ|sₜ)` with.
    pub advantage: Vec<f32>,
    /// What `V(sₜ)` is regressed on.
    pub target: Vec<f32>,
    /// What the network's own values are in. An objective is told targets, and values of the rollout, in it.
    pub unit: ValueUnit,
    /// `[T, N, K]`: what is added to the [means](crate::distributions::Distribution::means) of the policy in each step before an
    /// objective reads it. Empty adds nothing.
    pub shift: Vec<f32>,
}

impl Estimate {
    /// Adds to the means, the first so many numbers of each row of outputs, `[B, stride]`, what there is to be added at these places.
    pub(crate) fn shift(&self, outputs: &mut [f32], stride: usize, means: usize, places: &[usize]) {
        if self.shift.is_empty() {
            return;
        }
        for (row, &place) in outputs.chunks_exact_mut(stride).zip(places) {
            let shift = &self.shift[place * means..(place + 1) * means];
            row.iter_mut().zip(shift).for_each(|(mean, by)| *mean += by);
        }
    }
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

    /// Values in this unit, where they are.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub(crate) fn of_tensor(self, values: Tensor) -> Result<Tensor> {
        let (mean, std) = (f64::from(self.mean), f64::from(self.std));
        if self == Self::default() { Ok(values) } else { Ok(values.affine(1.0, -mean)?.affine(1.0 / std, 0.0)?) }
    }

    /// What values in this unit stand for, where they are.
    ///
    /// # Errors
    /// As [`ValueUnit::of_tensor`].
    pub(crate) fn value_tensor(self, v: Tensor) -> Result<Tensor> {
        let (mean, std) = (f64::from(self.mean), f64::from(self.std));
        if self == Self::default() { Ok(v) } else { Ok(v.affine(std, mean)?) }
    }

    /// What `v` in this unit stands for.
    #[must_use]
    pub fn value(self, v: f32) -> f32 {
        self.mean + self.std * v
    }
}
