//! Threads that help with work of a few microseconds: they wait for it awake for a moment before they sleep.
//!
//! A general pool wakes a thread for each piece of work, which takes as long as half a gradient of a small network.
#![allow(unsafe_code)]

use std::any::Any;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{Builder, available_parallelism};

/// Looks that together take some tens of microseconds, more than there is between one piece of work and
/// the next within an update.
const LOOKS: usize = 4_000;

/// Helpers of whoever calls; they end when it is dropped.
pub(crate) struct Crew {
    shared: Arc<Shared>,
    helpers: usize,
    /// Held during a call.
    turn: Mutex<()>,
}

#[derive(Default)]
struct Shared {
    /// How often a thread looks before it sleeps: [`LOOKS`], or never where there are more threads than cores, of which one that
    /// waits awake would keep another from its work.
    looks: usize,
    state: Mutex<State>,
    /// Calls so far, for helpers that wait awake.
    calls: AtomicU64,
    /// Helpers that have begun on the call under way and not ended: changed while `state` is held.
    busy: AtomicUsize,
    called: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    work: Option<Work>,
    /// Helpers that may yet begin on it.
    wanted: usize,
    asleep: usize,
    caller_asleep: bool,
    /// What a helper's share of the work panicked with.
    panic: Option<Box<dyn Any + Send>>,
    closed: bool,
}

/// What a caller wants done, without its lifetime.
#[derive(Clone, Copy)]
struct Work(*const (dyn Fn() + Sync));

// SAFETY: what is pointed to is `Sync`, and `Crew::call` does not return while any thread may look at it.
unsafe impl Send for Work {}

