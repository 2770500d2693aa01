//! Lanes that are stepped on the learning device: what they do goes to the host once a rollout, to be counted.

use candle_core::{DType, Device, Tensor};
use uphill_envs::{End, Spec, quoted};

use crate::arrays::Arrays;
use crate::distributions::{Distribution, TensorSampler};
use crate::host_only::HostOnly;
use crate::models::Model;
use crate::philox::{LaneNumbers, Purpose};
use crate::rollout::{ActionKind, DeviceRollout, ObservationKind, Rollout};
use crate::seed::Seed;
use crate::stop::{Flag, Stop};
use crate::tensor_env::TensorEnv;
use crate::{Error, Params, Result};

/// Numbers that are drawn together, and rows that are judged together.
pub(crate) const TOGETHER: usize = 1 << 22;
const JUDGED: usize = 1 << 16;

/// `N` lanes of a tensor program, and where they stand.
///
/// Lane `i` draws its actions, and whatever happens to it by chance, from [`LaneNumbers`] of the seed's stream `device`: what it
/// does never depends on how many others there are.
pub(crate) struct DeviceLanes {
    env: Box<dyn TensorEnv>,
    numbers: LaneNumbers,
    device: Device,
    now: Place,
    /// Where they stood when last noted.
    before: Place,
    stop: Option<Flag>,
}

/// Where lanes stand.
#[derive(Debug, Clone)]
struct Place {
    /// `[N, S]`.
    state: Tensor,
    /// `[N]`: steps of the episode under way.
    elapsed: Tensor,
    /// Steps of each lane so far.
    step: u64,
}

