//! The state of several ranks in one checkpoint.
//!
//! What every rank has alike stands there once, what is the first rank's own by the names that one rank alone would give it,
//! and that of rank `r` by the same names after `rank.r.`; `ranks` says how many there are.

use uphill_envs::counted;

use super::Trainer;
use crate::arrays::{Arrays, MAX_COUNT};
use crate::checkpoint::{Checkpoint, Progress};
use crate::{Error, Result, world};

/// What the names of that begin with which all ranks have alike.
const ALIKE: [&str; 3] = ["params", "optimizer", "good."];
/// What the names of that begin with which the first rank alone keeps for all.
const OF_THE_FIRST: &str = "best";
/// The array that says how many ranks there are.
const RANKS: &str = "ranks";

/// The name of what is one rank's own.
fn named(rank: usize, name: &str) -> String {
    format!("rank.{rank}.{name}")
}

impl Trainer {
    /// Puts the states of all ranks together, from what each has of its own; the same on each.
    pub(super) fn gathered(&self, own: Checkpoint) -> Result<Checkpoint> {
        let world = &*self.learner.world;
        if world.size() == 1 {
            return Ok(own);
        }
        let is_alike = |name: &str| ALIKE.iter().any(|start| name.starts_with(start));
        let (alike, mut part): (Vec<_>, Vec<_>) = own.arrays.0.into_iter().partition(|(name, _)| is_alike(name));
        if world.rank() > 0 {
            part.retain(|(name, _)| !name.starts_with(OF_THE_FIRST));
        }
        let part = Checkpoint { arrays: Arrays(part.into_iter().collect()), ..own };
        let parts = world::gather(world, &part.to_bytes()?)?;
        let mut arrays = Arrays(alike.into_iter().collect());
        arrays.put(RANKS, vec![parts.len() as u64]);
        let mut of_first = None;
        for (rank, bytes) in parts.iter().enumerate() {
            let Checkpoint { progress, arrays: part, .. } = Checkpoint::from_bytes(bytes)?;
            arrays.put(named(rank, "steps_and_episodes"), vec![progress.env_steps, progress.episodes]);
            arrays.put(named(rank, "solved_at_step"), progress.solved_at_step.into_iter().collect::<Vec<u64>>());
            let own_name = |name: String| if rank == 0 { name } else { named(rank, &name) };
            arrays.0.extend(part.0.into_iter().map(|(name, array)| (own_name(name), array)));
            of_first.get_or_insert(progress);
        }
        let progress = Progress { env_steps: self.env_steps, ..of_first.unwrap_or_default() };
        Ok(Checkpoint { config: part.config, progress, arrays })
    }

    /// Refuses the state of another number of ranks.
    pub(crate) fn check_ranks(&self, checkpoint: &Checkpoint) -> Result<()> {
        let (size, arrays) = (self.learner.world.size(), &checkpoint.arrays);
        let ranks = if arrays.has(RANKS) { arrays.one::<u64>(RANKS)? } else { 1 };
        let remedy = match ranks {
            _ if ranks == size as u64 => return Ok(()),
            1 => "go on with one process, without mpirun".into(),
            _ => format!("go on with `mpirun -n {ranks}`"),
        };
        let (one, other) = (counted(ranks, "rank"), counted(size, "rank"));
        Err(Error::Checkpoint(format!("the lanes of {one} are none of {other}: {remedy}")))
    }

    /// This rank's own state, of that of all.
    pub(super) fn own_share(&self, checkpoint: &Checkpoint) -> Result<Checkpoint> {
        let all = &checkpoint.arrays;
        self.check_ranks(checkpoint)?;
        if self.learner.world.size() == 1 {
            return Ok(checkpoint.clone());
        }
        let rank = self.learner.world.rank();
        let counts = all.get_len::<u64>(&named(rank, "steps_and_episodes"), 2)?;
        let solved_at_step = all.get::<u64>(&named(rank, "solved_at_step"))?.first().copied();
        if let Some(count) = counts.iter().find(|&&count| count > MAX_COUNT) {
            return Err(Error::Checkpoint(format!("{count} steps or episodes of rank {rank}")));
        }
        let progress = &checkpoint.progress;
        let progress = Progress { env_steps: counts[0], episodes: counts[1], solved_at_step, ..progress.clone() };
        let (prefix, others) = (named(rank, ""), "rank.");
        let is_shared = |name: &str| ALIKE.iter().chain([&OF_THE_FIRST]).any(|start| name.starts_with(start));
        let mine = all.0.iter().filter_map(|(name, array)| {
            let name = match name.strip_prefix(&prefix) {
                Some(name) => name,
                None if rank == 0 && !name.starts_with(others) || is_shared(name) => name,
                None => return None,
            };
            Some((name.to_string(), array.clone()))
        });
        Ok(Checkpoint { config: checkpoint.config.clone(), progress, arrays: Arrays(mine.collect()) })
    }

    /// Whether any rank says so, of each of these: all ranks ask at once.
    #[cfg(feature = "cli")]
    pub(crate) fn agree<const N: usize>(&self, said: [bool; N]) -> Result<[bool; N]> {
        world::any(&*self.learner.world, said)
    }

    /// Whether other ranks learn with this one.
    #[cfg(feature = "cli")]
    pub(crate) fn has_others(&self) -> bool {
        self.learner.world.size() > 1
    }
}
