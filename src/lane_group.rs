//! Some lanes of a rollout, played by one thread.

use uphill_envs::{Actions, End, EnvError, Spec, Transitions, VecEnv, counted, quoted};

use crate::arrays::Arrays;
use crate::distributions::{KeptRows, forbid, no_distribution};
use crate::error::check_len;
use crate::models::Model;
use crate::pace::Pace;
use crate::rollout::{Horizon, ObservationKind, Rollout};
use crate::scratch::Scratch;
use crate::seed::{Rng, Seed, from_words, words as words_of};
use crate::stop::Flag;
use crate::world::{Packet, Unpacked};
use crate::{Error, Params, Result, Threads};

/// Lanes that are stepped together, where they stand, and their part of the rollout.
pub(crate) struct LaneGroup {
    /// The number of its first lane among all.
    first: usize,
    env: Box<dyn VecEnv>,
    observation: Vec<f32>,
    /// `[n, M]`: what the policy remembers of each lane, zeros where an episode begins.
    memory: Vec<f32>,
    rngs: Vec<Rng>,
    /// What it collected last: `[T, n]`, `n` its own lanes.
    pub(crate) rollout: Rollout,
    // What a rollout needs room for, kept so that the next one does not allocate.
    episodes_left: Vec<usize>,
    active: Vec<bool>,
    outputs: Vec<f32>,
    /// Whether every choice is taken for a legal one.
    ignores_masks: bool,
    /// `[n, A]`: which choices are legal now.
    mask: Vec<bool>,
    policy: KeptRows,
    /// `[n, K]`: numbers as the environment takes them.
    clipped: Vec<f32>,
    final_observation: Vec<f32>,
    /// What was remembered of each lane where an episode was truncated.
    truncated_memory: Vec<f32>,
    values: Vec<f32>,
    /// `[n]`: those of the observations after the last step.
    last: Vec<f32>,
    /// Observations of the rollout as numbers, some at a time.
    numbers: Vec<f32>,
    scratch: Scratch,
    before: Snapshot,
    pace: Pace,
}

/// What a rollout is bounded by.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// How many groups there are.
    pub(crate) groups: usize,
    /// The most steps in each lane.
    pub(crate) most_steps: usize,
    /// How many lanes there are in all groups.
    pub(crate) lanes: usize,
    /// Steps in each lane since the update began, before this rollout.
    pub(crate) first_step: usize,
}

/// Where one lane stands between two rollouts, whichever lanes it is among.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lane {
    /// The environment's own words; `None` where it cannot tell its state.
    env: Option<Vec<u64>>,
    /// `[D]`.
    observation: Vec<f32>,
    /// `[M]`.
    memory: Vec<f32>,
    rng: [u64; 4],
}

impl Lane {
    pub(crate) fn pack(&self, to: &mut Packet) {
        to.put_flags(&[self.env.is_some()]);
        to.put(self.env.as_deref().unwrap_or_default());
        to.put(&self.observation);
        to.put(&self.memory);
        to.put(&self.rng);
    }

    pub(crate) fn unpack(from: &mut Unpacked<'_>) -> Result<Self> {
        let (mut is_told, mut rng) = (Vec::new(), [0; 4]);
        from.take_flags(&mut is_told)?;
        let env = Some(from.take()?).filter(|_| is_told.contains(&true));
        let (observation, memory) = (from.take()?, from.take()?);
        from.fill(&mut rng)?;
        Ok(Self { env, observation, memory, rng })
    }
}

/// Where lanes stand between two rollouts.
#[derive(Default)]
struct Snapshot {
    /// The environments' own words; `None` where they cannot tell their state.
    env: Option<Vec<u64>>,
    observation: Vec<f32>,
    memory: Vec<f32>,
    rngs: Vec<Rng>,
}

impl LaneGroup {
    /// Resets every lane; see [`Collector::new`](crate::Collector::new) for what is seeded with what.
    pub(crate) fn new(first: usize, mut env: Box<dyn VecEnv>, seed: Seed) -> Result<Self> {
        let lanes = env.lanes();
        let mut observation = vec![0.0; lanes * env.spec().observation_len()];
        let lane_seed = u128::from(seed.derive("lanes", 0)) + first as u128;
        env.reset_wide(lane_seed, &mut observation).map_err(|e| in_group(first, e))?;
        let rngs = (first..first + lanes).map(|i| seed.stream("policy", i as u64)).collect();
        Ok(Self {
            first,
            final_observation: vec![0.0; observation.len()],
            env,
            observation,
            memory: Vec::new(),
            rngs,
            rollout: Rollout::default(),
            episodes_left: Vec::new(),
            active: Vec::new(),
            outputs: Vec::new(),
            ignores_masks: false,
            mask: Vec::new(),
            policy: KeptRows::default(),
            clipped: Vec::new(),
            truncated_memory: Vec::new(),
            values: Vec::new(),
            last: Vec::new(),
            numbers: Vec::new(),
            scratch: Scratch::default(),
            before: Snapshot::default(),
            pace: Pace::default(),
        })
    }