impl DeviceLanes {
    /// So many lanes, each at the start of an episode.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub(crate) fn new(env: Box<dyn TensorEnv>, lanes: usize, seed: Seed, device: &Device) -> Result<Self> {
        let numbers = LaneNumbers::new(Seed(seed.derive("device", 0)), lanes);
        let first = numbers.uniform((0, 1), Purpose::Start, env.start_draws(), device)?.squeeze(0)?;
        let elapsed = Tensor::zeros(lanes, DType::F32, device)?;
        let now = Place { state: env.start(&first)?, elapsed, step: 0 };
        Ok(Self { env, numbers, device: device.clone(), before: now.clone(), now, stop: None })
    }

    pub(crate) fn spec(&self) -> &Spec {
        self.env.spec()
    }

    /// Breaks off where this says so.
    pub(crate) fn set_stop(&mut self, stop: Flag) {
        self.stop = Some(stop);
    }

    /// Notes where the lanes stand, for [`DeviceLanes::rewind`].
    pub(crate) fn note(&mut self) {
        self.before.clone_from(&self.now);
    }

    /// Puts the lanes back to where they stood when last noted.
    pub(crate) fn rewind(&mut self) {
        self.now.clone_from(&self.before);
    }

    /// Acts for so many steps. `told` becomes a rollout of what is counted on the host: rewards and ends.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the policy gives no distribution, or a reward is not finite; [`Error::Config`] for a policy that is drawn
    /// from on the host only.
    pub(crate) fn collect(
        &mut self,
        network: &dyn Model,
        params: &Params,
        steps: usize,
        told: &mut Rollout,
    ) -> Result<DeviceRollout> {
        let distribution = network.distribution();
        let sampler = sampler(&**distribution).map_err(|reason| reason.error())?;
        let (lanes, d, s) = (self.now.state.dim(0)?, self.spec().observation_len(), self.env.state_len());
        let room = |width: usize| Tensor::zeros((steps, lanes, width), DType::F32, &self.device);
        let action = match distribution.action_kind() {
            ActionKind::Discrete => Tensor::zeros((steps, lanes), DType::U32, &self.device)?,
            ActionKind::Continuous => room(distribution.action_len())?,
        };
        let (observation, led_to) = (room(d)?, room(s)?);
        let column = |dtype| Tensor::zeros((steps, lanes), dtype, &self.device);
        let [log_prob, reward, value] = [column(DType::F32)?, column(DType::F32)?, column(DType::F32)?];
        let ends = column(DType::U8)?;
        let mut drawn = Drawn::default();
        let unit = network.value_unit(params);
        for t in 0..steps {
            Stop::of(self.stop.as_ref()).check()?;
            drawn.go_to(t, steps, self, sampler)?;
            let seen = self.env.observe(&self.now.state)?;
            let answer = network.answer(params, &seen)?;
            let outputs = answer.policy.outputs().detach();
            let chosen = sampler.sample(&outputs, &drawn.at(t, Purpose::Action)?)?;
            put(&log_prob, &distribution.tensor(&outputs)?.log_prob(&chosen)?, t)?;
            put(&value, &unit.value_tensor(answer.value.detach())?, t)?;
            put(&observation, &seen, t)?;
            put(&action, &chosen, t)?;
            let by_chance = (self.env.step_draws() > 0).then(|| drawn.at(t, Purpose::Step)).transpose()?;
            let taken = sampler.map_action(&chosen)?;
            let step = self.env.step(&self.now.state, &taken, by_chance.as_ref())?;
            let end = self.go_on(&step.state, &step.terminated, &drawn.at(t, Purpose::Start)?)?;
            put(&reward, &step.reward, t)?;
            put(&led_to, &step.state, t)?;
            put(&ends, &end, t)?;
        }
        self.tell(told, &log_prob, &reward, &ends)?;
        let carry = ends.eq(0u8)?.to_dtype(DType::F32)?;
        let ending = (led_to.reshape((steps * lanes, s))?, &carry);
        let next_value = self.next_values(network, params, (&value, ending), told)?;
        let flat = |x: &Tensor| x.flatten(0, 1);
        let (observation, action, log_prob) = (flat(&observation)?, flat(&action)?, flat(&log_prob)?);
        Ok(DeviceRollout { steps, lanes, observation, action, log_prob, reward, value, next_value, carry })
    }

    /// Goes to the states that a step led to, and where it ended an episode to the start of the next. How it ended, `[N]`: 0 not, 1
    /// terminated, 2 truncated.
    fn go_on(&mut self, state: &Tensor, terminated: &Tensor, start: &Tensor) -> Result<Tensor> {
        let elapsed = (&self.now.elapsed + 1.0)?;
        let end = match self.spec().max_episode_steps {
            // What terminates in its last step has terminated.
            Some(limit) => {
                let cut = (elapsed.ge(f64::from(limit))?.to_dtype(DType::U8)? * 2.0)?;
                terminated.eq(0u8)?.where_cond(&cut, terminated)?
            }
            None => terminated.clone(),
        };
        let goes_on = end.eq(0u8)?;
        let of_state = goes_on.unsqueeze(1)?.broadcast_as(state.shape())?.contiguous()?;
        self.now = Place {
            state: of_state.where_cond(state, &self.env.start(start)?)?,
            elapsed: goes_on.where_cond(&elapsed, &elapsed.zeros_like()?)?,
            step: self.now.step + 1,
        };
        Ok(end)
    }

    /// Makes `told` of what came of a rollout: one copy to the host of 5 bytes a step, and of one number.
    fn tell(&self, told: &mut Rollout, log_prob: &Tensor, reward: &Tensor, ends: &Tensor) -> Result<()> {
        let (spec, lanes) = (self.spec(), log_prob.dim(1)?);
        let not_finite = |what: String| Err(Error::NotFinite { what });
        if !log_prob.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return not_finite("one of the policy's outputs".into());
        }
        let observations = (spec.observation_len(), ObservationKind::of(&spec.observation));
        told.clear(lanes, observations, (1, ActionKind::default()));
        told.reward = reward.flatten_all()?.to_vec1()?;
        if !told.reward.iter().all(|reward| reward.is_finite()) {
            return not_finite(format!("a reward of {}", quoted(&spec.id)));
        }
        let ends = ends.flatten_all()?.to_vec1::<u8>()?;
        told.end.extend(ends.iter().map(|end| match end {
            0 => End::Not,
            1 => End::Terminated,
            _ => End::Truncated,
        }));
        told.valid.resize(told.end.len(), true);
        let truncated = told.end.iter().enumerate().filter(|(_, end)| **end == End::Truncated);
        told.truncated.extend(truncated.map(|(place, _)| place));
        Ok(())
    }

    /// V of the states that actions led to, `[T, N]`: of the next observation, of an episode's last where it was truncated, and 0 where
    /// it terminated. The critic is asked once for all that were truncated, and once for the last.
    fn next_values(
        &self,
        network: &dyn Model,
        params: &Params,
        (value, (led_to, carry)): (&Tensor, (Tensor, &Tensor)),
        told: &Rollout,
    ) -> Result<Tensor> {
        let (steps, lanes) = value.dims2()?;
        let unit = network.value_unit(params);
        let judge = |state: &Tensor| -> Result<Tensor> {
            unit.value_tensor(network.answer(params, &self.env.observe(state)?)?.value.detach())
        };
        let last = judge(&self.now.state)?.unsqueeze(0)?;
        let next = Tensor::cat(&[&value.narrow(0, 1, steps - 1)?, &last], 0)?;
        let mut next = carry.gt(0.0)?.where_cond(&next, &next.zeros_like()?)?.flatten_all()?;
        for places in told.truncated.chunks(JUDGED) {
            let places = Tensor::from_iter(places.iter().map(|&place| place as u32), &self.device)?;
            next = next.index_add(&places, &judge(&led_to.index_select(&places, 0)?)?, 0)?;
        }
        Ok(next.reshape((steps, lanes))?)
    }

    /// Adds where the lanes stand to `arrays`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub(crate) fn save(&self, arrays: &mut Arrays) -> Result<()> {
        arrays.put("device_lanes.state", self.now.state.flatten_all()?.to_vec1::<f32>()?);
        arrays.put("device_lanes.elapsed", self.now.elapsed.to_vec1::<f32>()?);
        arrays.put("device_lanes.step", vec![self.now.step]);
        Ok(())
    }

    /// Goes on from what [`DeviceLanes::save`] left.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for what it never leaves.
    pub(crate) fn restore(&mut self, arrays: &Arrays) -> Result<()> {
        let (lanes, s) = self.now.state.dims2()?;
        let state = arrays.get_len::<f32>("device_lanes.state", lanes * s)?;
        let elapsed = arrays.get_len::<f32>("device_lanes.elapsed", lanes)?;
        self.now = Place {
            state: Tensor::from_slice(state, (lanes, s), &self.device)?,
            elapsed: Tensor::from_slice(elapsed, lanes, &self.device)?,
            step: arrays.one::<u64>("device_lanes.step")?,
        };
        Ok(())
    }
}

