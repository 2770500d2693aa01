//! What the tasks of classic control have in common.

use std::fmt;

use candle_core::{Result, Tensor};
use uphill_envs::Spec;

use super::{TensorEnv, TensorStep};

/// A task of classic control: the twin of the one of that name on the host, with a state of a few numbers and no chance but where
/// episodes start.
#[derive(Clone)]
pub struct Classic {
    pub(super) spec: Spec,
    pub(super) state_len: usize,
    /// Numbers uniform in `[0, 1)` of a start.
    pub(super) start_draws: usize,
    /// Such numbers, `[N, start_draws]`, to states, `[N, S]`.
    pub(super) start: fn(&Tensor) -> Result<Tensor>,
    /// States, `[N, S]`, and actions to what comes of them.
    pub(super) step: fn(&Tensor, &Tensor) -> Result<TensorStep>,
    /// States, `[N, S]`, to what is seen of them, `[N, D]`.
    pub(super) observe: fn(&Tensor) -> Result<Tensor>,
}

impl fmt::Debug for Classic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Classic({})", self.spec.id)
    }
}

/// A state that is what is seen of it.
pub(super) fn as_it_is(state: &Tensor) -> Result<Tensor> {
    Ok(state.clone())
}

impl TensorEnv for Classic {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn state_len(&self) -> usize {
        self.state_len
    }

    fn start_draws(&self) -> usize {
        self.start_draws
    }

    fn start(&self, uniform: &Tensor) -> crate::Result<Tensor> {
        Ok((self.start)(uniform)?)
    }

    fn step(&self, state: &Tensor, action: &Tensor, _: Option<&Tensor>) -> crate::Result<TensorStep> {
        Ok((self.step)(state, action)?)
    }

    fn observe(&self, state: &Tensor) -> crate::Result<Tensor> {
        Ok((self.observe)(state)?)
    }
}
