//! The processes that learn together.

#[cfg(feature = "mpi")]
mod mpi;
#[cfg(feature = "nccl")]
mod nccl;
mod packet;

use std::fmt;
use std::ops::Range;

use crate::Result;

pub(crate) use packet::{Packet, Unpacked};

#[cfg(feature = "mpi")]
pub use mpi::{MpiWorld, RankError};
#[cfg(feature = "nccl")]
pub use nccl::{NcclError, NcclWorld};

/// One of several processes, its ranks, that train one policy together.
///
/// Ranks are what threads are: they do the work of a run, and what it comes to does not depend on how many there are, to the bit.
/// The lanes are dealt out among them, in order; each rank plays its own, gets the rollouts of all, computes its part of the shares
/// that the gradient of a minibatch is the sum of, gets those of all, and does the rest as a single process would. A world moves
/// bytes, and never reckons with them: there is no sum whose order it could choose.
///
/// The one that there is unless a [`Trainer`](crate::Trainer) is [given](crate::Overrides) another, is [`Alone`].
///
/// ```
/// use std::sync::{Arc, Mutex, Barrier};
/// use uphill::{Config, Overrides, Result, Trainer, World};
///
/// /// Two threads of one process.
/// #[derive(Debug)]
/// struct Pair {
///     rank: usize,
///     shared: Arc<(Barrier, Mutex<[Vec<u8>; 2]>)>,
/// }
///
/// impl World for Pair {
///     fn rank(&self) -> usize {
///         self.rank
///     }
///
///     fn size(&self) -> usize {
///         2
///     }
///
///     fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
///         let (barrier, parts) = &*self.shared;
///         parts.lock().unwrap()[self.rank] = own.to_vec();
///         barrier.wait();
///         let all = parts.lock().unwrap().to_vec();
///         barrier.wait();
///         Ok(all)
///     }
/// }
///
/// let config = Config { env: "GridWorld-4x4-v0".into(), steps: 2_048, threads: 1, ..Config::for_algo("ppo")? };
/// let shared = Arc::new((Barrier::new(2), Mutex::default()));
/// let trained = std::thread::scope(|scope| {
///     let train = |rank| {
///         let (config, shared) = (config.clone(), shared.clone());
///         scope.spawn(move || -> Result<Vec<f32>> {
///             let world = Some(Arc::new(Pair { rank, shared }) as Arc<dyn World>);
///             let mut trainer = Trainer::with(&config, Overrides { world, ..Overrides::default() })?;
///             while trainer.step()?.is_some() {}
///             trainer.params().snapshot()
///         })
///     };
///     [train(0), train(1)].map(|rank| rank.join().unwrap())
/// });
/// let [one, other] = trained;
/// let mut alone = Trainer::new(&config)?;
/// while alone.step()?.is_some() {}
/// assert_eq!((one?, other?), (alone.params().snapshot()?, alone.params().snapshot()?));
/// # Ok::<(), uphill::Error>(())
/// ```
pub trait World: fmt::Debug + Send + Sync {
    /// Which rank this is, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// What each rank has, in the order of their ranks, as every rank gets it. All ask for it as often; it returns when all have.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>>;
}

/// A world of one rank.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl World for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![own.to_vec()])
    }
}

/// Which of so many are a rank's.
pub(crate) fn dealt(world: &dyn World, rank: usize, count: usize) -> Range<usize> {
    rank * count / world.size()..(rank + 1) * count / world.size()
}

/// Whether any rank says so, of each of these.
#[cfg(feature = "cli")]
pub(crate) fn any<const N: usize>(world: &dyn World, said: [bool; N]) -> Result<[bool; N]> {
    if world.size() == 1 {
        return Ok(said);
    }
    let all = world.gather(&said.map(u8::from))?;
    Ok(std::array::from_fn(|i| all.iter().any(|said| said.get(i) == Some(&1))))
}
