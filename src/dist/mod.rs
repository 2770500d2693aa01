//! Distributions over actions.

mod categorical;
mod categorical_rows;

pub use categorical::Categorical;
pub(crate) use categorical::no_distribution;
pub use categorical_rows::CategoricalRows;
