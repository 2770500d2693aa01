//! What gradients are worth: bias, variance, signal-to-noise, agreement and noise scale of policy-gradient estimators.
//!
//! ```text
//! cargo run --release --example gradient_quality
//! cargo run --release --example gradient_quality -- --env CartPole-v1 --steps 20000 --episodes 8 --batches 64
//! cargo run --release --example gradient_quality -- --gae-lambdas 0 0.5 1 --n-steps 1 4 16 --batches 400
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("gradient", &uphill::Catalogue::default())
}
