//! The command line of uphill.

use std::process::ExitCode;

fn main() -> ExitCode {
    uphill::cli::main(&uphill::Catalogue::default())
}
