//! The return, or the loss, around a trained policy, with the ways that optimizers took to it.
//!
//! ```text
//! cargo run --release --example landscape
//! cargo run --release --example landscape -- --surface loss
//! cargo run --release --example landscape -- --directions random
//! cargo run --release --example landscape -- --env CartPole-v1 --steps 50000 --optimizers adam "lamb(lr=3e-3)" --resolution 21
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("landscape", &uphill::Catalogue::default())
}
