//! Loads what `train` left in a folder, prints the policy's returns, and shows it at work.
//!
//! ```text
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --best
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --watch
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --gif cartpole.gif
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("evaluate", &uphill::Catalogue::default())
}
