//! A network that has no path of its own on the host.

use std::sync::Arc;

use candle_core::Tensor;
use uphill::distributions::Distribution;
use uphill::models::Sequences;
use uphill::{Model, Params, Result};

/// The same network by its tensors alone.
pub(crate) struct OnTensors<'a>(pub(crate) &'a dyn Model);

impl Model for OnTensors<'_> {
    fn observation_len(&self) -> usize {
        self.0.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.0.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.0.forward(params, observation)
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }

    fn forward_after(&self, params: &Params, x: &Tensor, memory: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        self.0.forward_after(params, x, memory)
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        self.0.forward_along(params, sequences)
    }
}
