//! Networks that act and judge: the contract, and the multi-layer perceptron that implements it.

pub mod init;
mod mlp_actor_critic;
mod module_actor_critic;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

pub use mlp_actor_critic::{MlpActorCritic, MlpConfig};
pub use module_actor_critic::{BoxedModule, ModuleActorCritic};

use crate::dist::Categorical;
use crate::{Params, Result};

/// What a network says of a batch of `B` observations.
#[derive(Debug)]
pub struct Output {
    /// The distribution over actions in each.
    pub policy: Categorical,
    /// The value of each, `[B]`.
    pub value: Tensor,
}

/// A policy and a value function over one parameter vector.
///
/// It answers in two ways: [`forward`](ActorCritic::forward) on tensors, with a gradient, for learning, and
/// [`logits`](ActorCritic::logits) and [`values`](ActorCritic::values) on host slices, without one, for acting.
pub trait ActorCritic {
    /// `D`, the numbers in one observation.
    fn observation_len(&self) -> usize;

    /// `A`, the number of actions.
    fn action_count(&self) -> usize;

    /// Policy and value for observations `[B, D]`, differentiable in the parameters.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for another shape or device.
    fn forward(&self, params: &Params, observation: &Tensor) -> Result<Output>;

    /// Replaces `logits` by the policy's unnormalised log-probabilities `[B, A]` for observations `[B, D]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if `observation` is not a whole number of rows.
    fn logits(&mut self, params: &Params, observation: &[f32], logits: &mut Vec<f32>) -> Result<()>;

    /// Replaces `values` by the value `[B]` of observations `[B, D]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if `observation` is not a whole number of rows.
    fn values(&mut self, params: &Params, observation: &[f32], values: &mut Vec<f32>) -> Result<()>;
}

/// The non-linearity between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `tanh x`.
    #[default]
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + e⁻ˣ)`.
    Silu,
}

/// Rows in a flat batch of observations.
fn rows(observation: &[f32], width: usize) -> Result<usize> {
    if width == 0 || !observation.len().is_multiple_of(width) {
        let got = vec![observation.len()];
        return Err(crate::Error::Shape { what: "a batch of observations".into(), expected: vec![width], got });
    }
    Ok(observation.len() / width)
}
