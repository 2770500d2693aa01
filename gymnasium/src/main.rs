//! The command line of uphill, with every environment of an installed Gymnasium.

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::main(&uphill_gymnasium::catalogue())
}