    pub(crate) fn env(&self) -> &dyn VecEnv {
        &*self.env
    }

    /// How long its steps take.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Takes every choice for a legal one.
    pub(crate) fn ignore_masks(&mut self) {
        self.ignores_masks = true;
    }

    /// The room in which its policy works.
    pub(crate) fn scratch_mut(&mut self) -> &mut Scratch {
        &mut self.scratch
    }

    /// Breaks off where this says so.
    pub(crate) fn set_stop(&mut self, stop: Flag) {
        self.scratch.stop = Some(stop);
    }

    /// Makes room for what a policy remembers of each lane, `M` numbers: nothing yet where it was another's.
    pub(crate) fn remember(&mut self, numbers: usize) {
        let len = self.env.lanes() * numbers;
        if self.memory.len() != len {
            self.memory.clear();
            self.memory.resize(len, 0.0);
        }
    }

    /// Acts until the horizon; the rollout is then this group's. Environments that take long are stepped on `threads`, where
    /// there are any to be had.
    pub(crate) fn collect(
        &mut self,
        network: &dyn Model,
        params: &Params,
        horizon: Horizon,
        with_values: bool,
        bounds: Bounds,
        threads: Option<&Threads>,
    ) -> Result<()> {
        let (lanes, d, distribution) = (self.env.lanes(), network.observation_len(), network.distribution());
        let (width, k, m) = (distribution.outputs(), distribution.action_len(), network.memory());
        let mut choices = if self.ignores_masks { 0 } else { distribution.choices() };
        self.mask.resize(lanes * choices, true);
        if choices > 0 && !self.env.action_masks(&mut self.mask).map_err(|e| in_group(self.first, e))? {
            choices = 0;
        }
        let Self { rollout, episodes_left, active, outputs, policy, final_observation, .. } = self;
        let policy = policy.of(distribution);
        let Self { clipped, truncated_memory, memory, values, scratch, mask, .. } = self;
        let observations = (d, ObservationKind::of(&self.env.spec().observation));
        rollout.clear(lanes, observations, (k, distribution.action_kind()));
        rollout.choices = choices;
        rollout.memory.extend_from_slice(memory);
        truncated_memory.clear();
        episodes_left.clear();
        episodes_left.resize(lanes, if let Horizon::Episodes(n) = horizon { n } else { usize::MAX });
        active.clear();
        active.extend(episodes_left.iter().map(|&left| left > 0));

        let mut t = 0;
        while active.contains(&true) && horizon != Horizon::Steps(t) {
            scratch.stop().check()?;
            if t == bounds.most_steps {
                return Err(endless(self.env.spec(), bounds));
            }
            self.pace.begin();
            if m == 0 && !(with_values && network.answers_at_once()) {
                network.outputs(params, &self.observation, scratch, outputs)?;
            } else {
                // With a memory values go by what is remembered now: they are not to be had afterwards.
                let asked = with_values.then_some(&mut *values);
                network.answers_after(params, &self.observation, memory, scratch, outputs, asked)?;
                if with_values {
                    check_len("the network's value", lanes, values.len())?;
                    rollout.value.extend_from_slice(values);
                }
            }
            check_len("the network's output", lanes * width, outputs.len())?;
            if choices > 0 {
                self.env.action_masks(mask).map_err(|e| in_group(self.first, e))?;
                forbid(outputs, width, mask, choices);
                rollout.mask.extend_from_slice(mask);
            }
            policy.set(outputs, width);
            let start = t * lanes;
            let len = start + lanes;
            rollout.observation.extend(&self.observation);
            rollout.action.resize(len * k);
            rollout.log_prob.resize(len, 0.0);
            rollout.reward.resize(len, 0.0);
            rollout.end.resize(len, End::Not);
            rollout.valid.extend_from_slice(active);
            for lane in (0..lanes).filter(|&lane| active[lane]) {
                let place = (start + lane) * k;
                let action = rollout.action.room(place..place + k);
                policy.renew(lane, bounds.first_step + t, &mut self.rngs[lane]);
                let Some(log_prob) = policy.sample(lane, &mut self.rngs[lane], action) else {
                    return Err(no_distribution(&outputs[lane * width..(lane + 1) * width]));
                };
                rollout.log_prob[start + lane] = log_prob;
            }
            let out = Transitions {
                observation: &mut self.observation,
                final_observation,
                reward: &mut rollout.reward[start..],
                end: &mut rollout.end[start..],
            };
            let actions = match rollout.action.view() {
                Actions::Discrete(indices) => Actions::Discrete(&indices[start * k..]),
                Actions::Continuous(numbers) => {
                    clipped.clear();
                    clipped.extend_from_slice(&numbers[start * k..]);
                    distribution.map_action(clipped);
                    Actions::Continuous(clipped)
                }
            };
            let step = (actions, &active[..], out);
            let stepped = self.pace.step(&mut *self.env, step, bounds.groups, threads);
            stepped.map_err(|e| in_group(self.first, e))?;
            for lane in 0..lanes {
                let end = rollout.end[start + lane];
                let remembered = lane * m..(lane + 1) * m;
                if !rollout.valid[start + lane] {
                    // It stands where an episode begins.
                    memory[remembered].fill(0.0);
                    continue;
                }
                if end == End::Truncated {
                    rollout.truncated.push(start + lane);
                    rollout.truncated_observation.extend_from_slice(&final_observation[lane * d..(lane + 1) * d]);
                    truncated_memory.extend_from_slice(&memory[remembered.clone()]);
                }
                if end.ended() {
                    memory[remembered].fill(0.0);
                    episodes_left[lane] -= 1;
                    active[lane] = episodes_left[lane] > 0;
                }
            }
            t += 1;
        }
        rollout.last_observation.extend_from_slice(&self.observation);
        if with_values {
            return self.judge(network, params);
        }
        rollout.value.resize(t * lanes, 0.0);
        rollout.next_value.resize(t * lanes, 0.0);
        Ok(())
    }

