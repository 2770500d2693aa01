//! A policy and `N` environments make a rollout.

use std::sync::Arc;

use uphill_envs::{Spec, VecEnv, quoted};

use crate::checkpoint::Arrays;
use crate::lane_group::{Bounds, LaneGroup};
use crate::nn::ActorCritic;
use crate::seed::Seed;
use crate::{Config, Error, Params, Result, Rollout, Threads};

/// How much one rollout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// So many steps in every lane, cutting episodes where they stand; the next rollout goes on from there.
    Steps(usize),
    /// So many whole episodes in every lane. A lane that has played its own waits for the others, so that every
    /// episode counts alike: taking the first to finish would prefer short ones.
    Episodes(usize),
}

/// One finished episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// The sum of its rewards, undiscounted.
    pub episode_return: f64,
    /// Its steps.
    pub length: u32,
    /// The environment steps of the whole run, all lanes together, when it ended.
    pub env_steps: u64,
}

/// Steps environments with a policy and keeps where they stand between rollouts.
///
/// Many lanes are several groups, which threads play apart: lanes have nothing to do with each other until all are done.
pub struct Collector {
    groups: Vec<LaneGroup>,
    threads: Threads,
    lanes: usize,
    returns: Vec<f64>,
    lengths: Vec<u32>,
    env_steps: u64,
    /// The groups' rollouts side by side; unused where there is one.
    joined: Rollout,
    episodes: Vec<Episode>,
    seed: Seed,
    /// Whether a rollout broke off in environments that cannot be put back.
    lost: bool,
    /// The most steps of a rollout in each lane.
    most_steps: usize,
    /// Whether to break off, asked before every step.
    stop: Option<Stop>,
    before: Tally,
}

