//! Hyper-parameters that change over training.

use super::{Slot, When};

/// A hyper-parameter as a function of [`When::progress`], the share of training that is done.
///
/// A number is a schedule too: wherever one is asked for, `0.9.into()` will do.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// The same all along.
    Constant(f64),
    /// From `start` at progress 0 in a straight line to `end` at progress 1.
    Linear {
        /// Its value at progress 0.
        start: f64,
        /// Its value at progress 1.
        end: f64,
    },
    /// Placeholder.
    Plateau,
}

impl Schedule {
    /// The value at some time; progress is clamped to `[0, 1]`.
    #[must_use]
    pub fn at(&self, when: When) -> f64 {
        let p = when.progress.clamp(0.0, 1.0);
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Linear { start, end } => start + (end - start) * p,
            Schedule::Plateau => 0.0,
        }
    }

    /// Tells it the latest value of the metric that it goes by, if it goes by one. More is better.
    pub fn observe(&mut self, _metric: f64) {}

    /// Shows what it remembers of metrics, if it goes by them.
    pub fn state<'a>(&'a mut self, _visit: &mut dyn FnMut(&str, Slot<'a>)) {}
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Schedule::Constant(value)
    }
}
