//! A policy and `N` environments make a rollout.

use std::sync::Arc;

use uphill_envs::{Spec, VecEnv, quoted};

use crate::arrays::Arrays;
use crate::episodes::{Episode, Episodes};
use crate::lane_group::{Bounds, LaneGroup};
use crate::models::Model;
use crate::rollout::{Horizon, Rollout};
use crate::seed::Seed;
use crate::stop::Flag;
use crate::{Error, Params, Result, Threads};

/// Steps environments with a policy and keeps where they stand between rollouts.
///
/// Many lanes are several groups, which threads play apart: lanes have nothing to do with each other until all are done.
pub struct Collector {
    groups: Vec<LaneGroup>,
    threads: Threads,
    /// The groups' rollouts side by side; unused where there is one.
    joined: Rollout,
    episodes: Episodes,
    seed: Seed,
    /// Whether a rollout broke off in environments that cannot be put back.
    lost: bool,
    /// The most steps of a rollout in each lane.
    most_steps: usize,
}

/// Makes so many environments of one kind, to be stepped side by side.
pub type MakeEnvs = Arc<dyn Fn(usize) -> Result<Box<dyn VecEnv>> + Send + Sync>;

impl Collector {
    /// Resets every lane. Lane `i` plays with the environment seed `s + i`, `s` being the seed's stream `lanes`, and
    /// draws its actions from stream `policy` number `i`: what one lane does never depends on how many others there are.
    ///
    /// # Errors
    /// [`Error::Env`] if a reset fails.
    pub fn new(env: Box<dyn VecEnv>, seed: Seed) -> Result<Self> {
        Self::grouped(vec![env], seed, Threads::default())
    }

    /// The same with the lanes in several groups of one kind of environment, in this order, for several threads.
    ///
    /// # Errors
    /// [`Error::Env`] if a reset fails, [`Error::Config`] without any group.
    pub fn grouped(envs: Vec<Box<dyn VecEnv>>, seed: Seed, threads: Threads) -> Result<Self> {
        Self::numbered_from(0, envs, seed, threads)
    }

    /// The same, where the first lane has this number among those of all ranks.
    pub(crate) fn numbered_from(
        offset: usize,
        envs: Vec<Box<dyn VecEnv>>,
        seed: Seed,
        threads: Threads,
    ) -> Result<Self> {
        if envs.is_empty() {
            return Err(Error::Config("a collector needs at least 1 group of lanes".into()));
        }
        let (mut groups, mut lanes) = (Vec::with_capacity(envs.len()), 0);
        for env in envs {
            let first = lanes;
            lanes += env.lanes();
            groups.push(LaneGroup::new(offset + first, uphill_envs::guarded(env)?, seed)?);
        }
        let spec = groups[0].env().spec();
        if let Some(other) = groups.iter().map(|group| group.env().spec()).find(|other| *other != spec) {
            let (one, other) = (quoted(&spec.id), quoted(&other.id));
            let problem = format!("the groups of lanes differ: `{one}` and `{other}` are not of one kind");
            return Err(Error::Config(problem));
        }
        let has_limit = spec.max_episode_steps.is_some();
        Ok(Self {
            groups,
            threads,
            joined: Rollout::default(),
            episodes: Episodes::new(lanes, has_limit),
            seed,
            lost: false,
            most_steps: (Rollout::MAX_STEPS as usize / lanes).max(1),
        })
    }

    /// Takes every action for a legal one, whatever the environments say.
    ///
    /// # Errors
    /// [`Error::Config`] for environments that forbid none, [`Error::Env`] for those that fail to say.
    pub fn without_masks(mut self) -> Result<Self> {
        if !self.tells_masks()? {
            let id = quoted(&self.spec().id);
            let problem = format!("mask_actions = false has no effect: {id} forbids no action; leave it out");
            return Err(Error::Config(problem));
        }
        self.groups.iter_mut().for_each(LaneGroup::ignore_masks);
        Ok(self)
    }

    /// Whether the environments say which actions are legal.
    ///
    /// # Errors
    /// [`Error::Env`] for environments that fail to say.
    pub(crate) fn tells_masks(&self) -> Result<bool> {
        let env = self.groups[0].env();
        let mut masks = vec![true; env.lanes() * self.spec().action.choices()];
        Ok(!masks.is_empty() && env.action_masks(&mut masks)?)
    }

    /// Allows rollouts of so many steps in each lane at most.
    pub(crate) fn set_most_steps(&mut self, most_steps: usize) {
        self.most_steps = self.most_steps.min(most_steps);
    }

    /// Makes room for what a policy remembers of each lane, so many numbers.
    pub(crate) fn remember(&mut self, numbers: usize) {
        self.groups.iter_mut().for_each(|group| group.remember(numbers));
    }

    /// Asks before every step, and between two few hundred observations of one, whether to break the rollout off.
    pub(crate) fn set_stop(&mut self, stop: &Flag) {
        self.groups.iter_mut().for_each(|group| group.set_stop(stop.clone()));
    }

