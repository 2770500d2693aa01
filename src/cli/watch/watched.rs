//! The folder of a run, looked at now and then.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::report::{Live, live};
use crate::{Catalogue, Result};

/// The least that two looks are apart.
const APART: Duration = Duration::from_secs(1);
/// Looks take no more than this share of the time, for the run needs the processor.
const SHARE: u32 = 20;
/// What a page is made of.
const FILES: [&str; 4] = ["config.toml", "metrics.csv", "evaluations.csv", "summary.json"];

/// Length and time of each file.
type Stamp = [Option<(u64, SystemTime)>; FILES.len()];

/// A run, for whoever asks.
pub(super) struct Watched {
    folder: PathBuf,
    catalogue: Catalogue,
    seen: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    stamp: Stamp,
    /// How often it has changed.
    version: u64,
    now: Arc<Live>,
    /// From when on it may be looked at again.
    due: Instant,
}

impl Watched {
    /// Looks at a folder for the first time.
    ///
    /// # Errors
    /// As [`live`].
    pub(super) fn open(folder: PathBuf, catalogue: &Catalogue) -> Result<Self> {
        let stamp = stamp(&folder);
        let now = Arc::new(live(&folder, age(&stamp), catalogue)?);
        let seen = Seen { stamp, version: 1, now, due: Instant::now() + APART };
        Ok(Self { folder, catalogue: catalogue.clone(), seen: Mutex::new(seen), changed: Condvar::new() })
    }

    /// The run as it was when last looked at, which is now if that is long enough ago.
    pub(super) fn now(&self) -> Arc<Live> {
        let mut seen = self.seen();
        self.look(&mut seen);
        seen.now.clone()
    }

    /// The run and its version, once that is another than `known`; none if it is not within this time.
    pub(super) fn next(&self, known: u64, patience: Duration) -> Option<(u64, Arc<Live>)> {
        let until = Instant::now() + patience;
        let mut seen = self.seen();
        loop {
            self.look(&mut seen);
            if seen.version != known {
                return Some((seen.version, seen.now.clone()));
            }
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            // Whoever looks first wakes the others.
            let rest = left.min(APART);
            seen = self.changed.wait_timeout(seen, rest).map_or_else(|e| e.into_inner().0, |(seen, _)| seen);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the files have changed, if it is time to. What cannot be read now, as it is being replaced, is read later.
    fn look(&self, seen: &mut Seen) {
        let begun = Instant::now();
        if begun < seen.due {
            return;
        }
        let stamp = stamp(&self.folder);
        if stamp != seen.stamp
            && let Ok(now) = live(&self.folder, age(&stamp), &self.catalogue)
        {
            (seen.stamp, seen.version, seen.now) = (stamp, seen.version + 1, Arc::new(now));
            self.changed.notify_all();
        }
        seen.due = Instant::now() + APART.max(begun.elapsed() * SHARE);
    }
}

fn stamp(folder: &std::path::Path) -> Stamp {
    FILES.map(|name| {
        let file = std::fs::metadata(folder.join(name)).ok()?;
        Some((file.len(), file.modified().ok()?))
    })
}

/// How many seconds ago the last row came.
fn age(stamp: &Stamp) -> Option<f64> {
    let (_, at) = stamp[1]?;
    // A clock that was set back since knows of none.
    Some(at.elapsed().unwrap_or_default().as_secs_f64())
}
