//! A run's curve in as many rows as a picture shows.

use std::fmt::Write;
use std::path::Path;

use crate::Result;
use crate::plot::{DEFAULT_METRIC, RecordedRun};

/// Rows at most.
const MOST: usize = 100;

/// The metrics of a card: the mean return at some of the run's updates, the last among them, as `plot` reads it. A run in which
/// no episode counted, and a policy that was imported, have none.
pub(super) fn read(run: &Path) -> Result<Option<String>> {
    if !run.join("metrics.csv").is_file() {
        return Ok(None);
    }
    let Ok(RecordedRun { env_steps, values, .. }) = RecordedRun::read(run) else { return Ok(None) };
    let every = env_steps.len().div_ceil(MOST).max(1);
    let mut text = format!("env_steps,{DEFAULT_METRIC}\n");
    // Counted from the end, whose row is then one of them.
    let rows: Vec<_> = env_steps.iter().zip(&values).rev().step_by(every).collect();
    for (steps, value) in rows.into_iter().rev() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{steps},{value}");
    }
    Ok(Some(text))
}
