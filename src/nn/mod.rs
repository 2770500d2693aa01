//! Networks that act and judge: the contract, and the multi-layer perceptron that implements it.

mod fisher;
mod mlp_actor_critic;
mod module_actor_critic;
pub mod ops;
mod shard;
mod slopes;

use candle_core::Tensor;
use uphill_envs::{Space, Spec};

pub use fisher::FisherRoom;
pub use mlp_actor_critic::{MlpActorCritic, MlpConfig};
pub use module_actor_critic::{BoxedModule, ModuleActorCritic};

pub use crate::kernels::{Activation, Workspace};
pub(crate) use slopes::require_slopes;
pub use slopes::{BlockSlope, GradientCheck, GradientError, check as check_gradient};

use crate::error::check_len;
use crate::objective::{Objective, Output, RowSums};
use crate::rollout::Minibatch;
use crate::{Error, Params, Result};

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
    /// [`Error::Tensor`] for another shape or device.
    fn forward(&self, params: &Params, observation: &Tensor) -> Result<Output>;

    /// Replaces `logits` by the policy's unnormalised log-probabilities `[B, A]` for observations `[B, D]`. `room` is
    /// kept from call to call, so that none allocates.
    ///
    /// # Errors
    /// [`Error::Shape`] if `observation` is not a whole number of rows, [`Error::Interrupted`] where
    /// [`Workspace::stop`] says so.
    fn logits(&self, params: &Params, observation: &[f32], room: &mut Workspace, logits: &mut Vec<f32>) -> Result<()>;

    /// Replaces `values` by the value `[B]` of observations `[B, D]`.
    ///
    /// # Errors
    /// As [`logits`](ActorCritic::logits).
    fn values(&self, params: &Params, observation: &[f32], room: &mut Workspace, values: &mut Vec<f32>) -> Result<()>;

    /// Whether the gradient of a block is on purpose not the slope of the outputs, as behind a stop-gradient. Where it is not
    /// and no purpose is told, [`Trainer`](crate::Trainer) refuses the network; see
    /// [`gradient::check`](crate::gradient::check). False, the default, for every block.
    fn detached(&self, _block: &str) -> bool {
        false
    }

    /// The same network as one that several threads may act with at a time; `None`, the default, if they may not.
    fn shared(&self) -> Option<&(dyn ActorCritic + Sync)> {
        None
    }

    /// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report,
    /// straight on the host; returns the loss. `None`, the default, if network, device or objective have no such path:
    /// the gradient is then that of [`forward`](ActorCritic::forward) and [`Objective::loss`].
    ///
    /// # Errors
    /// As [`forward`](ActorCritic::forward); [`Error::Shape`] for a minibatch whose columns differ in length,
    /// [`Error::Interrupted`] where its [`stop`](Minibatch::stop) says so.
    fn host_gradient(
        &mut self,
        _params: &Params,
        _batch: Minibatch<'_>,
        _objective: &dyn Objective,
        _gradient: &mut Vec<f32>,
        _sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        Ok(None)
    }
}

/// Rows in a flat batch of observations.
fn rows(observation: &[f32], width: usize) -> Result<usize> {
    if width == 0 || !observation.len().is_multiple_of(width) {
        let got = vec![observation.len()];
        return Err(crate::Error::Shape { what: "a batch of observations".into(), expected: vec![width], got });
    }
    Ok(observation.len() / width)
}

/// Refuses a network that is not for environments of this kind.
pub(crate) fn check_fits(network: &dyn ActorCritic, spec: &Spec) -> Result<()> {
    let actions = match spec.action {
        Space::Discrete { n } => n,
        Space::Box { .. } => 0,
    };
    for (what, expected, got) in [
        ("the network's input", spec.observation_len(), network.observation_len()),
        ("the network's actions", actions, network.action_count()),
    ] {
        if expected != got {
            return Err(Error::Shape { what: what.into(), expected: vec![expected], got: vec![got] });
        }
    }
    Ok(())
}

/// Observations that a network is tried on: more than one, so that rows and columns cannot be mistaken.
const TRIED_ON: usize = 2;

/// Refuses a network whose answers have another length than it says.
pub(crate) fn check_answers(network: &dyn ActorCritic, params: &Params) -> Result<()> {
    let observation = vec![0.0; TRIED_ON * network.observation_len()];
    let (mut room, mut logits, mut values) = (Workspace::default(), Vec::new(), Vec::new());
    network.logits(params, &observation, &mut room, &mut logits)?;
    check_len("the network's logits", TRIED_ON * network.action_count(), logits.len())?;
    network.values(params, &observation, &mut room, &mut values)?;
    check_len("the network's values", TRIED_ON, values.len())
}
