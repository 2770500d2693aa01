//! Environments that do one thing wrong, by its name.

mod coins;
mod line;

pub(crate) use coins::Coins;
pub(crate) use line::Line;