/// Whether what is going on is to be broken off.
pub(crate) type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// What is counted of the lanes, as it was before a rollout.
#[derive(Default)]
struct Tally {
    returns: Vec<f64>,
    lengths: Vec<u32>,
    env_steps: u64,
}

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
        if envs.is_empty() {
            return Err(Error::Config("a collector needs at least 1 group of lanes".into()));
        }
        let (mut groups, mut lanes) = (Vec::with_capacity(envs.len()), 0);
        for env in envs {
            let first = lanes;
            lanes += env.lanes();
            groups.push(LaneGroup::new(first, uphill_envs::guarded(env)?, seed)?);
        }
        let spec = groups[0].env().spec();
        if let Some(other) = groups.iter().map(|group| group.env().spec()).find(|other| *other != spec) {
            let (one, other) = (quoted(&spec.id), quoted(&other.id));
            let problem = format!("the groups of lanes differ: `{one}` and `{other}` are not of one kind");
            return Err(Error::Config(problem));
        }
        Ok(Self {
            groups,
            threads,
            lanes,
            returns: vec![0.0; lanes],
            lengths: vec![0; lanes],
            env_steps: 0,
            joined: Rollout::default(),
            episodes: Vec::new(),
            seed,
            lost: false,
            most_steps: (Config::MAX_ROLLOUT as usize / lanes).max(1),
            stop: None,
            before: Tally::default(),
        })
    }

    /// Allows rollouts of so many steps in each lane at most.
    pub(crate) fn set_most_steps(&mut self, most_steps: usize) {
        self.most_steps = self.most_steps.min(most_steps);
    }

    /// Asks before every step whether to break the rollout off.
    pub(crate) fn set_stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
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
        self.env_steps
    }

    /// Acts until the horizon and returns the rollout with the episodes that ended in it, in order. Both are written
    /// over by the next call.
    ///
    /// Without `with_values` all values are zero and the critic is not asked.
    ///
    /// After an error every lane is back where it was before, unless its environment cannot be saved.
    ///
    /// # Errors
    /// [`Error::Env`] if an environment fails, [`Error::NotFinite`] if the policy gives no distribution,
    /// [`Error::Shape`] if the network answers with too few or too many numbers, [`Error::Endless`] if whole episodes make
    /// more than [`Config::MAX_ROLLOUT`] steps, all lanes together, [`Error::Config`] for a horizon of more.
    pub fn collect(
        &mut self,
        network: &dyn ActorCritic,
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
        self.groups.iter_mut().for_each(LaneGroup::note);
        self.before.returns.clone_from(&self.returns);
        self.before.lengths.clone_from(&self.lengths);
        self.before.env_steps = self.env_steps;
        let bounds = Bounds { most_steps: most, lanes: self.lanes, stop: self.stop.as_deref() };
        let played = match network.shared() {
            Some(network) if self.groups.len() > 1 => {
                let mut shares: Vec<_> = self.groups.iter_mut().map(|group| (group, Ok(()))).collect();
                self.threads.each(&mut shares, |_, (group, outcome)| {
                    *outcome = group.collect(network, params, horizon, with_values, bounds);
                });
                shares.into_iter().try_for_each(|(_, outcome)| outcome)
            }
            _ => self
                .groups
                .iter_mut()
                .try_for_each(|group| group.collect(network, params, horizon, with_values, bounds)),
        };
        if let Err(error) = played {
            self.rewind();
            return Err(error);
        }
        let rollout = match &self.groups[..] {
            [only] => &only.rollout,
            groups => {
                self.joined.join(groups.iter().map(|group| &group.rollout));
                &self.joined
            }
        };
        self.episodes.clear();
        for i in rollout.valid_steps() {
            let lane = i % self.lanes;
            self.env_steps += 1;
            self.returns[lane] += f64::from(rollout.reward[i]);
            self.lengths[lane] += 1;
            if rollout.end[i].ended() {
                self.episodes.push(Episode {
                    episode_return: std::mem::take(&mut self.returns[lane]),
                    length: std::mem::take(&mut self.lengths[lane]),
                    env_steps: self.env_steps,
                });
            }
        }
        Ok((rollout, &self.episodes))
    }

    /// Puts every lane back to where it was before the last rollout, unless its environment cannot be saved.
    pub(crate) fn rewind(&mut self) {
        let stuck = self.groups.iter_mut().map(LaneGroup::rewind).filter(|back| !back).count();
        self.lost = stuck > 0;
        self.returns.clone_from(&self.before.returns);
        self.lengths.clone_from(&self.before.lengths);
        self.env_steps = self.before.env_steps;
    }

    /// Adds where all lanes stand to `arrays`.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        for (i, group) in self.groups.iter().enumerate() {
            group.save(&format!("lanes.{i}"), arrays, !self.lost);
        }
        arrays.put("lanes.episode_return", self.returns.clone());
        arrays.put("lanes.length", self.lengths.iter().map(|&length| length.into()).collect::<Vec<u64>>());
    }

    /// Goes on from what [`Collector::save`] left, after so many steps; says whether the environments do, too. Those that
    /// could not be saved start new episodes.
    pub(crate) fn restore(&mut self, arrays: &Arrays, env_steps: u64) -> Result<bool> {
        let reseed = self.seed.derive("lanes", env_steps);
        let mut all = true;
        for (i, group) in self.groups.iter_mut().enumerate() {
            all &= group.restore(&format!("lanes.{i}"), arrays, reseed)?;
        }
        arrays.copy("lanes.episode_return", &mut self.returns)?;
        let lengths = arrays.get_len::<u64>("lanes.length", self.lanes)?;
        for (length, &saved) in self.lengths.iter_mut().zip(lengths) {
            let possible = u32::try_from(saved).ok().filter(|&length| length < u32::MAX / 2);
            *length = possible.ok_or_else(|| Error::Checkpoint(format!("an episode of {saved} steps")))?;
        }
        if !all {
            self.returns.fill(0.0);
            self.lengths.fill(0);
        }
        (self.env_steps, self.lost) = (env_steps, false);
        Ok(all)
    }
}
