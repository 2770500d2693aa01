//! One process.

use std::process::ExitCode;
use std::sync::Arc;

use crate::benchmark::{Benchmark, Results};
use crate::{Catalogue, Config, Result, RunFolder, Threads, World};

/// Does the first rank's part: there is no other.
pub(in crate::cli) fn together(_: &str, _: &Catalogue, first: impl FnOnce() -> ExitCode) -> ExitCode {
    first()
}

/// The ranks that learn together.
pub(in crate::cli) fn world() -> Option<Arc<dyn World>> {
    None
}

/// The ranks that learn by such a configuration.
pub(in crate::cli) fn world_of(_: &Config) -> Option<Arc<dyn World>> {
    None
}

/// Refuses what several ranks cannot do.
pub(in crate::cli) fn refuse(_: &str) -> Result<()> {
    Ok(())
}

/// Lets the others begin.
pub(in crate::cli) fn start(_: &RunFolder) -> Result<()> {
    Ok(())
}

/// Does the runs of a comparison.
pub(in crate::cli) fn compare(benchmark: &Benchmark, threads: &Threads, _: usize, quiet: bool) -> Result<Results> {
    benchmark.run(threads, quiet)
}

/// Lets the others end.
pub(in crate::cli) fn dismiss() -> Result<()> {
    Ok(())
}

/// Notes that the others have done their part.
pub(in crate::cli) fn are_done() {}