    /// Notes where the lanes stand, for [`LaneGroup::rewind`].
    pub(crate) fn note(&mut self) {
        let Snapshot { env, observation, memory, rngs } = &mut self.before;
        let mut words = env.take().unwrap_or_default();
        words.clear();
        *env = self.env.save(&mut words).then_some(words);
        observation.clone_from(&self.observation);
        memory.clone_from(&self.memory);
        rngs.clone_from(&self.rngs);
    }

    /// Puts the lanes back to where they stood when last noted, and says whether that is possible.
    pub(crate) fn rewind(&mut self) -> bool {
        let Snapshot { env, observation, memory, rngs } = &self.before;
        self.observation.clone_from(observation);
        self.memory.clone_from(memory);
        self.rngs.clone_from(rngs);
        env.as_ref().is_some_and(|words| self.env.restore(words).is_ok())
    }

    /// Adds where the lanes stand to `arrays`, the names after `prefix`; the environments only where asked for.
    pub(crate) fn save(&self, prefix: &str, arrays: &mut Arrays, with_env: bool) {
        let mut words = Vec::new();
        if with_env && self.env.save(&mut words) {
            arrays.put(format!("{prefix}.env"), words);
        }
        arrays.put(format!("{prefix}.observation"), self.observation.clone());
        if !self.memory.is_empty() {
            arrays.put(format!("{prefix}.memory"), self.memory.clone());
        }
        arrays.put(format!("{prefix}.policy_rng"), self.rngs.iter().flat_map(words_of).collect::<Vec<_>>());
    }

    /// Goes on from what [`LaneGroup::save`] left. Environments that could not be saved start new episodes, seeded from
    /// `reseed` on, and `false` says so.
    pub(crate) fn restore(&mut self, prefix: &str, arrays: &Arrays, reseed: u64) -> Result<bool> {
        let states = arrays.get_len::<u64>(&format!("{prefix}.policy_rng"), 4 * self.rngs.len())?;
        for (rng, &state) in self.rngs.iter_mut().zip(states.as_chunks().0) {
            let problem = || Error::Checkpoint(format!("`{prefix}.policy_rng` holds what is no generator's state"));
            *rng = from_words(state).ok_or_else(problem)?;
        }
        let name = format!("{prefix}.env");
        if arrays.has(&name) {
            self.env.restore(arrays.get(&name)?).map_err(|e| in_group(self.first, e))?;
            arrays.copy(&format!("{prefix}.observation"), &mut self.observation)?;
            if !self.memory.is_empty() {
                arrays.copy(&format!("{prefix}.memory"), &mut self.memory)?;
            }
            return Ok(true);
        }
        self.memory.fill(0.0);
        let seed = u128::from(reseed) + self.first as u128;
        self.env.reset_wide(seed, &mut self.observation).map_err(|e| in_group(self.first, e))?;
        Ok(false)
    }