    /// The threads that play.
    pub(crate) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// What each lane is.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        // A collector is never made without a group.
        self.groups[0].env().spec()
    }

    /// Environment steps taken so far, all lanes together.
    #[must_use]
    pub fn env_steps(&self) -> u64 {
        self.episodes.env_steps()
    }

    /// Acts until the horizon and returns the rollout with the episodes that count since then, in the order in which they
    /// began. Both are written over by the next call.
    ///
    /// An [`Episode`] counts once it has ended and with it all, in every lane, that began before or together with it: the
    /// first to end would be short ones. After a horizon of whole episodes that is all of them.
    ///
    /// Without `with_values` all values are zero and the critic is not asked.
    ///
    /// After an error every lane is back where it was before, unless its environment cannot be saved.
    ///
    /// # Errors
    /// [`Error::Env`] if an environment fails, [`Error::NotFinite`] if the policy gives no distribution,
    /// [`Error::Shape`] if the network answers with too few or too many numbers, [`Error::Endless`] if whole episodes make
    /// more than [`Rollout::MAX_STEPS`] steps, all lanes together, [`Error::Config`] for a horizon of more.
    pub fn collect(
        &mut self,
        network: &dyn Model,
        params: &Params,
        horizon: Horizon,
        with_values: bool,
    ) -> Result<(&Rollout, &[Episode])> {
        let (expected, got) = (self.spec().observation_len(), network.observation_len());
        if expected != got {
            let (expected, got) = (vec![expected], vec![got]);
            return Err(Error::Shape { what: "the network's input".into(), expected, got });
        }
        let most = self.most_steps;
        if let Horizon::Steps(steps) = horizon
            && steps > most
        {
            return Err(Error::Config(format!("a rollout of {steps} steps a lane is impossible: it may have {most}")));
        }
        self.remember(network.memory());
        self.groups.iter_mut().for_each(LaneGroup::note);
        let groups = self.groups.len();
        let bounds = Bounds { groups, most_steps: most, lanes: self.episodes.lanes() };
        let are_slow = self.groups.iter().all(|group| group.pace().is_slow(groups, self.threads.count()));
        let threads = Some(&self.threads);
        let played = match groups {
            2.. if !are_slow => {
                let mut shares: Vec<_> = self.groups.iter_mut().map(|group| (group, Ok(()))).collect();
                self.threads.each(&mut shares, |_, (group, outcome)| {
                    *outcome = group.collect(network, params, horizon, with_values, bounds, None);
                });
                shares.into_iter().try_for_each(|(_, outcome)| outcome)
            }
            // One group, or several whose environments are worth all threads, one group after another.
            _ => self
                .groups
                .iter_mut()
                .try_for_each(|group| group.collect(network, params, horizon, with_values, bounds, threads)),
        };
        if let Err(error) = played {
            self.rewind();
            return Err(error);
        }
        if groups > 1 {
            self.joined.join(self.groups.iter().map(|group| &group.rollout));
        }
        let rollout = if let [only] = &self.groups[..] { &only.rollout } else { &self.joined };
        self.episodes.follow(rollout);
        Ok((self.rollout(), self.episodes.counted()))
    }

    /// What was collected last.
    pub(crate) fn rollout(&self) -> &Rollout {
        if let [only] = &self.groups[..] { &only.rollout } else { &self.joined }
    }

    /// The same, to be written to.
    pub(crate) fn rollout_mut(&mut self) -> &mut Rollout {
        if let [only] = &mut self.groups[..] { &mut only.rollout } else { &mut self.joined }
    }

    /// The episodes of all lanes.
    pub(crate) fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// Puts every lane back to where it was before the last rollout, unless its environment cannot be saved.
    fn rewind(&mut self) {
        let stuck = self.groups.iter_mut().map(LaneGroup::rewind).filter(|back| !back).count();
        self.lost = stuck > 0;
    }

    /// The same after a whole rollout, with the episodes as they were before it.
    pub(crate) fn put_back(&mut self, episodes: Episodes) {
        self.rewind();
        self.episodes = episodes;
    }

    /// Adds where all lanes stand to `arrays`.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        for (i, group) in self.groups.iter().enumerate() {
            group.save(&format!("lanes.{i}"), arrays, !self.lost);
        }
        self.episodes.save(arrays);
    }

    /// Goes on from what [`Collector::save`] left, after so many steps and episodes; says whether the environments do, too. Those that
    /// could not be saved start new episodes.
    pub(crate) fn restore(&mut self, arrays: &Arrays, (env_steps, ended): (u64, u64)) -> Result<bool> {
        let reseed = self.seed.derive("lanes", env_steps);
        let mut all = true;
        for (i, group) in self.groups.iter_mut().enumerate() {
            all &= group.restore(&format!("lanes.{i}"), arrays, reseed)?;
        }
        self.episodes.restore(arrays, (env_steps, ended), all)?;
        self.lost = false;
        Ok(all)
    }
}
