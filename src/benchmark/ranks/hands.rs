//! The threads of a rank that do runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use super::super::outcome::Measure;
use super::super::trained;
use super::Done;
use crate::error::said_in_panic;
use crate::{Config, Error, Result};

/// Threads that do one run at a time, while another one speaks with the other ranks. They end with their run when this is
/// dropped, for which nothing waits.
pub(super) struct Hands {
    runs: Sender<(usize, Config)>,
    done: Receiver<Done>,
    idle: usize,
}

impl Hands {
    /// So many.
    ///
    /// # Errors
    /// [`Error::Config`] if the system refuses a thread.
    pub(super) fn new(count: usize, measure: Measure) -> Result<Self> {
        let ((runs, to_do), (say, done)) = (channel::<(usize, Config)>(), channel());
        let to_do = Arc::new(Mutex::new(to_do));
        for i in 1..=count {
            let (to_do, say) = (to_do.clone(), say.clone());
            let next = move || to_do.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let work = move || {
                while let Ok((number, config)) = next() {
                    let finished = caught(|| trained(&config, measure));
                    if say.send(Done { number, finished }).is_err() {
                        break;
                    }
                }
            };
            let begun = Builder::new().name(format!("uphill-run-{i}")).spawn(work);
            begun.map_err(|e| Error::Config(format!("threads = {count} is impossible: {e}")))?;
        }
        Ok(Self { runs, done, idle: count })
    }

    /// How many have nothing to do.
    pub(super) fn idle(&self) -> usize {
        self.idle
    }

    /// Has one of those that are idle do a run.
    pub(super) fn give(&mut self, number: usize, config: Config) {
        self.idle = self.idle.saturating_sub(1);
        // They listen for as long as this is.
        let _ = self.runs.send((number, config));
    }

    /// What is done by now; where nothing is, waits that long for the first.
    pub(super) fn take(&mut self, wait: Duration) -> Vec<Done> {
        let first = self.done.recv_timeout(wait).ok();
        let done: Vec<Done> = first.into_iter().chain(self.done.try_iter()).collect();
        self.idle += done.len();
        done
    }
}

/// What work came to, or what went wrong in words, where it panicked, too: other runs go on until the first rank has heard of it.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("it panicked: {}", said_in_panic(&*panic).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_told_as_an_error_is() {
        assert_eq!(caught(|| Ok(3)), Ok(3));
        assert_eq!(caught(|| -> crate::Result<()> { panic!("at {}", 7) }), Err("it panicked: at 7".into()));
        assert_eq!(caught(|| -> crate::Result<()> { panic!("out of rope") }), Err("it panicked: out of rope".into()));
        let failed = caught(|| -> crate::Result<()> { Err(crate::Error::Interrupted) });
        assert_eq!(failed, Err(crate::Error::Interrupted.to_string()));
    }
}
