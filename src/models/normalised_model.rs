//! A model that sees observations on one scale.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor};

use super::along::Along;
use super::{Model, Operation, Sequences, rows};
use crate::distributions::Distribution;
use crate::error::check_len;
use crate::moments::EPS;
use crate::objective::{Objective, Output, RowSums};
use crate::rollout::{Estimate, Minibatch, ObservationColumn, Rollout, ValueUnit};
use crate::scratch::Scratch;
use crate::{Buffers, Error, Params, Result};

/// A model behind a normaliser of its observations.
///
/// ```math
///   x̂ = clip((x − μ)/√(σ² + ε), ±c)
/// ```
///
/// `μ` and `σ²`, `[D]`, are [buffers](Params::buffers) of the parameters that it answers for; at first they are 0 and 1. As
/// VecNormalize of Stable-Baselines3, <https://stable-baselines3.readthedocs.io/en/master/guide/vec_envs.html>.
pub struct NormalisedModel {
    model: Box<dyn Model>,
    clip: f32,
    uploaded: Mutex<Option<Uploaded>>,
}

/// What observations are brought to scale by, on the host and where tensors are.
struct Uploaded {
    mean: Vec<f32>,
    scale: Vec<f32>,
    /// `[1, D]`: the same.
    rows: [Tensor; 2],
}

/// The buffer of the means.
const MEAN: &str = "normaliser.mean";
/// The buffer of the variances.
const VARIANCE: &str = "normaliser.variance";

/// What it keeps in its [`Scratch`].
#[derive(Default)]
struct Room {
    /// `[D]`: `1/√(σ² + ε)`.
    scale: Vec<f32>,
    observation: Vec<f32>,
    /// A minibatch of its own, with normalised observations.
    rollout: Rollout,
    estimate: Estimate,
    places: Vec<usize>,
    /// The places of the rollout that such a minibatch of whole lanes is made of.
    taken: Vec<usize>,
    model: Scratch,
}

impl NormalisedModel {
    /// Puts a model and its parameters behind a normaliser that clips to ±`clip`, in deviations.
    ///
    /// # Errors
    /// [`Error::Config`] for a clip that is not above 0, for a model that [scales](Model::scales) observations itself, and for
    /// parameters that have a normaliser already.
    pub fn new(model: Box<dyn Model>, params: &mut Params, clip: f64) -> Result<Self> {
        if clip.is_nan() || clip <= 0.0 {
            let clip = uphill_envs::shown(clip);
            return Err(Error::Config(format!("a normaliser's clip = {clip} is impossible: it must be above 0")));
        }
        if model.scales() {
            let why = "the network brings its observations to scale itself, as networks of images do";
            return Err(Error::Config(format!(
                "observations cannot be normalised: {why}; set normalize_observation = false"
            )));
        }
        let width = model.observation_len();
        params.buffers_mut().push(MEAN, &vec![0.0; width])?;
        params.buffers_mut().push(VARIANCE, &vec![1.0; width])?;
        Ok(Self { model, clip: clip as f32, uploaded: Mutex::default() })
    }

    /// Writes what is known of observations where such a model finds it.
    pub(crate) fn publish(buffers: &mut Buffers, mean: &[f64], variance: impl Iterator<Item = f64>) {
        fn fill(to: Option<&mut [f32]>, from: impl Iterator<Item = f64>) {
            to.into_iter().flatten().zip(from).for_each(|(to, from)| *to = from as f32);
        }
        fill(buffers.get_mut(MEAN), mean.iter().copied());
        fill(buffers.get_mut(VARIANCE), variance);
    }

