//! Trains an agent and leaves its numbers, its policy and its reward curve in a folder.
//!
//! ```text
//! cargo run --release --example train
//! cargo run --release --example train -- --algo a2c --env GridWorld-4x4-v0 --seed 7
//! cargo run --release --example train -- --resume runs/CartPole-v1-ppo-adam-s1
//! cargo run --release --example train -- --help
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("train", &uphill::Catalogue::default())
}
