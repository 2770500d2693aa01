//! A model with a memory, along the lanes of a rollout.

use candle_core::{Device, Tensor};

use super::{Model, rows};
use crate::error::check_len;
use crate::objective::Output;
use crate::rollout::{ObservationColumn, Rollout};
use crate::scratch::Scratch;
use crate::{Error, Params, Result};

/// `T` steps of `L` lanes on the learning device, one after the other, and what was remembered before the first.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// `[T, L, D]`.
    pub observation: Tensor,
    /// `[T, L]`: whether a step is the first of an episode, before which nothing is remembered. Of the first steps `memory` says it.
    pub begins: Vec<bool>,
    /// `[L, M]`.
    pub memory: Tensor,
}

impl Sequences {
    /// The first `steps` steps of some lanes of a rollout, with what it says was remembered of them.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a rollout whose memory is not `[N, M]`, [`Error::Tensor`](crate::Error::Tensor)
    /// if the device fails.
    pub(crate) fn of(rollout: &Rollout, lanes: &[usize], steps: usize, m: usize, device: &Device) -> Result<Self> {
        check_len("the rollout's memory", rollout.lanes * m, rollout.memory.len())?;
        check_len("the rollout's ends", rollout.log_prob.len(), rollout.end.len())?;
        let places = || (0..steps).flat_map(|t| lanes.iter().map(move |lane| t * rollout.lanes + lane));
        let mut observation = Vec::with_capacity(steps * lanes.len() * rollout.observation_len);
        rollout.observation.numbers_at(places(), rollout.observation_len, &mut observation);
        let memory: Vec<f32> =
            lanes.iter().flat_map(|lane| &rollout.memory[lane * m..(lane + 1) * m]).copied().collect();
        Ok(Self {
            observation: Tensor::from_vec(observation, (steps, lanes.len(), rollout.observation_len), device)?,
            begins: places().map(|place| rollout.begins(place)).collect(),
            memory: Tensor::from_vec(memory, (lanes.len(), m), device)?,
        })
    }

    /// One episode from its beginning: observations `[T, D]`.
    pub(crate) fn of_one_lane(observation: &[f32], model: &(impl Model + ?Sized), device: &Device) -> Result<Self> {
        let (width, m) = (model.observation_len(), model.memory());
        let steps = rows(observation, width)?;
        Ok(Self {
            observation: Tensor::from_slice(observation, (steps, 1, width), device)?,
            begins: vec![false; steps],
            memory: Tensor::zeros((1, m), candle_core::DType::F32, device)?,
        })
    }

    /// `T`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for observations of another rank.
    pub fn steps(&self) -> Result<usize> {
        Ok(self.observation.dims3()?.0)
    }

    /// What step `t` finds of what was remembered before it, `[L, M]`: zeros where it begins an episode.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for a memory of another number of lanes.
    pub fn found(&self, t: usize, memory: Tensor) -> Result<Tensor> {
        let lanes = self.observation.dims3()?.1;
        let begins = &self.begins[t * lanes..(t + 1) * lanes];
        if !begins.contains(&true) {
            return Ok(memory);
        }
        let kept = Tensor::from_iter(begins.iter().map(|&begins| if begins { 0.0f32 } else { 1.0 }), memory.device())?;
        Ok(memory.broadcast_mul(&kept.reshape((lanes, 1))?.to_dtype(memory.dtype())?)?)
    }

    /// Goes through all steps by a function of one, from observations `[L, D]` and memory `[L, M]` to outputs, values and
    /// memory: outputs `[T·L, outputs]` and values `[T·L]`.
    ///
    /// # Errors
    /// What the function fails with.
    pub fn step_by_step(
        &self,
        step: impl Fn(&Tensor, &Tensor) -> Result<(Tensor, Tensor, Tensor)>,
    ) -> Result<(Tensor, Tensor)> {
        let mut memory = self.memory.clone();
        let (mut outputs, mut values) = (Vec::new(), Vec::new());
        for t in 0..self.steps()? {
            let (output, value, after) = step(&self.observation.get(t)?, &self.found(t, memory)?)?;
            (outputs, values) = (pushed(outputs, output), pushed(values, value));
            memory = after;
        }
        Ok((Tensor::cat(&outputs, 0)?, Tensor::cat(&values, 0)?))
    }
}

fn pushed(mut all: Vec<Tensor>, one: Tensor) -> Vec<Tensor> {
    all.push(one);
    all
}

/// Some steps of a rollout as a model is asked of them: each by itself or, where it has a memory, along their lanes.
#[derive(Debug)]
pub(crate) enum Asked {
    /// `[B, D]`.
    Each(Tensor),
    /// Lanes, and where in `[T, L]` the steps are, if they are not all of them in order.
    Along(Sequences, Option<Tensor>),
}