    /// The means, and into `scale` what is multiplied with.
    fn statistics<'a>(&self, params: &'a Params, scale: &mut Vec<f32>) -> Result<&'a [f32]> {
        let buffer = |name| params.buffers().get(name).unwrap_or_default();
        let (mean, variance) = (buffer(MEAN), buffer(VARIANCE));
        check_len("the parameters' means of observations", self.observation_len(), mean.len())?;
        scale.clear();
        scale.extend(variance.iter().map(|&v| (1.0 / (f64::from(v) + EPS).sqrt()) as f32));
        Ok(mean)
    }

    /// Replaces `to` by normalised observations, `[B, D]`.
    fn normalise(&self, params: &Params, from: &[f32], scale: &mut Vec<f32>, to: &mut Vec<f32>) -> Result<()> {
        rows(from, self.observation_len())?;
        let mean = self.statistics(params, scale)?;
        to.resize(from.len(), 0.0);
        for (to, row) in to.chunks_exact_mut(mean.len()).zip(from.chunks_exact(mean.len())) {
            let each = row.iter().zip(mean).zip(&*scale);
            to.iter_mut().zip(each).for_each(|(to, ((x, mean), scale))| {
                *to = ((x - mean) * scale).clamp(-self.clip, self.clip);
            });
        }
        Ok(())
    }

    /// The same on tensors.
    fn normalised(&self, params: &Params, observation: &Tensor) -> Result<Tensor> {
        let mut scale = Vec::new();
        let mean = self.statistics(params, &mut scale)?;
        let [mean, scale] = self.uploaded(mean, scale, observation.device())?;
        Ok(observation.broadcast_sub(&mean)?.broadcast_mul(&scale)?.clamp(-self.clip, self.clip)?)
    }

    /// Both on a device, where they stay until they change.
    fn uploaded(&self, mean: &[f32], scale: Vec<f32>, device: &Device) -> Result<[Tensor; 2]> {
        let mut there = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Uploaded { mean: known, scale: of_known, rows }) = &*there
            && (known.as_slice(), of_known) == (mean, &scale)
            && rows[0].device().same_device(device)
        {
            return Ok(rows.clone());
        }
        let row = |numbers: &[f32]| Tensor::from_slice(numbers, (1, numbers.len()), device);
        let rows = [row(mean)?, row(&scale)?];
        *there = Some(Uploaded { mean: mean.to_vec(), scale, rows: rows.clone() });
        Ok(rows)
    }

    /// Has the model answer for normalised observations, `[B, D]`.
    fn with<R>(
        &self,
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        answer: impl FnOnce(&dyn Model, &[f32], &mut Scratch) -> Result<R>,
    ) -> Result<R> {
        let (stop, keeps) = (scratch.stop.clone(), scratch.keeps);
        let Room { scale, observation: normalised, model, .. } = scratch.of();
        (model.stop, model.keeps) = (stop, keeps);
        self.normalise(params, observation, scale, normalised)?;
        answer(&*self.model, normalised, model)
    }

    /// Has the model work on a minibatch of normalised observations.
    fn within<R>(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        scratch: &mut Scratch,
        work: impl FnOnce(&dyn Model, Minibatch<'_>, &mut Scratch) -> Result<R>,
    ) -> Result<R> {
        batch.check()?;
        check_len("the network's input", self.observation_len(), batch.rollout.observation_len)?;
        let Room { scale, observation, rollout, estimate, places, taken, model } = scratch.of();
        places.clear();
        if self.memory() == 0 {
            batch.copy_to(rollout, estimate);
            places.extend(0..batch.places.len());
        } else {
            // Whole lanes, for the model goes along them; not those of other minibatches.
            let along = Along::of(batch.rollout, batch.places);
            taken.clear();
            taken.extend(along.all(batch.rollout.lanes));
            Minibatch { places: taken, ..batch }.copy_to(rollout, estimate);
            along.copy_lanes(batch.rollout, self.memory(), rollout)?;
            rollout.end.extend(taken.iter().map(|&place| batch.rollout.end[place]));
            places.extend(along.index(batch.places, batch.rollout.lanes));
        }
        if let ObservationColumn::Number(copied) = &mut rollout.observation {
            self.normalise(params, copied, scale, observation)?;
            std::mem::swap(copied, observation);
        }
        work(&*self.model, Minibatch { rollout, estimate, places, ..batch }, model)
    }
}

impl Model for NormalisedModel {
    fn observation_len(&self) -> usize {
        self.model.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.model.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.model.forward(params, &self.normalised(params, observation)?)
    }

    fn answer(&self, params: &Params, observation: &Tensor) -> Result<Output> {
        self.model.answer(params, &self.normalised(params, observation)?)
    }

    fn outputs(&self, params: &Params, from: &[f32], scratch: &mut Scratch, outputs: &mut Vec<f32>) -> Result<()> {
        self.with(params, from, scratch, |model, from, scratch| model.outputs(params, from, scratch, outputs))
    }

    fn values(&self, params: &Params, from: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        self.with(params, from, scratch, |model, from, scratch| model.values(params, from, scratch, values))
    }

    fn value_unit(&self, params: &Params) -> ValueUnit {
        self.model.value_unit(params)
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        let mut scale = Vec::new();
        let mean = self.statistics(params, &mut scale)?.to_vec();
        let normalise = Operation::Normalise { mean, scale, clip: self.clip };
        let behind = self.model.actor(params)?;
        Ok(behind.map(|operations| [normalise].into_iter().chain(operations).collect()))
    }

    fn memory(&self) -> usize {
        self.model.memory()
    }

    fn forward_after(
        &self,
        params: &Params,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        self.model.forward_after(params, &self.normalised(params, observation)?, memory)
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        let observation = self.normalised(params, &sequences.observation.flatten_to(1)?)?;
        let observation = observation.reshape(sequences.observation.shape())?;
        self.model.forward_along(params, &Sequences { observation, ..sequences.clone() })
    }

    fn answers_after(
        &self,
        params: &Params,
        from: &[f32],
        memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        self.with(params, from, scratch, |model, from, scratch| {
            model.answers_after(params, from, memory, scratch, outputs, values)
        })
    }

    fn detached(&self, block: &str) -> bool {
        self.model.detached(block)
    }

    fn host_gradient(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        scratch: &mut Scratch,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        self.within(params, batch, scratch, |model, batch, scratch| {
            model.host_gradient(params, batch, objective, scratch, gradient, sums)
        })
    }

    fn fisher_vector_product(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        vector: &[f32],
        scratch: &mut Scratch,
        product: &mut Vec<f32>,
    ) -> Result<()> {
        self.within(params, batch, scratch, |model, batch, scratch| {
            model.fisher_vector_product(params, batch, vector, scratch, product)
        })
    }
}
