//! A policy and `N` environments make a rollout.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use uphill_envs::{Spec, VecEnv, quoted};

use crate::arrays::Arrays;
use crate::device_lanes::DeviceLanes;
use crate::episodes::{Episode, Episodes};
use crate::lane_group::{Bounds, Lane, LaneGroup};
use crate::models::Model;
use crate::rollout::{DeviceRollout, Horizon, Rollout};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::stop::Flag;
use crate::world::{Alone, Packet, Unpacked, World, dealt};
use crate::{Error, Params, Result, Threads};

/// Steps environments with a policy and keeps where they stand between rollouts.
///
/// Many lanes are several groups, which threads play apart: lanes have nothing to do with each other until all are done. Other ranks
/// have lanes of their own, and what all have played is on each.
pub struct Collector {
    groups: Vec<LaneGroup>,
    /// The lanes, where they are stepped on a device: there is then no group.
    on_device: Option<DeviceLanes>,
    /// The last rollout of those.
    device_rollout: Option<DeviceRollout>,
    threads: Threads,
    world: Arc<dyn World>,
    /// The rollouts of other ranks' groups, and of one's own among them.
    parts: Vec<Rollout>,
    /// The groups' rollouts side by side; unused where there is one.
    joined: Rollout,
    episodes: Episodes,
    seed: Seed,
    /// Whether a rollout broke off in environments that cannot be put back.
    lost: bool,
    /// The most steps of a rollout in each lane.
    most_steps: usize,
    /// Steps in each lane since the update began, before the next rollout.
    first_step: usize,
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
        let lanes = envs.iter().map(|env| env.lanes()).sum();
        Self::of_ranks(Arc::new(Alone), lanes, envs, seed, threads)
    }

    /// The same, where so many lanes are [dealt out](dealt) among ranks, and these are one's own.
    pub(crate) fn of_ranks(
        world: Arc<dyn World>,
        lanes: usize,
        envs: Vec<Box<dyn VecEnv>>,
        seed: Seed,
        threads: Threads,
    ) -> Result<Self> {
        if envs.is_empty() {
            return Err(Error::Config("a collector needs at least 1 group of lanes".into()));
        }
        let (mut groups, mut first) = (Vec::with_capacity(envs.len()), dealt(&*world, world.rank(), lanes).start);
        for env in envs {
            let own = env.lanes();
            groups.push(LaneGroup::new(first, uphill_envs::guarded(env)?, seed)?);
            first += own;
        }
        let spec = groups[0].env().spec();
        if let Some(other) = groups.iter().map(|group| group.env().spec()).find(|other| *other != spec) {
            let (one, other) = (quoted(&spec.id), quoted(&other.id));
            let problem = format!("the groups of lanes differ: `{one}` and `{other}` are not of one kind");
            return Err(Error::Config(problem));
        }
        let has_limit = spec.max_episode_steps.is_some();
        Ok(Self::of(groups, None, Episodes::new(lanes, has_limit), world, (seed, threads)))
    }

    /// So many lanes that are stepped on a device.
    pub(crate) fn on_device(on_device: DeviceLanes, lanes: usize, seed: Seed, threads: Threads) -> Self {
        let has_limit = on_device.spec().max_episode_steps.is_some();
        let episodes = Episodes::new(lanes, has_limit);
        Self::of(Vec::new(), Some(on_device), episodes, Arc::new(Alone), (seed, threads))
    }

    /// Nothing collected yet, of groups or of lanes on a device.
    fn of(
        groups: Vec<LaneGroup>,
        on_device: Option<DeviceLanes>,
        episodes: Episodes,
        world: Arc<dyn World>,
        (seed, threads): (Seed, Threads),
    ) -> Self {
        Self {
            groups,
            on_device,
            device_rollout: None,
            threads,
            world,
            parts: Vec::new(),
            joined: Rollout::default(),
            seed,
            lost: false,
            most_steps: (Rollout::MAX_STEPS as usize / episodes.lanes()).max(1),
            first_step: 0,
            episodes,
        }
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
        let Some(env) = self.groups.first().map(LaneGroup::env) else { return Ok(false) };
        let mut masks = vec![true; env.lanes() * self.spec().action.choices()];
        Ok(!masks.is_empty() && env.action_masks(&mut masks)?)
    }

    /// Allows rollouts of so many steps in each lane at most.
    pub(crate) fn set_most_steps(&mut self, most_steps: usize) {
        self.most_steps = self.most_steps.min(most_steps);
    }

    /// Takes the next rollout for what comes after so many steps of the same update: what lasts for a whole rollout, such as a
    /// noise that is held, lasts over all of an update's.
    pub(crate) fn go_on_after(&mut self, steps: usize) {
        self.first_step = steps;
    }

    /// Makes room for what a policy remembers of each lane, so many numbers.
    pub(crate) fn remember(&mut self, numbers: usize) {
        self.groups.iter_mut().for_each(|group| group.remember(numbers));
    }

    /// Has a policy that plays all lanes keep what it passed, for who learns from all of it at once.
    pub(crate) fn keep_passes(&mut self) {
        self.only_room().into_iter().for_each(|room| room.keeps = true);
    }

    /// The room of a policy that plays all lanes: who learns from them goes on in it.
    pub(crate) fn only_room(&mut self) -> Option<&mut Scratch> {
        if self.is_one() { Some(self.groups[0].scratch_mut()) } else { None }
    }

    /// Asks before every step, and between two few hundred observations of one, whether to break the rollout off.
    pub(crate) fn set_stop(&mut self, stop: &Flag) {
        self.groups.iter_mut().for_each(|group| group.set_stop(stop.clone()));
        self.on_device.iter_mut().for_each(|lanes| lanes.set_stop(stop.clone()));
    }

    /// The threads that play.
    pub(crate) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// What each lane is.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        // A collector is never made without a group, unless it has lanes on a device.
        self.on_device.as_ref().map_or_else(|| self.groups[0].env().spec(), DeviceLanes::spec)
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
        let played = catch_unwind(AssertUnwindSafe(|| self.play(network, params, horizon, with_values)));
        // A network that panics leaves no lane in the midst of a rollout either.
        played.unwrap_or_else(|panic| {
            self.rewind();
            resume_unwind(panic)
        })?;
        Ok((self.rollout(), self.episodes.counted()))
    }

    fn play(&mut self, network: &dyn Model, params: &Params, horizon: Horizon, with_values: bool) -> Result<()> {
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
        if let Some(lanes) = &mut self.on_device {
            let Horizon::Steps(steps) = horizon else {
                return Err(Error::Config(
                    "lanes on a device are stepped so many steps, and not whole episodes".into(),
                ));
            };
            lanes.note();
            let made = lanes.collect(network, params, steps, &mut self.joined);
            self.device_rollout = Some(made.inspect_err(|_| lanes.rewind())?);
            self.episodes.follow(&self.joined);
            return Ok(());
        }
        self.remember(network.memory());
        self.groups.iter_mut().for_each(LaneGroup::note);
        let groups = self.groups.len();
        let bounds = Bounds { groups, most_steps: most, lanes: self.episodes.lanes(), first_step: self.first_step };
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
        let joined = match self.world.size() {
            1 => played.map(|()| {
                if groups > 1 {
                    self.joined.join(self.groups.iter().map(|group| &group.rollout));
                }
            }),
            _ => self.exchange(played, params),
        };
        if let Err(error) = joined {
            self.rewind();
            return Err(error);
        }
        let rollout = if self.is_one() { &self.groups[0].rollout } else { &self.joined };
        self.episodes.follow(rollout);
        Ok(())
    }

    /// Puts the rollouts of all ranks side by side. Where the policy of one gave no distribution all fail with that.
    ///
    /// # Errors
    /// What one's own rollout failed with, [`Error::NotFinite`] if another's did, [`Error::Apart`] for ranks of other parameters.
    fn exchange(&mut self, played: Result<()>, params: &Params) -> Result<()> {
        let mut own = Packet::default();
        own.put(&[params.read(digest)?]);
        match &played {
            Ok(()) => {
                own.put_flags(&[true]);
                own.put(&[self.groups.len() as u64]);
                self.groups.iter().for_each(|group| group.rollout.pack(&mut own));
            }
            Err(Error::NotFinite { what }) => {
                own.put_flags(&[false]);
                own.put(what.as_bytes());
            }
            // Others hear of it from whoever leads this rank.
            Err(_) => return played,
        }
        let (world, mut parts, mut flags) = (&*self.world, 0, Vec::new());
        let (mut of_first, mut failed) = (None, None);
        for (rank, bytes) in world.gather(&own.0)?.iter().enumerate() {
            let mut packet = Unpacked::of(rank, bytes);
            let digest = packet.one::<u64>()?;
            if digest != *of_first.get_or_insert(digest) {
                return Err(packet.apart("its parameters are not those of rank 0; is it another kind of processor?"));
            }
            packet.take_flags(&mut flags)?;
            if flags != [true] {
                let what = String::from_utf8_lossy(&packet.take::<u8>()?).into_owned();
                failed.get_or_insert(Error::NotFinite { what });
                continue;
            }
            for _ in 0..packet.one::<u64>()? {
                self.parts.resize_with(self.parts.len().max(parts + 1), Rollout::default);
                self.parts[parts].unpack(&mut packet)?;
                parts += 1;
            }
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        self.joined.join(self.parts[..parts].iter());
        let (lanes, all) = (self.joined.lanes, self.episodes.lanes());
        if lanes != all {
            let problem = format!("ranks have {lanes} lanes in all, and envs = {all}");
            return Err(Error::Apart { rank: world.rank(), problem });
        }
        Ok(())
    }

    /// Whether the one group there is has all lanes.
    fn is_one(&self) -> bool {
        self.groups.len() == 1 && self.world.size() == 1
    }

    /// What was collected last.
    pub(crate) fn rollout(&self) -> &Rollout {
        if self.is_one() { &self.groups[0].rollout } else { &self.joined }
    }

    /// The same, to be written to.
    pub(crate) fn rollout_mut(&mut self) -> &mut Rollout {
        if self.is_one() { &mut self.groups[0].rollout } else { &mut self.joined }
    }

    /// The last rollout, where it was made on a device. It is there once.
    pub(crate) fn take_device_rollout(&mut self) -> Option<DeviceRollout> {
        self.device_rollout.take()
    }

    /// The episodes of all lanes.
    pub(crate) fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// Puts every lane back to where it was before the last rollout, unless its environment cannot be saved.
    fn rewind(&mut self) {
        self.on_device.iter_mut().for_each(DeviceLanes::rewind);
        let stuck = self.groups.iter_mut().map(LaneGroup::rewind).filter(|back| !back).count();
        self.lost = stuck > 0;
    }

    /// The same after a whole rollout, with the episodes as they were before it.
    pub(crate) fn put_back(&mut self, episodes: Episodes) {
        self.rewind();
        self.episodes = episodes;
    }

    /// Where the lanes of all ranks stand, in order.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    pub(crate) fn all_lanes(&self) -> Result<Vec<Lane>> {
        let mut own = Packet::default();
        let lanes = self.groups.iter().flat_map(|group| group.each_lane(!self.lost));
        lanes.for_each(|lane| lane.pack(&mut own));
        let (mut all, count) = (Vec::new(), self.episodes.lanes());
        for (rank, bytes) in self.world.gather(&own.0)?.iter().enumerate() {
            let mut packet = Unpacked::of(rank, bytes);
            for _ in dealt(&*self.world, rank, count) {
                all.push(Lane::unpack(&mut packet)?);
            }
        }
        Ok(all)
    }

    /// Puts its lanes where those of these numbers stand, and says whether the environments can go on from there. After so many
    /// steps others start new episodes.
    pub(crate) fn put_lanes(&mut self, all: &[Lane], env_steps: u64) -> Result<bool> {
        let reseed = self.seed.derive("lanes", env_steps);
        let go_on = self.groups.iter_mut().map(|group| group.put_lanes(all, reseed)).collect::<Result<Vec<bool>>>()?;
        self.lost = false;
        Ok(go_on.into_iter().all(|goes_on| goes_on))
    }

    /// Adds where its lanes stand to `arrays`, and the episodes of all.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device that they are on fails.
    pub(crate) fn save(&self, arrays: &mut Arrays) -> Result<()> {
        self.save_lanes(arrays, !self.lost);
        self.episodes.save(arrays);
        self.on_device.as_ref().map_or(Ok(()), |lanes| lanes.save(arrays))
    }

    /// Adds where its lanes stand to `arrays`; the environments only where asked for.
    pub(crate) fn save_lanes(&self, arrays: &mut Arrays, with_env: bool) {
        for (i, group) in self.groups.iter().enumerate() {
            group.save(&format!("lanes.{i}"), arrays, with_env);
        }
    }

    /// Goes on from what [`Collector::save`] left, after so many steps and episodes; says whether the environments do, too. Those that
    /// could not be saved start new episodes.
    pub(crate) fn restore(&mut self, arrays: &Arrays, (env_steps, ended): (u64, u64)) -> Result<bool> {
        let reseed = self.seed.derive("lanes", env_steps);
        let mut all = true;
        for (i, group) in self.groups.iter_mut().enumerate() {
            all &= group.restore(&format!("lanes.{i}"), arrays, reseed)?;
        }
        self.on_device.as_mut().map_or(Ok(()), |lanes| lanes.restore(arrays))?;
        self.restore_episodes(arrays, (env_steps, ended), all)?;
        self.lost = false;
        Ok(all)
    }

    /// Goes on from the episodes that [`Collector::save`] left, after so many steps and episodes.
    pub(crate) fn restore_episodes(&mut self, arrays: &Arrays, so_far: (u64, u64), lanes_go_on: bool) -> Result<()> {
        self.episodes.restore(arrays, so_far, lanes_go_on)
    }
}

/// A number that stands for parameters.
fn digest(theta: &[f32]) -> u64 {
    theta
        .iter()
        .fold(0, |digest: u64, x| (digest ^ u64::from(x.to_bits())).wrapping_mul(0x100_0000_01b3).rotate_left(23))
}