impl Crew {
    /// So many helpers, at least 1.
    ///
    /// # Errors
    /// What the system refuses a thread with.
    pub(crate) fn new(helpers: usize) -> std::io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        let looks = if helpers < cores { LOOKS } else { 0 };
        let shared = Arc::new(Shared { looks, ..Shared::default() });
        let crew = Self { shared, helpers, turn: Mutex::default() };
        for i in 1..=helpers {
            let shared = crew.shared.clone();
            Builder::new().name(format!("uphill-{i}")).spawn(move || shared.help())?;
        }
        Ok(crew)
    }

    /// How many helpers there are.
    pub(crate) fn helpers(&self) -> usize {
        self.helpers
    }

    /// Does `work` here, and at the same time once on each of up to so many helpers that are free; returns when all have
    /// ended. Where a call is under way already, as from within its work, it is done here alone.
    ///
    /// Panics as `work` does, after all have ended.
    pub(crate) fn call(&self, helpers: usize, work: &(dyn Fn() + Sync)) {
        let turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return work(),
        };
        let shared = &*self.shared;
        // SAFETY: only the lifetime is another. The pointer is taken out of `state` below, before which a helper that
        // takes it is counted in `busy`, and this function is not left, by a panic neither, until `busy` is 0.
        let erased = unsafe { std::mem::transmute::<*const (dyn Fn() + Sync + '_), *const (dyn Fn() + Sync)>(work) };
        let awake = {
            let mut state = shared.lock();
            (state.work, state.wanted) = (Some(Work(erased)), helpers);
            self.helpers - state.asleep
        };
        shared.calls.fetch_add(1, Ordering::Release);
        // Those who are awake look before they sleep.
        (awake..helpers).for_each(|_| shared.called.notify_one());
        let done = catch_unwind(AssertUnwindSafe(work));
        let mut state = shared.lock();
        (state.work, state.wanted) = (None, 0);
        if shared.busy.load(Ordering::Acquire) > 0 {
            drop(state);
            // They have little left to do.
            (0..shared.looks).take_while(|_| shared.busy.load(Ordering::Acquire) > 0).for_each(|_| spin_loop());
            state = shared.lock();
            while shared.busy.load(Ordering::Acquire) > 0 {
                state.caller_asleep = true;
                state = shared.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.caller_asleep = false;
        }
        let panic = state.panic.take();
        drop(state);
        drop(turn);
        if let Some(panic) = done.err().or(panic) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.calls.fetch_add(1, Ordering::Release);
        self.shared.called.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a helper does all its life.
    fn help(&self) {
        let mut seen = 0;
        while let Some(work) = self.next(&mut seen) {
            // SAFETY: the caller waits until this helper is no longer counted in `busy`.
            let done = catch_unwind(AssertUnwindSafe(|| unsafe { (*work.0)() }));
            let mut state = self.lock();
            if let Err(panic) = done {
                state.panic.get_or_insert(panic);
            }
            self.busy.fetch_sub(1, Ordering::Release);
            let caller_asleep = state.caller_asleep;
            drop(state);
            if caller_asleep {
                self.ended.notify_one();
            }
        }
    }

    /// Waits for a call, and counts this helper among those who have begun; `None` where there will be none any more.
    fn next(&self, seen: &mut u64) -> Option<Work> {
        (0..self.looks).take_while(|_| self.calls.load(Ordering::Acquire) == *seen).for_each(|_| spin_loop());
        let mut state = self.lock();
        loop {
            *seen = self.calls.load(Ordering::Acquire);
            if state.closed {
                return None;
            }
            if state.wanted > 0 {
                state.wanted -= 1;
                self.busy.fetch_add(1, Ordering::Relaxed);
                return state.work;
            }
            state.asleep += 1;
            state = self.called.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Crew;

    #[test]
    fn work_is_done_here_and_by_helpers_and_nobody_is_at_it_afterwards() {
        let crew = Crew::new(3).expect("threads");
        for round in 0..3_000 {
            let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
            crew.call(round % 4, &|| {
                begun.fetch_add(1, Ordering::Relaxed);
                ended.fetch_add(1, Ordering::Relaxed);
            });
            let begun = begun.into_inner();
            assert_eq!(begun, ended.into_inner());
            assert!((1..=1 + round % 4).contains(&begun), "{begun} at round {round}");
            // Long enough for helpers to fall asleep, now and then.
            if round % 500 == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Comes, and waits until so many have come; nobody waits for ever for one who does not.
    fn meet(there: &AtomicUsize, count: usize) {
        there.fetch_add(1, Ordering::SeqCst);
        for _ in 0..10_000 {
            if there.load(Ordering::SeqCst) >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn as_many_help_as_are_asked_whether_awake_or_asleep() {
        let crew = Crew::new(3).expect("threads");
        for round in 0..60 {
            let (helpers, there) = (1 + round % 3, AtomicUsize::new(0));
            crew.call(helpers, &|| meet(&there, 1 + helpers));
            assert_eq!(there.into_inner(), 1 + helpers, "round {round}");
        }
    }

    #[test]
    fn a_call_within_a_call_and_from_another_thread_is_done_alone() {
        let crew = Crew::new(2).expect("threads");
        let count = AtomicUsize::new(0);
        crew.call(2, &|| crew.call(2, &|| _ = count.fetch_add(1, Ordering::Relaxed)));
        assert!((1..=3).contains(&count.into_inner()));
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| crew.call(2, &|| _ = count.fetch_add(1, Ordering::Relaxed))));
            }
        });
        assert!((2_000..=6_000).contains(&count.into_inner()));
    }

    #[test]
    fn a_panic_comes_out_after_all_have_ended_and_the_crew_goes_on() {
        let crew = Crew::new(1).expect("threads");
        for of_caller in [true, false, true, false] {
            let (there, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let here = std::thread::current().id();
            let done = catch_unwind(AssertUnwindSafe(|| {
                crew.call(1, &|| {
                    meet(&there, 2);
                    assert!((std::thread::current().id() == here) != of_caller, "meant");
                    std::thread::sleep(Duration::from_millis(2));
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }));
            assert!(done.is_err() && ended.into_inner() == 1);
        }
    }
}
