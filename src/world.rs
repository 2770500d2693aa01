//! The processes that learn together.

#[cfg(feature = "mpi")]
mod mpi;

use std::fmt;

use crate::{Error, Result};

#[cfg(feature = "mpi")]
pub use mpi::{MpiWorld, RankError};

/// One of several processes, its ranks, that learn the same parameters, each from lanes of its own.
///
/// Every rank has the same configuration, begins with the same parameters and takes the same steps: those of the mean of all
/// ranks' gradients. `steps` counts those of all ranks, `envs` is each rank's: lane `i` of a rank is lane `rank · envs + i` of all, and has its seeds. The one that
/// there is unless a [`Trainer`](crate::Trainer) is [given](crate::Overrides) another, is [`Alone`].
///
/// ```
/// use std::sync::{Arc, Mutex, Barrier};
/// use uphill::{Config, Overrides, Result, Trainer, World};
///
/// /// Two threads of one process.
/// #[derive(Debug)]
/// struct Pair {
///     rank: usize,
///     shared: Arc<(Barrier, Mutex<[Vec<f32>; 2]>)>,
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
///     fn sum(&self, numbers: &mut [f32]) -> Result<()> {
///         let (barrier, parts) = &*self.shared;
///         parts.lock().unwrap()[self.rank] = numbers.to_vec();
///         barrier.wait();
///         let [one, other] = parts.lock().unwrap().clone();
///         numbers.iter_mut().zip(one.iter().zip(&other)).for_each(|(sum, (one, other))| *sum = one + other);
///         barrier.wait();
///         Ok(())
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
/// assert_eq!(one?, other?);
/// # Ok::<(), uphill::Error>(())
/// ```
pub trait World: fmt::Debug + Send + Sync {
    /// Which rank this is, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// Replaces numbers by their sums over all ranks, the same bits on each. Every rank asks for the same sums in the same order;
    /// it returns when all have.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    fn sum(&self, numbers: &mut [f32]) -> Result<()>;
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

    fn sum(&self, _: &mut [f32]) -> Result<()> {
        Ok(())
    }
}

/// The most ranks.
const MOST_RANKS: usize = 256;

/// The sum of a count over all ranks, exactly.
pub(crate) fn total(world: &dyn World, count: u64) -> Result<u64> {
    /// Bits of each part: f32 holds the sum of 256 such numbers exactly.
    const BITS: u32 = 16;
    if world.size() == 1 {
        return Ok(count);
    }
    if world.size() > MOST_RANKS {
        let problem = format!("a world of {} ranks is too large: it has {MOST_RANKS} at most", world.size());
        return Err(Error::Config(problem));
    }
    let part = |i: u32| ((count >> (i * BITS)) & ((1 << BITS) - 1)) as f32;
    let mut parts = [part(0), part(1), part(2), part(3)];
    world.sum(&mut parts)?;
    Ok((0..).zip(parts).map(|(i, part)| (part as u64) << (i * BITS)).sum())
}

/// Whether any rank says so, of each of these.
#[cfg(feature = "cli")]
pub(crate) fn any<const N: usize>(world: &dyn World, said: [bool; N]) -> Result<[bool; N]> {
    if world.size() == 1 {
        return Ok(said);
    }
    let mut ranks = said.map(|said| if said { 1.0 } else { 0.0 });
    world.sum(&mut ranks)?;
    Ok(ranks.map(|ranks| ranks > 0.0))
}

/// Numbers of one sum in [`gather`]: so many f32 are 1 MiB.
const AT_ONCE: usize = 1 << 18;

/// What each rank has, in the order of their ranks, as every rank gets it.
///
/// Sums are all that there is: two bytes are one f32, exactly, to which the others add zeros.
pub(crate) fn gather(world: &dyn World, own: &[u8]) -> Result<Vec<Vec<u8>>> {
    if world.size() == 1 {
        return Ok(vec![own.to_vec()]);
    }
    let of = |rank: usize| -> Result<Vec<u8>> {
        let own = if rank == world.rank() { own } else { &[] };
        let count = total(world, own.len() as u64)? as usize;
        let pair = |i: usize| f32::from(u16::from_le_bytes([0, 1].map(|k| own.get(2 * i + k).copied().unwrap_or(0))));
        let (pairs, mut bytes) = (count.div_ceil(2), Vec::with_capacity(count + 1));
        for begin in (0..pairs).step_by(AT_ONCE) {
            let mut numbers: Vec<f32> = (begin..pairs.min(begin + AT_ONCE)).map(pair).collect();
            world.sum(&mut numbers)?;
            bytes.extend(numbers.iter().flat_map(|&pair| (pair as u16).to_le_bytes()));
        }
        bytes.truncate(count);
        Ok(bytes)
    };
    (0..world.size()).map(of).collect()
}

/// Replaces numbers by their means over all ranks.
pub(crate) fn mean(world: &dyn World, numbers: &mut [f32]) -> Result<()> {
    if world.size() > 1 {
        world.sum(numbers)?;
        let share = 1.0 / world.size() as f32;
        numbers.iter_mut().for_each(|x| *x *= share);
    }
    Ok(())
}
