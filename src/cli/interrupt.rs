//! Ctrl-C, or `kill`: the first one asks a program to end, the second ends it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::dashboard;
use crate::screen::tell;
use crate::{Error, Result};

/// Set by the first Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// What a program says that Ctrl-C ended.
pub(super) const EXIT_INTERRUPTED: u8 = 130;

/// Whether Ctrl-C (or `kill`) asked the program to end.
pub(super) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Asks the program to end. Where it was asked before, it ends at once; else the answer is that it was not.
pub(super) fn interrupt() -> bool {
    let before = INTERRUPTED.swap(true, Ordering::Relaxed);
    if before {
        dashboard::leave();
        std::process::exit(EXIT_INTERRUPTED.into());
    }
    before
}

/// From now on the first Ctrl-C (or `kill`) asks the program to end, and says so with these words; the second ends it at
/// once.
pub(super) fn on_interrupt(words: Option<&'static str>) -> Result<()> {
    let handler = move || {
        // A dashboard has words of its own.
        if !interrupt() && !dashboard::is_shown() {
            words.iter().for_each(tell);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| Error::Config(format!("Ctrl-C cannot be watched for: {e}")))
}
