//! The state of several ranks is that of one process with all their lanes.

use super::Trainer;
use crate::arrays::Arrays;
use crate::checkpoint::{Checkpoint, Progress};
use crate::collect::Collector;
use crate::evaluation::Evaluation;
use crate::seed::Seed;
use crate::{Error, Result, Threads};

/// Whether an array is of a group of lanes.
fn is_of_group(name: &str) -> bool {
    name.strip_prefix("lanes.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

impl Trainer {
    /// Refuses more ranks than there are lanes.
    pub(super) fn check_ranks(envs: usize, ranks: usize) -> Result<()> {
        if envs >= ranks {
            return Ok(());
        }
        let problem = format!("envs = {envs} is impossible for {ranks} ranks, each of which plays a lane or more");
        Err(Error::Config(format!("{problem}: raise it, or start {envs} at most")))
    }

    /// The state of all ranks, the same on each, of what this one has.
    pub(super) fn gathered(&self, mut own: Checkpoint) -> Result<Checkpoint> {
        if self.world.size() == 1 {
            return Ok(own);
        }
        let lanes = self.collector.all_lanes()?;
        let mut whole = self.in_one_process()?;
        let go_on = whole.put_lanes(&lanes, own.progress.env_steps)?;
        own.arrays.0.retain(|name, _| !is_of_group(name));
        whole.save_lanes(&mut own.arrays, go_on);
        Ok(own)
    }

    /// Puts this rank's lanes where the state of all has them; says whether their environments go on.
    pub(super) fn put_own_lanes(&mut self, arrays: &Arrays, progress: &Progress) -> Result<bool> {
        let so_far = (progress.env_steps, progress.episodes);
        if self.world.size() == 1 {
            return self.collector.restore(arrays, so_far);
        }
        let mut whole = self.in_one_process()?;
        let go_on = whole.restore(arrays, so_far)?;
        let go_on = self.collector.put_lanes(&whole.all_lanes()?, progress.env_steps)? && go_on;
        self.collector.restore_episodes(arrays, so_far, go_on)?;
        Ok(go_on)
    }

    /// The lanes of all ranks, as one process has them.
    fn in_one_process(&self) -> Result<Collector> {
        let groups = self.config.make_groups(&self.envs, self.config.envs)?;
        let mut whole = Collector::grouped(groups, Seed(self.config.seed), Threads::default())?;
        whole.remember(self.learner.network.memory());
        Ok(whole)
    }

    /// Refuses to go on where ranks have seen different evaluations, and would come to different ends.
    pub(super) fn check_alike(&self, played: &Result<Evaluation>) -> Result<()> {
        let said = match played {
            _ if self.world.size() == 1 => return Ok(()),
            Ok(evaluation) => format!("{:?}", evaluation.return_mean),
            Err(error @ Error::NotFinite { .. }) => error.to_string(),
            // Others hear of it from whoever leads this rank.
            Err(_) => return Ok(()),
        };
        let all = self.world.gather(said.as_bytes())?;
        let Some(rank) = all.iter().position(|other| *other != all[0]) else { return Ok(()) };
        let problem = "it has seen another evaluation than rank 0; do the environments keep to their seeds?";
        Err(Error::Apart { rank, problem: problem.into() })
    }

    /// Whether any rank says so, of each of these: all ranks ask at once.
    #[cfg(feature = "cli")]
    pub(crate) fn agree<const N: usize>(&self, said: [bool; N]) -> Result<[bool; N]> {
        crate::world::any(&*self.world, said)
    }

    /// Whether other ranks learn with this one.
    pub(crate) fn has_others(&self) -> bool {
        self.world.size() > 1
    }
}
