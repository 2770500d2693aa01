//! Whether to break off what takes long.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How long something may still go on once it is to be broken off.
const PATIENCE: Duration = Duration::from_secs(2);

/// A question of the user's, asked from any thread.
#[derive(Clone)]
pub(crate) struct Flag(Arc<dyn Fn() -> bool + Send + Sync>);

impl Flag {
    pub(crate) fn new(asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(asked))
    }

    /// The same question, to which yes is said once it has been meant for two seconds.
    pub(crate) fn patient(&self) -> Self {
        let (flag, since) = (self.0.clone(), OnceLock::new());
        Self::new(move || flag() && since.get_or_init(Instant::now).elapsed() > PATIENCE)
    }
}

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flag(..)")
    }
}

/// What long work asks between its parts: whether to break off. By default the answer is no.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use uphill::{Error, Stop};
///
/// let flag = AtomicBool::new(false);
/// let asked = || flag.load(Ordering::Relaxed);
/// let stop = Stop::when(&asked);
/// assert!(stop.check().is_ok());
/// flag.store(true, Ordering::Relaxed);
/// assert!(matches!(stop.check(), Err(Error::Interrupted)));
/// ```
#[derive(Clone, Copy, Default)]
pub struct Stop<'a>(Option<&'a (dyn Fn() -> bool + Send + Sync)>);

impl<'a> Stop<'a> {
    /// Breaks off when `flag` says so, which is asked from any thread: it should look at a flag and do no more.
    #[must_use]
    pub fn when(flag: &'a (dyn Fn() -> bool + Send + Sync)) -> Self {
        Self(Some(flag))
    }

    /// Breaks off when a flag says so, if there is one.
    pub(crate) fn of(flag: Option<&'a Flag>) -> Self {
        Self(flag.map(|flag| &*flag.0))
    }

    /// Whether to break off.
    #[must_use]
    pub fn asked(self) -> bool {
        self.0.is_some_and(|flag| flag())
    }

    /// Fails if it is time to break off.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(self) -> Result<()> {
        if self.asked() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

impl fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Stop::when(..)" } else { "Stop::default()" })
    }
}
