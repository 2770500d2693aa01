//! What goes wrong in the parts of a run, with the update in which it did.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::said_in_panic;
use crate::{Error, Result};

/// What a part of an update comes to. An error has the update's number, but for those that say themselves where they come from or are
/// to be acted on; a panic is such an error, too: the algorithm, the network and the optimizer may be one's own.
pub(super) fn in_update<T>(update: u64, part: impl FnOnce() -> Result<T>) -> Result<T> {
    let told = |source| Err(Error::Update { update, source: Box::new(source) });
    match catch_unwind(AssertUnwindSafe(part)) {
        Ok(Err(error)) if !says_where(&error) => told(error),
        Ok(outcome) => outcome,
        Err(panic) => {
            let said = said_in_panic(&*panic).unwrap_or("without a message");
            told(Error::Config(format!("the algorithm, the network or the optimizer panicked: {said}")))
        }
    }
}

fn says_where(error: &Error) -> bool {
    use Error::{Apart, Diverged, Endless, Env, File, Interrupted, Io, NotFinite};
    matches!(
        error,
        Apart { .. }
            | Diverged { .. }
            | Endless { .. }
            | Env(_)
            | File { .. }
            | Interrupted
            | Io { .. }
            | NotFinite { .. }
    )
}
