//! Draws the learning curves of run folders.
//!
//! `cargo run --release --example plot -- runs/a runs/b --out curves.png`

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("plot", &uphill::Catalogue::default())
}
