//! A number that falls when learning stands still.

use super::Slot;

/// A number that is multiplied by a factor whenever a metric has not risen for long.
///
/// ```text
///   metric > best + threshold:   best ← metric, bad ← 0            otherwise: bad ← bad + 1
///   bad > patience:              value ← max(factor·value, min), bad ← 0, rest ← cooldown
/// ```
///
/// While `rest` counts down, `bad` stays 0. These are the rules of `torch.optim.lr_scheduler.ReduceLROnPlateau` with
/// `mode="max"` and `threshold_mode="abs"`: a relative threshold would mean the wrong thing for negative returns. The
/// metric is what [`Optimizer::observe`](super::Optimizer::observe) is told; a trainer tells the mean return of the last 100
/// episodes after each update, from the first 100 that count on: that of fewer is good by luck, and would stay the best.
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    start: f64,
    factor: f64,
    patience: u64,
    threshold: f64,
    cooldown: u64,
    min: f64,
    value: f64,
    best: f64,
    bad: u64,
    rest: u64,
}

impl Plateau {
    /// From `start` on, times `factor` after more than `patience` observations in a row without a rise.
    #[must_use]
    pub fn new(start: f64, factor: f64, patience: u64) -> Self {
        let (value, best) = (start, f64::NEG_INFINITY);
        Self { start, factor, patience, threshold: 1e-4, cooldown: 0, min: 0.0, value, best, bad: 0, rest: 0 }
    }

    /// The same where a rise must be larger than this, in the metric's unit, to count.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }
    }

    /// The same where so many observations after a change do not count.
    #[must_use]
    pub fn cooldown(self, cooldown: u64) -> Self {
        Self { cooldown, ..self }
    }

    /// The same where the number does not fall below this.
    #[must_use]
    pub fn min(self, min: f64) -> Self {
        Self { min, ..self }
    }

    /// The number now.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Takes the metric's next value. NaN is no rise.
    pub fn observe(&mut self, metric: f64) {
        if metric > self.best + self.threshold {
            (self.best, self.bad) = (metric, 0);
        } else {
            self.bad += 1;
        }
        if self.rest > 0 {
            (self.rest, self.bad) = (self.rest - 1, 0);
        }
        if self.bad > self.patience {
            self.value = (self.value * self.factor).max(self.min.min(self.value));
            (self.bad, self.rest) = (0, self.cooldown);
        }
    }

    pub(super) fn extremes(&self) -> [f64; 2] {
        [self.start, self.min.min(self.start)]
    }

    pub(super) fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("value", Slot::Scalar(&mut self.value));
        visit("best", Slot::Scalar(&mut self.best));
        visit("bad", Slot::Count(&mut self.bad));
        visit("rest", Slot::Count(&mut self.rest));
    }
}
