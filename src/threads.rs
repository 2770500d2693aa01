//! The threads that share the work of a rollout and of an update.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uphill_envs::Task;

use crate::kernels::Crew;
use crate::{Error, Result};

/// A fixed number of threads, this one among them. What they compute never depends on how many there are: work is split
/// into fixed shares, and each share's result has its fixed place.
#[derive(Clone, Default)]
pub struct Threads {
    /// The others; none where this thread is alone.
    crew: Option<Arc<Crew>>,
}

impl Threads {
    /// The most threads: more than any share of work is split into.
    pub const MAX: usize = 64;

    /// So many threads, this one among them; 0 takes as many as the machine has cores.
    ///
    /// # Errors
    /// [`Error::Config`] for more than [`Threads::MAX`], or if the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self> {
        let refused = |why: String| Error::Config(format!("threads = {threads} is impossible: {why}"));
        if threads > Self::MAX {
            return Err(refused(format!("there may be {} at most", Self::MAX)));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(Self::MAX);
        let others = if threads == 0 { cores - 1 } else { threads - 1 };
        if others == 0 {
            return Ok(Self::default());
        }
        let crew = Crew::new(others).map_err(|e| refused(e.to_string()))?;
        Ok(Self { crew: Some(Arc::new(crew)) })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.crew.as_ref().map_or(0, |crew| crew.helpers())
    }

    /// Does `work` on every share, each on whichever thread is free; returns when all are done.
    pub(crate) fn each<T: Send>(&self, shares: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let Some(crew) = self.crew.as_ref().filter(|_| shares.len() > 1) else {
            return shares.iter_mut().enumerate().for_each(|(i, share)| work(i, share));
        };
        let helpers = crew.helpers().min(shares.len() - 1);
        let queue = Mutex::new(shares.iter_mut().enumerate());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        crew.call(helpers, &|| {
            while let Some((i, share)) = next() {
                work(i, share);
            }
        });
    }

    /// Does both, at the same time where a thread is free for the second.
    pub(crate) fn both(&self, mut first: impl FnMut() + Send, mut second: impl FnMut() + Send) {
        let mut tasks: [&mut (dyn FnMut() + Send); 2] = [&mut first, &mut second];
        self.each(&mut tasks, |_, task| task());
    }

    /// Has every task done, each on whichever thread is free; returns when all are.
    pub(crate) fn run(&self, tasks: Vec<Task<'_>>) {
        let mut tasks: Vec<Option<Task<'_>>> = tasks.into_iter().map(Some).collect();
        self.each(&mut tasks, |_, task| task.take().into_iter().for_each(|task| task()));
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Threads({})", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::Threads;

    #[test]
    fn every_share_is_worked_on_once_by_any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let pool = Threads::new(threads).expect("threads");
            assert_eq!(pool.count(), threads);
            for shares in [0, 1, 2, 5, 100] {
                let mut done = vec![0usize; shares];
                pool.each(&mut done, |i, share| *share += i + 1);
                assert_eq!(done, (1..=shares).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn too_many_are_refused() {
        let message = Threads::new(1_000).expect_err("too many").to_string();
        assert_eq!(message, "threads = 1000 is impossible: there may be 64 at most");
        assert!(Threads::new(0).expect("some").count() >= 1);
    }
}