impl Asked {
    /// The steps at these places of `[T, N]`, whose observations are `[B, D]`.
    ///
    /// # Errors
    /// As [`Sequences::of`].
    pub(crate) fn of(
        network: &(impl Model + ?Sized),
        rollout: &Rollout,
        places: &[usize],
        observation: &Tensor,
    ) -> Result<Self> {
        let m = network.memory();
        if m == 0 || places.is_empty() {
            return Ok(Self::Each(observation.clone()));
        }
        let along = Along::of(rollout, places);
        let device = observation.device();
        let sequences = Sequences::of(rollout, &along.lanes, along.steps, m, device)?;
        let index: Vec<u32> = along.index(places, rollout.lanes).map(|i| i as u32).collect();
        let is_all =
            index.len() == along.steps * along.lanes.len() && index.iter().enumerate().all(|(i, &at)| i == at as usize);
        let index = if is_all { None } else { Some(Tensor::from_vec(index, places.len(), device)?) };
        Ok(Self::Along(sequences, index))
    }

    /// What the model says of them.
    ///
    /// # Errors
    /// As [`Model::forward_along`].
    pub(crate) fn answer(&self, network: &(impl Model + ?Sized), params: &Params) -> Result<Output> {
        let (sequences, index) = match self {
            Self::Each(observation) => return network.answer(params, observation),
            Self::Along(sequences, index) => (sequences, index),
        };
        let (mut outputs, mut value) = network.forward_along(params, sequences)?;
        if let Some(index) = index {
            let at = |x: Tensor| x.contiguous()?.index_select(index, 0);
            (outputs, value) = (at(outputs)?, at(value)?);
        }
        Output::of(&**network.distribution(), &outputs, &value)
    }
}

/// The lanes that some steps are of, in order, and how many steps they have to be gone along.
#[derive(Debug, Default)]
pub(super) struct Along {
    pub(super) lanes: Vec<usize>,
    pub(super) steps: usize,
    /// `[N]`: which of `lanes` each is.
    rank: Vec<usize>,
}

impl Along {
    /// Of the steps at these places of `[T, N]`.
    pub(super) fn of(rollout: &Rollout, places: &[usize]) -> Self {
        let mut rank = vec![usize::MAX; rollout.lanes];
        places.iter().for_each(|place| rank[place % rollout.lanes] = 0);
        let lanes: Vec<usize> = (0..rollout.lanes).filter(|&lane| rank[lane] == 0).collect();
        lanes.iter().enumerate().for_each(|(i, &lane)| rank[lane] = i);
        let steps = places.iter().max().map_or(0, |last| last / rollout.lanes + 1);
        Self { lanes, steps, rank }
    }

    /// Which of `lanes` a place of `[T, N]` is in.
    pub(super) fn lane_of(&self, place: usize) -> usize {
        self.rank[place % self.rank.len()]
    }

    /// All the places of `[T, N]` that are gone along, `[T, L]`, of so many lanes in all.
    pub(super) fn all(&self, lanes: usize) -> impl Iterator<Item = usize> {
        (0..self.steps).flat_map(move |t| self.lanes.iter().map(move |lane| t * lanes + lane))
    }

    /// Makes a rollout of these places one of these lanes, with what was remembered of each, `[N, M]`.
    pub(super) fn copy_lanes(&self, from: &Rollout, m: usize, to: &mut Rollout) -> Result<()> {
        check_len("the rollout's memory", from.lanes * m, from.memory.len())?;
        check_len("the rollout's ends", from.log_prob.len(), from.end.len())?;
        to.lanes = self.lanes.len();
        self.lanes.iter().for_each(|lane| to.memory.extend_from_slice(&from.memory[lane * m..(lane + 1) * m]));
        Ok(())
    }

    /// Where in `[T, L]` each of the places is.
    pub(super) fn index(&self, places: &[usize], lanes: usize) -> impl Iterator<Item = usize> {
        places.iter().map(move |place| place / lanes * self.lanes.len() + self.lane_of(*place))
    }
}

/// Replaces `outputs` by the policy's outputs in every step of a rollout, `[T, N, outputs]`, without a gradient.
///
/// # Errors
/// As [`Model::outputs`].
pub(crate) fn outputs_along(
    network: &dyn Model,
    params: &Params,
    rollout: &Rollout,
    scratch: &mut Scratch,
    outputs: &mut Vec<f32>,
) -> Result<()> {
    let (m, mut numbers) = (network.memory(), Vec::new());
    if let (0, ObservationColumn::Number(observation)) = (m, &rollout.observation) {
        return network.outputs(params, observation, scratch, outputs);
    }
    check_len("the rollout's memory", rollout.lanes * m, rollout.memory.len())?;
    let (mut memory, mut some) = (rollout.memory.clone(), Vec::new());
    outputs.clear();
    if m == 0 {
        return rollout.observation.each(rollout.observation_len, &mut numbers, |observation| {
            network.outputs(params, observation, scratch, &mut some)?;
            outputs.extend_from_slice(&some);
            Ok(())
        });
    }
    let mut t = 0;
    rollout.observation.each_of(rollout.lanes * rollout.observation_len, &mut numbers, |observation| {
        forget(&mut memory, rollout, t);
        network.answers_after(params, observation, &mut memory, scratch, &mut some, None)?;
        outputs.extend_from_slice(&some);
        t += 1;
        Ok(())
    })
}

