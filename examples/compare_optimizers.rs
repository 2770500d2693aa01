//! Compares optimizers: tasks x algorithms x optimizers x seeds, at their defaults and tuned.
//!
//! ```text
//! cargo run --release --example compare_optimizers
//! cargo run --release --example compare_optimizers -- --tasks CartPole-v1 --optimizers sgd "adam(lr=3e-4)" --seeds 10
//! cargo run --release --example compare_optimizers -- --optimizers adam --lr 1e-4 1e-3 1e-2 --protocols
//! cargo run --release --example compare_optimizers -- --config docs/studies/optimizers/grid.toml --dry-run
//! ```
//!
//! Kill it whenever you like: the same command does the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("compare", &uphill::Catalogue::default())
}
