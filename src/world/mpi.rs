//! The processes that an MPI has started.

#[cfg(feature = "cli")]
mod told;

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::mpi::environment::{Universe, initialize_with_threading};
use ::mpi::point_to_point::{Destination, Source};
use ::mpi::request::{Request, Scope, scope};
use ::mpi::topology::{Communicator, SimpleCommunicator};
use ::mpi::traits::CommunicatorCollectives;
use ::mpi::{Rank, Tag, Threading};
use thiserror::Error;

use super::World;
use crate::{Error, Result};

/// The message that says how many bytes a rank has, or all have.
const SIZES: Tag = 1;
/// The message that says that a rank is there, and waits for others.
const HERE: Tag = 4;
/// The message that says why a rank cannot go on.
const FAILED: Tag = 2;
/// How long a rank that has failed waits for the first one to say so.
const TOLD: Duration = Duration::from_secs(5);
/// How long a rank is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes that a rank sends at once.
const AT_ONCE: usize = 1 << 26;
/// How much longer the first rank waits, to hear which ones are there.
const GRACE: Duration = Duration::from_secs(1);
/// From this wait on a rank that waits leaves its core to others.
const IMPATIENT: Duration = Duration::from_millis(1);

/// The ranks of the job that `mpirun` or `srun` started, one a process.
///
/// Each rank tells the first one that it is there, and hears from it what all are about to send; then the MPI gathers that, in whatever
/// way is fastest: it only moves bytes.
///
/// A rank that has not answered for as long as the [patience](MpiWorld::with_patience) is lost: the first rank then fails with
/// [`RankError::Silent`], the others after a quarter and 2 s more, should the first be the one. What is in the midst of a message ends the
/// job itself.
///
/// Source: Message Passing Interface Forum, MPI 3.1 (2015), chapters 3 and 8.
#[derive(Debug)]
pub struct MpiWorld {
    rank: usize,
    size: usize,
    patience: Duration,
    /// Room for what goes and comes. One thread at a time speaks to the MPI.
    room: Mutex<Room>,
    /// Ends the MPI when it is dropped.
    _universe: End,
}

/// Bytes of one's own and of all ranks, as many of each.
#[derive(Debug, Default)]
struct Room {
    own: Vec<u8>,
    all: Vec<u8>,
}

/// What [`MpiWorld`] fails with, as [`Error::Part`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RankError {
    /// It has not answered.
    #[error(
        "rank {rank} has not answered for {seconds} s: it hangs, or takes longer than others are to wait (UPHILL_PATIENCE)"
    )]
    Silent {
        /// Which one.
        rank: usize,
        /// How long was waited for it.
        seconds: u64,
    },
    /// It could not go on.
    #[error("rank {rank}: {problem}")]
    Failed {
        /// Which one.
        rank: usize,
        /// Why, in its words.
        problem: String,
    },
    /// All were there, and what they have does not come.
    #[error(
        "what ranks have did not come within {seconds} s: one of them hangs, or takes longer than others are to wait \
         (UPHILL_PATIENCE); the same job goes on from what has been saved"
    )]
    Stuck {
        /// How long was waited.
        seconds: u64,
    },
    /// There is no world to be had.
    #[error("the MPI cannot be begun: it was begun in this process before")]
    Begun,
}

impl From<RankError> for Error {
    fn from(error: RankError) -> Self {
        Error::Part(Box::new(error))
    }
}

/// The MPI of this process.
struct End(#[expect(dead_code, reason = "dropped")] Universe);

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Universe")
    }
}

impl MpiWorld {
    /// Begins the MPI, which ends when the world is dropped. A rank that has not answered for this long is lost: ten minutes, unless
    /// [told otherwise](MpiWorld::with_patience).
    ///
    /// # Errors
    /// [`RankError::Begun`] where this process has begun it before: there is one world in its life.
    pub fn begin() -> Result<Self> {
        let (universe, _) = initialize_with_threading(Threading::Serialized).ok_or(RankError::Begun)?;
        let all = universe.world();
        let (rank, size) = (all.rank() as usize, all.size() as usize);
        #[cfg(feature = "cli")]
        let universe = told::with_room(universe, rank, size);
        Ok(Self { rank, size, patience: PATIENCE, room: Mutex::default(), _universe: End(universe) })
    }