/// What draws a policy's actions on a device, or what keeps it from acting there.
pub(crate) fn sampler(distribution: &dyn Distribution) -> std::result::Result<&dyn TensorSampler, HostOnly> {
    // Its type, without what it is made of.
    let name =
        || format!("{distribution:?}").split(|c: char| !c.is_alphanumeric()).next().map(quoted).unwrap_or_default();
    distribution.sampler().ok_or_else(|| drawn_on_the_host(&name(), distribution))
}

/// What is said of a distribution of this name.
pub(crate) fn drawn_on_the_host(name: &str, distribution: &dyn Distribution) -> HostOnly {
    let drawn = match distribution.action_kind() {
        ActionKind::Discrete => "categorical",
        ActionKind::Continuous => "diag_gaussian",
    };
    HostOnly::new(format!("{name} is drawn from on the host only"), format!("take {drawn}"))
}

/// Writes a step of a rollout, `[N, ..]`, to its place in `[T, N, ..]`.
fn put(column: &Tensor, of_step: &Tensor, t: usize) -> candle_core::Result<()> {
    column.slice_set(&of_step.unsqueeze(0)?.contiguous()?, 0, t)
}

/// The numbers of some steps of a rollout, drawn together.
#[derive(Default)]
struct Drawn {
    first: usize,
    steps: usize,
    /// `[steps, N, count]` of each [`Purpose`].
    numbers: [Option<Tensor>; 3],
}

impl Drawn {
    /// Draws those of step `t` of a rollout and some after it, unless they are there.
    fn go_to(&mut self, t: usize, end: usize, lanes: &DeviceLanes, sampler: &dyn TensorSampler) -> Result<()> {
        if t < self.first + self.steps {
            return Ok(());
        }
        let counts = [sampler.draws(), lanes.env.step_draws(), lanes.env.start_draws()];
        let of_step = lanes.now.state.dim(0)? * counts.iter().sum::<usize>();
        (self.first, self.steps) = (t, (TOGETHER / of_step.max(1)).clamp(1, end - t));
        for (purpose, count) in [Purpose::Action, Purpose::Step, Purpose::Start].into_iter().zip(counts) {
            // An episode starts before the step after.
            let first = lanes.now.step + u64::from(purpose == Purpose::Start);
            let numbers = lanes.numbers.uniform((first, self.steps), purpose, count, &lanes.device);
            self.numbers[purpose as usize] = (count > 0).then_some(numbers).transpose()?;
        }
        Ok(())
    }

    /// Those of one step, `[N, count]`.
    fn at(&self, t: usize, purpose: Purpose) -> Result<Tensor> {
        let numbers = self.numbers[purpose as usize].as_ref();
        let none =
            || Error::Config(format!("no number is drawn for {purpose:?}: the environment says that it takes none"));
        Ok(numbers.ok_or_else(none)?.get(t - self.first)?)
    }
}

#[cfg(test)]
mod tests;
