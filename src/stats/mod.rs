//! Statistics of runs over seeds and tasks, with their uncertainty.

mod interval;

pub use interval::Interval;
