//! One process.

use std::process::ExitCode;
use std::sync::Arc;

use crate::{Catalogue, Result, RunFolder, World};

/// Does the first rank's part: there is no other.
pub(in crate::cli) fn together(_: &str, _: &Catalogue, first: impl FnOnce() -> ExitCode) -> ExitCode {
    first()
}

/// The ranks that learn together.
pub(in crate::cli) fn world() -> Option<Arc<dyn World>> {
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

/// Notes that the others have done their part.
pub(in crate::cli) fn are_done() {}
