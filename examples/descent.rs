//! The picture of gradient descent: the paths of optimizers over a surface, as PNG and as animated GIF.
//!
//! ```text
//! cargo run --release --example descent
//! cargo run --release --example descent -- --surface return --optimizers "sgd(lr=0.5)" "adam(lr=0.05)" "trac(adam(lr=0.05))"
//! cargo run --release --example descent -- --surface rosenbrock --optimizers sgd momentum adam --learning-rates 1e-4 1e-3 1e-2
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::program("descent", &uphill::Catalogue::default())
}
