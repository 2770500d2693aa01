//! Distributions over actions.

mod categorical;

pub use categorical::Categorical;