    /// The same with another patience: longer than any rank takes from one message to the next, evaluations and the writing of files
    /// included.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Ends the job, on every rank, as this one cannot go on. The first rank says why where it listens; where it does not within 5
    /// seconds, this one does.
    pub fn fail(&self, problem: &str) -> ! {
        let is_first = self.rank == 0;
        if !is_first {
            let begun = Instant::now();
            let _one = self.room.lock().unwrap_or_else(PoisonError::into_inner);
            scope(|scope| {
                let to = SimpleCommunicator::world();
                let mut sent = Some(to.process_at_rank(0).immediate_send_with_tag(scope, problem.as_bytes(), FAILED));
                while begun.elapsed() < TOLD {
                    sent = sent.and_then(|sent| sent.test().err());
                    thread::sleep(IMPATIENT);
                }
                self.say_and_abort(&format!("rank {}: {problem}", self.rank));
            });
        }
        self.say_and_abort(problem)
    }

    fn say_and_abort(&self, problem: &str) -> ! {
        // Where standard error is closed the job ends all the same.
        let _ = writeln!(io::stderr().lock(), "error: {problem}");
        self.abort()
    }

    /// Ends the job, on every rank, with status 1.
    pub fn abort(&self) -> ! {
        SimpleCommunicator::world().abort(1)
    }

    /// Waits for all ranks, for as long as it takes: where a rank dies meanwhile, the MPI ends the job.
    pub fn wait(&self) {
        let _one = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Some(SimpleCommunicator::world().immediate_barrier());
        let begun = Instant::now();
        while let Some(wait) = all.take() {
            all = wait.test().err();
            self.pause(begun);
        }
    }

    /// The first rank is to say what is wrong, if it can.
    fn own_patience(&self) -> Duration {
        if self.rank == 0 { self.patience } else { self.patience * 5 / 4 + 2 * GRACE }
    }

    /// Lets others work, the longer it has waited.
    pub(crate) fn pause(&self, begun: Instant) {
        match begun.elapsed() {
            waited if waited < IMPATIENT => thread::yield_now(),
            waited => thread::sleep((waited / 64).min(IMPATIENT)),
        }
    }

    /// What the first rank has heard of one that cannot go on, if there is one.
    fn failed(&self) -> Result<(), RankError> {
        if self.rank == 0
            && let Some(failed) = SimpleCommunicator::world().any_process().immediate_probe_with_tag(FAILED)
        {
            let of = failed.source_rank();
            let (text, _) = SimpleCommunicator::world().process_at_rank(of).receive_vec_with_tag::<u8>(FAILED);
            return Err(RankError::Failed { rank: of as usize, problem: String::from_utf8_lossy(&text).into_owned() });
        }
        Ok(())
    }

    /// What is wrong with waiting for a rank since then, if anything is.
    fn lost(&self, rank: usize, begun: Instant) -> Result<(), RankError> {
        self.failed()?;
        let patience = self.own_patience();
        match begun.elapsed() > patience {
            true => Err(RankError::Silent { rank, seconds: patience.as_secs() }),
            false => Ok(()),
        }
    }

    /// Waits until a message is through; without it there is nothing to go on with.
    fn through<'a, D: ?Sized, S: Scope<'a>>(&self, rank: usize, message: Request<'a, D, S>) {
        let (begun, mut under_way) = (Instant::now(), Some(message));
        while let Some(message) = under_way.take() {
            under_way = message.test().err();
            if under_way.is_some() {
                if let Err(lost) = self.lost(rank, begun) {
                    self.say_and_abort(&lost.to_string());
                }
                self.pause(begun);
            }
        }
    }

    fn send(&self, rank: usize, sizes: &[u64]) {
        let all = SimpleCommunicator::world();
        let to = all.process_at_rank(rank as Rank);
        scope(|scope| self.through(rank, to.immediate_send_with_tag(scope, sizes, SIZES)));
    }

