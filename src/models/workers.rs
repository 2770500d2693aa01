//! Who computes the shares of a minibatch's gradient.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::share::Share;
use crate::world::{Alone, Packet, Unpacked, World, dealt};
use crate::{Result, Threads};

/// The threads of this process, and other ranks.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) threads: Threads,
    pub(super) world: Arc<dyn World>,
}

impl Default for Workers {
    fn default() -> Self {
        Self { threads: Threads::default(), world: Arc::new(Alone) }
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Workers({:?}, {} of {})", self.threads, self.world.rank(), self.world.size())
    }
}

impl Workers {
    /// Whether other ranks compute some of so many shares.
    fn are_dealt(&self, shares: usize) -> bool {
        self.world.size() > 1 && shares > 1
    }

    /// Which of so many shares this rank computes. One that none is left for computes the first, to know what terms report.
    pub(super) fn own(&self, shares: usize) -> Range<usize> {
        if !self.are_dealt(shares) {
            return 0..shares;
        }
        let own = dealt(&*self.world, self.world.rank(), shares);
        if own.is_empty() { 0..1 } else { own }
    }

    /// Gets the shares that other ranks have computed, these places of their gradients.
    ///
    /// # Errors
    /// Where another rank cannot be reached, or sends what is not due.
    pub(super) fn exchange<S>(
        &self,
        shards: &mut [S],
        share: impl Fn(&mut S) -> &mut Share,
        (parameters, places): (usize, &[Range<usize>]),
    ) -> Result<()> {
        if !self.are_dealt(shards.len()) {
            return Ok(());
        }
        let (world, count) = (&*self.world, shards.len());
        let own = self.own(count);
        let names: Vec<&'static str> =
            share(&mut shards[own.start]).sums.entries().iter().map(|entry| entry.0).collect();
        let mut packet = Packet::default();
        for index in dealt(world, world.rank(), count) {
            let share = share(&mut shards[index]);
            packet.put(&[share.loss]);
            packet.put_flags(&[share.interrupted]);
            packet.put(&share.sums.entries().iter().map(|entry| entry.1).collect::<Vec<f64>>());
            places.iter().for_each(|places| packet.put(&share.gradient[places.clone()]));
        }
        let (mut sums, mut flags) = (Vec::new(), Vec::new());
        for (rank, bytes) in world.gather(&packet.0)?.iter().enumerate().filter(|(rank, _)| *rank != world.rank()) {
            let mut unpacked = Unpacked::of(rank, bytes);
            for index in dealt(world, rank, count) {
                let share = share(&mut shards[index]);
                share.begin(parameters, &[]);
                share.loss = unpacked.one()?;
                unpacked.take_flags(&mut flags)?;
                share.interrupted = flags.contains(&true);
                unpacked.take_into(&mut sums)?;
                if sums.len() != names.len() && !share.interrupted {
                    return Err(unpacked.apart("the terms of its loss report other numbers"));
                }
                names.iter().zip(&sums).for_each(|(name, sum)| share.sums.add(name, *sum));
                places.iter().try_for_each(|places| unpacked.fill(&mut share.gradient[places.clone()]))?;
            }
        }
        Ok(())
    }
}