    /// Where each of its lanes stands; the environments only where asked for.
    pub(crate) fn each_lane(&self, with_env: bool) -> impl Iterator<Item = Lane> {
        let (lanes, d, m) = (self.env.lanes(), self.env.spec().observation_len(), self.memory.len() / self.env.lanes());
        (0..lanes).map(move |lane| {
            let mut words = Vec::new();
            let is_told = with_env && self.env.save_lane(lane, &mut words);
            Lane {
                env: is_told.then_some(words),
                observation: self.observation[lane * d..(lane + 1) * d].to_vec(),
                memory: self.memory[lane * m..(lane + 1) * m].to_vec(),
                rng: words_of(&self.rngs[lane]),
            }
        })
    }

    /// Puts its lanes where those of all that have their numbers stand. Environments that could not be saved start new episodes, all of
    /// them, seeded from `reseed` on, and `false` says so.
    pub(crate) fn put_lanes(&mut self, all: &[Lane], reseed: u64) -> Result<bool> {
        let lanes = self.env.lanes();
        let own =
            all.get(self.first..self.first + lanes).ok_or_else(|| Error::Checkpoint("it is of fewer lanes".into()))?;
        for (rng, lane) in self.rngs.iter_mut().zip(own) {
            let problem = || Error::Checkpoint("a lane's generator is in no state that there is".into());
            *rng = from_words(lane.rng).ok_or_else(problem)?;
        }
        let seed = u128::from(reseed) + self.first as u128;
        self.env.reset_wide(seed, &mut self.observation).map_err(|e| in_group(self.first, e))?;
        self.memory.fill(0.0);
        let Some(words) = own.iter().map(|lane| lane.env.as_ref()).collect::<Option<Vec<_>>>() else {
            return Ok(false);
        };
        let (d, m) = (self.env.spec().observation_len(), self.memory.len() / lanes);
        for (i, (words, lane)) in words.into_iter().zip(own).enumerate() {
            check_len("a lane's observation", d, lane.observation.len())?;
            check_len("a lane's memory", m, lane.memory.len())?;
            self.env.restore_lane(i, words).map_err(|e| in_group(self.first, e))?;
            self.observation[i * d..(i + 1) * d].copy_from_slice(&lane.observation);
            self.memory[i * m..(i + 1) * m].copy_from_slice(&lane.memory);
        }
        Ok(true)
    }

    /// Asks the critic for every value of the rollout, all of a batch at once; where the policy has a memory, or answers at once,
    /// those of the steps are known already.
    fn judge(&mut self, network: &dyn Model, params: &Params) -> Result<()> {
        let Self { rollout, values, numbers, outputs, scratch, .. } = self;
        let mut judge = |observation: &[f32], memory: &[f32], values: &mut Vec<f32>| {
            if network.memory() == 0 {
                return network.values(params, observation, scratch, values);
            }
            values.clear();
            // What is remembered of lanes that go on stays as it is.
            let mut after = memory.to_vec();
            match observation.is_empty() {
                true => Ok(()),
                false => network.answers_after(params, observation, &mut after, scratch, outputs, Some(values)),
            }
        };
        if rollout.value.is_empty() {
            let Rollout { observation, observation_len, value, .. } = rollout;
            observation.each(*observation_len, numbers, |observation| {
                judge(observation, &[], values)?;
                value.extend_from_slice(values);
                Ok::<_, Error>(())
            })?;
        }
        check_len("the network's value", rollout.end.len(), rollout.value.len())?;
        let mut last = std::mem::take(&mut self.last);
        judge(&rollout.last_observation, &self.memory, &mut last)?;
        judge(&rollout.truncated_observation, &self.truncated_memory, values)?;
        let mut next_value = std::mem::take(&mut rollout.next_value);
        rollout.next_values(&rollout.value, values, &last, &mut next_value);
        (rollout.next_value, self.last) = (next_value, last);
        Ok(())
    }
}

/// What is said of whole episodes that do not end.
fn endless(spec: &Spec, bounds: Bounds) -> Error {
    let remedy = match spec.max_episode_steps {
        None => {
            "the environment has no limit: set max_episode_steps (`TimeLimit::with_limit` in code), or take an algorithm \
             of n_steps, a2c or ppo"
                .to_string()
        }
        Some(limit) => {
            let limit = counted(limit, "step");
            format!("its limit is {limit}: lower max_episode_steps, episodes or envs, or raise max_memory")
        }
    };
    Error::Endless { id: quoted(&spec.id), steps: (bounds.most_steps * bounds.lanes) as u64, remedy }
}

/// An environment's error with the lane's number among all lanes.
fn in_group(first: usize, error: EnvError) -> Error {
    match error {
        EnvError::Lane { id, lane, seed, step, source } => {
            EnvError::Lane { id, lane: first + lane, seed, step, source }.into()
        }
        EnvError::Lanes { id, first: from, last, seed, step, source } => {
            EnvError::Lanes { id, first: first + from, last: first + last, seed, step, source }.into()
        }
        other => other.into(),
    }
}
