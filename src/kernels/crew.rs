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
mod tests;
