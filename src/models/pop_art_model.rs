//! A model whose values are learnt on one scale.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Model, Operation, Sequences};
use crate::distributions::Distribution;
use crate::objective::{Objective, Output, RowSums};
use crate::rollout::{Minibatch, ValueUnit};
use crate::scratch::Scratch;
use crate::{Error, Params, Result};

/// A model whose critic learns values in deviations from the mean of what they are regressed on.
///
/// ```math
///   V(s) = μ + σ·v(s)          where μ, σ change:   w ← w·σ/σ′,   b ← (σ·b + μ − μ′)/σ′
/// ```
///
/// `v` is what the network puts out, and what the objective is told; `μ` and `σ` are [buffers](Params::buffers) of the parameters
/// that it answers for, at first 0 and 1. Where they change, the critic's last layer is changed so that every value stays what it
/// was: PopArt. van Hasselt et al. 2016, <https://arxiv.org/abs/1602.07714>.
pub struct PopArtModel {
    model: Box<dyn Model>,
}

/// The buffer of `μ` and `σ`.
const UNIT: &str = "pop_art";
/// The critic's last layer.
const WEIGHT: &str = "critic.head.weight";
const BIAS: &str = "critic.head.bias";

impl PopArtModel {
    /// Has a model learn values so, from the unit of the rewards on.
    ///
    /// # Errors
    /// [`Error::Config`] for parameters without a layer `critic.head` of one output, and for those that have a scale already.
    pub fn new(model: Box<dyn Model>, params: &mut Params) -> Result<Self> {
        let len = |name| params.layout().block(name).map(|block| block.range().len());
        if len(BIAS) != Some(1) || len(WEIGHT).is_none() {
            let remedy = format!("its blocks are `{WEIGHT}`, [1, n], and `{BIAS}`, [1]");
            let problem = "values can be normalised of a network whose critic ends with a linear layer of one output";
            return Err(Error::Config(format!("{problem}: {remedy}")));
        }
        let ValueUnit { mean, std } = ValueUnit::default();
        params.buffers_mut().push(UNIT, &[mean, std])?;
        Ok(Self { model })
    }

    /// Moves parameters to another unit; what they say of every state stays as it is, up to rounding.
    pub(crate) fn set_unit(params: &mut Params, unit: ValueUnit) -> Result<()> {
        let before = unit_of(params);
        let place = |name| params.layout().block(name).map(|block| block.range());
        let (Some(weight), Some(bias)) = (place(WEIGHT), place(BIAS)) else { return Ok(()) };
        let [(mean, std), (mean_now, std_now)] = [before, unit].map(|unit| (f64::from(unit.mean), f64::from(unit.std)));
        params.affine(weight, std / std_now, 0.0)?;
        params.affine(bias, std / std_now, (mean - mean_now) / std_now)?;
        if let Some(buffer) = params.buffers_mut().get_mut(UNIT) {
            buffer.copy_from_slice(&[unit.mean, unit.std]);
        }
        Ok(())
    }
}

fn unit_of(params: &Params) -> ValueUnit {
    match params.buffers().get(UNIT) {
        Some(&[mean, std]) => ValueUnit { mean, std },
        _ => ValueUnit::default(),
    }
}

impl Model for PopArtModel {
    fn observation_len(&self) -> usize {
        self.model.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.model.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.model.forward(params, observation)
    }

    fn answer(&self, params: &Params, observation: &Tensor) -> Result<Output> {
        self.model.answer(params, observation)
    }

    fn outputs(&self, params: &Params, from: &[f32], scratch: &mut Scratch, outputs: &mut Vec<f32>) -> Result<()> {
        self.model.outputs(params, from, scratch, outputs)
    }

    fn values(&self, params: &Params, from: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        self.model.values(params, from, scratch, values)?;
        let unit = unit_of(params);
        values.iter_mut().for_each(|v| *v = unit.value(*v));
        Ok(())
    }

    fn value_unit(&self, params: &Params) -> ValueUnit {
        unit_of(params)
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        self.model.actor(params)
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
        self.model.forward_after(params, observation, memory)
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        self.model.forward_along(params, sequences)
    }

    fn answers_after(
        &self,
        params: &Params,
        from: &[f32],
        memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        mut values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        self.model.answers_after(params, from, memory, scratch, outputs, values.as_deref_mut())?;
        let unit = unit_of(params);
        values.into_iter().flatten().for_each(|v| *v = unit.value(*v));
        Ok(())
    }

    fn answers_at_once(&self) -> bool {
        self.model.answers_at_once()
    }

    fn scales(&self) -> bool {
        self.model.scales()
    }

    fn kept_of_row(&self) -> usize {
        self.model.kept_of_row()
    }

    fn kept_on_tensors(&self) -> usize {
        self.model.kept_on_tensors()
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
        self.model.host_gradient(params, batch, objective, scratch, gradient, sums)
    }

    fn fisher_vector_product(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        vector: &[f32],
        scratch: &mut Scratch,
        product: &mut Vec<f32>,
    ) -> Result<()> {
        self.model.fisher_vector_product(params, batch, vector, scratch, product)
    }
}