/// What the critic says of a rollout now, in room that is kept.
#[derive(Debug, Default)]
pub(crate) struct ValuesAlong {
    /// `[T, N]`: V of each observation.
    pub(crate) value: Vec<f32>,
    /// `[T, N]`: V of the state that each action led to.
    pub(crate) next_value: Vec<f32>,
    last: Vec<f32>,
    truncated: Vec<f32>,
    some: Vec<f32>,
    outputs: Vec<f32>,
    numbers: Vec<f32>,
    /// `[N, M]`: what is remembered of the lanes, and of one whose episode is truncated.
    memory: Vec<f32>,
    aside: Vec<f32>,
}

impl ValuesAlong {
    /// Asks it, along the lanes where there is a memory.
    ///
    /// # Errors
    /// As [`Model::values`]; [`Error::Shape`](crate::Error::Shape) for a rollout that lacks the observations which no action answered to.
    pub(crate) fn ask(
        &mut self,
        network: &dyn Model,
        params: &Params,
        rollout: &Rollout,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (m, d) = (network.memory(), rollout.observation_len);
        check_len("the rollout's last observations", rollout.lanes * d, rollout.last_observation.len())?;
        check_len(
            "the rollout's truncated observations",
            rollout.truncated.len() * d,
            rollout.truncated_observation.len(),
        )?;
        check_len("the rollout's memory", rollout.lanes * m, rollout.memory.len())?;
        self.value.clear();
        if m == 0 {
            let Self { value, last, truncated, some, numbers, .. } = self;
            rollout.observation.each(d, numbers, |observation| {
                network.values(params, observation, scratch, some)?;
                value.extend_from_slice(some);
                Ok::<_, Error>(())
            })?;
            network.values(params, &rollout.last_observation, scratch, last)?;
            network.values(params, &rollout.truncated_observation, scratch, truncated)?;
        } else {
            self.along(network, params, rollout, scratch)?;
        }
        check_len("the network's values", rollout.end.len(), self.value.len())?;
        rollout.next_values(&self.value, &self.truncated, &self.last, &mut self.next_value);
        Ok(())
    }

    fn along(&mut self, network: &dyn Model, params: &Params, rollout: &Rollout, scratch: &mut Scratch) -> Result<()> {
        let (m, d, lanes) = (network.memory(), rollout.observation_len, rollout.lanes);
        let Self { value, last, truncated, some, outputs, numbers, memory, aside, .. } = self;
        memory.clone_from(&rollout.memory);
        truncated.clear();
        let (mut t, mut finished) = (0, rollout.truncated.iter().zip(rollout.truncated_observation.chunks(d.max(1))));
        rollout.observation.each_of(lanes * d, numbers, |observation| {
            forget(memory, rollout, t);
            network.answers_after(params, observation, memory, scratch, outputs, Some(&mut *some))?;
            value.extend_from_slice(some);
            let of_step = finished.clone().take_while(|(place, _)| *place / lanes == t);
            for (place, observation) in of_step {
                finished.next();
                let lane = place % lanes;
                aside.clear();
                aside.extend_from_slice(&memory[lane * m..(lane + 1) * m]);
                network.answers_after(params, observation, aside, scratch, outputs, Some(&mut *some))?;
                truncated.extend_from_slice(some);
            }
            t += 1;
            Ok::<_, Error>(())
        })?;
        forget(memory, rollout, t);
        network.answers_after(params, &rollout.last_observation, memory, scratch, outputs, Some(last))
    }
}

/// Zeros what is remembered, `[N, M]`, of the lanes whose step `t` begins an episode.
fn forget(memory: &mut [f32], rollout: &Rollout, t: usize) {
    let m = memory.len().checked_div(rollout.lanes).unwrap_or(0);
    for (lane, memory) in memory.chunks_exact_mut(m.max(1)).enumerate() {
        if rollout.begins(t * rollout.lanes + lane) {
            memory.fill(0.0);
        }
    }
}

/// [`Model::answers_after`] through tensors.
pub(super) fn answers_after<M: Model + ?Sized>(
    model: &M,
    params: &Params,
    observation: &[f32],
    memory: &mut [f32],
    outputs: &mut Vec<f32>,
    values: Option<&mut Vec<f32>>,
) -> Result<()> {
    let (width, m, device) = (model.observation_len(), model.memory(), params.device());
    let batch = rows(observation, width)?;
    check_len("the memory", batch * m, memory.len())?;
    let observation = Tensor::from_slice(observation, (batch, width), device)?;
    let before = Tensor::from_slice(memory, (batch, m), device)?;
    let (output, value, after) = model.forward_after(params, &observation, &before)?;
    *outputs = output.flatten_all()?.to_vec1()?;
    if let Some(values) = values {
        *values = value.flatten_all()?.to_vec1()?;
    }
    let after: Vec<f32> = after.flatten_all()?.to_vec1()?;
    check_len("what the network remembers", memory.len(), after.len())?;
    memory.copy_from_slice(&after);
    Ok(())
}

#[cfg(test)]
mod tests;