    fn receive(&self, rank: usize, sizes: &mut [u64]) -> Result<()> {
        let (all, begun) = (SimpleCommunicator::world(), Instant::now());
        let from = all.process_at_rank(rank as Rank);
        while from.immediate_probe_with_tag(SIZES).is_none() {
            self.lost(rank, begun)?;
            self.pause(begun);
        }
        scope(|scope| self.through(rank, from.immediate_receive_into_with_tag(scope, sizes, SIZES)));
        Ok(())
    }

    /// How many bytes each rank has, as the first one has heard it from all.
    fn sizes(&self, own: u64) -> Result<Vec<u64>> {
        let mut sizes = vec![0; self.size];
        if self.rank > 0 {
            self.send(0, &[own]);
            self.receive(0, &mut sizes)?;
            return Ok(sizes);
        }
        sizes[0] = own;
        for rank in 1..self.size {
            self.receive(rank, &mut sizes[rank..=rank])?;
        }
        (1..self.size).for_each(|rank| self.send(rank, &sizes));
        Ok(sizes)
    }

    /// Waits until all have what all have sent; without it there is nothing to go on with.
    fn all_through<'a, D: ?Sized, S: Scope<'a>>(&self, message: Request<'a, D, S>) {
        let (begun, mut under_way, mut is_told) = (Instant::now(), Some(message), false);
        while let Some(message) = under_way.take() {
            under_way = message.test().err();
            if under_way.is_some() {
                if begun.elapsed() > self.patience {
                    self.look_for_the_lost(begun, &mut is_told);
                }
                // It goes on only when it is asked after.
                thread::yield_now();
            }
        }
        if self.rank == 0 && begun.elapsed() > self.patience {
            // All are well, and need not have said so.
            let all = SimpleCommunicator::world();
            while let Some(here) = all.any_process().immediate_probe_with_tag(HERE) {
                drop(all.process_at_rank(here.source_rank()).receive_vec_with_tag::<u8>(HERE));
            }
        }
    }

    /// Ends the job for a rank that takes no part in what all gather: any other tells the first one that it is there, or has gone on to
    /// say how much it has next.
    fn look_for_the_lost(&self, begun: Instant, is_told: &mut bool) {
        let (all, waited) = (SimpleCommunicator::world(), begun.elapsed());
        let seconds = waited.as_secs();
        if self.rank > 0 {
            if !std::mem::replace(is_told, true) {
                all.process_at_rank(0).send_with_tag(&[1u8][..], HERE);
            }
            if waited > self.own_patience() {
                self.say_and_abort(&RankError::Silent { rank: 0, seconds }.to_string());
            }
        } else if waited > self.patience + GRACE {
            let is_there = |rank: usize| {
                let it = all.process_at_rank(rank as Rank);
                it.immediate_probe_with_tag(HERE).is_some() || it.immediate_probe_with_tag(SIZES).is_some()
            };
            let lost = (1..self.size).find(|&rank| !is_there(rank));
            let lost = lost.map_or(RankError::Stuck { seconds }, |rank| RankError::Silent { rank, seconds });
            self.say_and_abort(&lost.to_string());
        }
    }
}

impl World for MpiWorld {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let Room { own: mine, all: received } = &mut *self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let sizes = self.sizes(own.len() as u64)?;
        let mut parts: Vec<Vec<u8>> = sizes.iter().map(|&size| Vec::with_capacity(size as usize)).collect();
        let most = sizes.iter().max().map_or(0, |&size| size as usize);
        let all = SimpleCommunicator::world();
        for begin in (0..most).step_by(AT_ONCE) {
            // As many bytes of each.
            let len = AT_ONCE.min(most - begin);
            mine.clear();
            mine.extend_from_slice(&own[begin.min(own.len())..(begin + len).min(own.len())]);
            mine.resize(len, 0);
            received.resize(len * self.size, 0);
            scope(|scope| self.all_through(all.immediate_all_gather_into(scope, &mine[..], &mut received[..])));
            for ((part, &size), bytes) in parts.iter_mut().zip(&sizes).zip(received.chunks_exact(len)) {
                part.extend_from_slice(&bytes[..len.min(size as usize - part.len())]);
            }
        }
        Ok(parts)
    }
}
