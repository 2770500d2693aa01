//! What one rank tells another, for work that is handed out.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use ::mpi::environment::Universe;
use ::mpi::point_to_point::{Destination, Source};
use ::mpi::request::scope;
use ::mpi::topology::{Communicator, SimpleCommunicator};
use ::mpi::traits::Equivalence;
use ::mpi::{Rank, Tag};

use super::MpiWorld;
use crate::Result;

/// The message that holds bytes.
const TOLD: Tag = 3;
/// Bytes of a message that the first rank leaves with its MPI, one for each rank: whoever hangs before it takes them holds up nobody.
const LEFT: usize = 1 << 14;
/// Bytes that an MPI may add to each of them: 3.1 has a constant for it, which is about 100.
const ADDED: usize = 1 << 10;

/// With room on the first rank for what it leaves with its MPI.
pub(super) fn with_room(mut universe: Universe, rank: usize, ranks: usize) -> Universe {
    if rank == 0 {
        // MPI counts in C's `int`.
        universe.set_buffer_size(ranks.saturating_mul(LEFT + ADDED).min(i32::MAX as usize));
    }
    universe
}

impl MpiWorld {
    /// How long a rank is waited for.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a rank bytes, which it [hears](MpiWorld::heard). The first rank waits for it only where they are more than 16 KiB; it tells a
    /// rank once more only when that has been heard again.
    pub(crate) fn tell(&self, rank: usize, bytes: &[u8]) {
        let _one = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let all = SimpleCommunicator::world();
        let to = all.process_at_rank(rank as Rank);
        if self.rank == 0 && bytes.len() <= LEFT {
            return to.buffered_send_with_tag(bytes, TOLD);
        }
        scope(|scope| self.through(rank, to.immediate_send_with_tag(scope, bytes, TOLD)));
    }

    /// What a rank has [told](MpiWorld::tell) this one, and which: the first there is, if there is any.
    ///
    /// # Errors
    /// [`RankError::Failed`] where a rank cannot go on, on the first one.
    pub(crate) fn heard(&self) -> Result<Option<(usize, Vec<u8>)>> {
        let _one = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        self.failed()?;
        let all = SimpleCommunicator::world();
        let Some(status) = all.any_process().immediate_probe_with_tag(TOLD) else { return Ok(None) };
        let (rank, mut bytes) = (status.source_rank(), vec![0; status.count(u8::equivalent_datatype()) as usize]);
        let from = all.process_at_rank(rank);
        scope(|scope| {
            let under_way = from.immediate_receive_into_with_tag(scope, &mut bytes[..], TOLD);
            self.through(rank as usize, under_way);
        });
        Ok(Some((rank as usize, bytes)))
    }

    /// Waits for what a rank tells this one.
    ///
    /// # Errors
    /// [`RankError::Silent`] after the patience with it; as [`MpiWorld::heard`].
    pub(crate) fn hear(&self, rank: usize) -> Result<Vec<u8>> {
        let begun = Instant::now();
        loop {
            match self.heard()? {
                Some((from, bytes)) if from == rank => return Ok(bytes),
                _ => self.lost(rank, begun)?,
            }
            self.pause(begun);
        }
    }

    /// Ends the job, on every rank, with a status: 0 where all is done, and only ranks are left that would never end.
    pub(crate) fn abort_with(&self, status: i32) -> ! {
        SimpleCommunicator::world().abort(status)
    }
}
