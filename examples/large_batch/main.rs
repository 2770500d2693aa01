//! Large batches: how many steps and updates PPO takes to learn a task at batches of several sizes, with several optimizers, whose
//! learning rates are tuned at each size, or scaled with it.
//!
//! ```text
//! cargo run --release --example large_batch -- --config docs/studies/large-batch/study.toml
//! ```
//!
//! Kill it whenever you like: each run is a file once it is done, and the same command does the rest.

mod noise;
mod record;
mod report;
mod runs;
mod study;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use uphill::screen::say;
use uphill::{Result, cli};

use report::Found;
use study::Study;

/// Steps and updates that PPO takes to learn a task, against the size of its batch.
#[derive(Parser)]
struct Args {
    /// What is run
    #[arg(long, value_name = "FILE", default_value = "docs/studies/large-batch/study.toml")]
    config: PathBuf,
    /// Where results go
    #[arg(long, value_name = "FOLDER", default_value = "runs/large-batch")]
    out: PathBuf,
    /// Run nothing: make the tables of what is there
    #[arg(long)]
    report: bool,
}

fn main() -> ExitCode {
    cli::run(run)
}

fn run(args: &Args) -> Result<()> {
    let study = Study::read(&args.config)?;
    let found = Found::of(&study, &args.out, !args.report)?;
    found.write_tables(&args.out)?;
    found.write_report(&args.out)?;
    say(format_args!("{}", args.out.join("report.md").display()))
}
