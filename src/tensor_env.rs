//! Environments as tensor programs: the twins, on a device, of those that are stepped on the host.

mod acrobot;
mod cartpole;
mod classic;
mod mountain_car;
mod mountain_car_continuous;
mod pendulum;
mod table;

use std::fmt;

use candle_core::Tensor;
use uphill_envs::Spec;

pub use classic::Classic;
pub use table::Table;

use crate::Result;

/// `N` environments of one kind whose states are a tensor, and whose steps are operations on it.
///
/// A state is `S` numbers of f32, `[N, S]`, and all that the next steps depend on besides the action and what is drawn, which are
/// arguments: the program itself remembers nothing. It neither cuts an episode off nor starts the next one; who steps it
/// does, by the limit of its [`Spec`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use uphill::tensor_env::{Classic, TensorEnv};
///
/// let env = Classic::cart_pole();
/// let state = Tensor::new(&[[0.0f32, 0.0, 0.0, 0.0], [2.39, 1.0, 0.0, 0.0]], &Device::Cpu)?;
/// let right = Tensor::new(&[1u32, 1], &Device::Cpu)?;
/// let step = env.step(&state, &right, None)?;
/// assert_eq!(step.terminated.to_vec1::<u8>()?, [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TensorEnv: fmt::Debug + Send + Sync {
    /// What each lane is.
    fn spec(&self) -> &Spec;

    /// `S`, the numbers of a state.
    fn state_len(&self) -> usize;

    /// How many numbers uniform in `[0, 1)` the start of an episode takes.
    fn start_draws(&self) -> usize;

    /// How many a step takes; 0, the default, of an environment in which nothing happens by chance.
    fn step_draws(&self) -> usize {
        0
    }

    /// The states that episodes start in, `[N, S]`, by such numbers, `[N, start_draws]`.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for another shape, and if the device fails.
    fn start(&self, uniform: &Tensor) -> Result<Tensor>;

    /// Where actions lead, by such numbers, `[N, step_draws]`, where a step takes any. Actions are indices as `u32`, `[N]`, or numbers as
    /// `f32`, `[N, K]`. What becomes of a state that an episode has ended in means nothing.
    ///
    /// # Errors
    /// As [`start`](TensorEnv::start).
    fn step(&self, state: &Tensor, action: &Tensor, uniform: Option<&Tensor>) -> Result<TensorStep>;

    /// What is seen of states, `[N, D]`.
    ///
    /// # Errors
    /// As [`start`](TensorEnv::start).
    fn observe(&self, state: &Tensor) -> Result<Tensor>;
}

/// One step of `N` lanes.
#[derive(Debug, Clone)]
pub struct TensorStep {
    /// `[N, S]`: the states that the actions led to.
    pub state: Tensor,
    /// `[N]`.
    pub reward: Tensor,
    /// `[N]` of `u8`: 1 where the episode has ended by itself.
    pub terminated: Tensor,
}

/// The columns of states, `[N]` each.
fn columns<const S: usize>(state: &Tensor) -> candle_core::Result<[Tensor; S]> {
    let columns = (0..S).map(|i| state.narrow(1, i, 1)?.squeeze(1)).collect::<candle_core::Result<Vec<_>>>()?;
    columns.try_into().map_err(|_| candle_core::Error::Msg("a state has one column a number".into()))
}

/// Numbers uniform in `[0, 1)` brought to `low` and `high`.
fn between(uniform: &Tensor, low: f64, high: f64) -> candle_core::Result<Tensor> {
    uniform.affine(high - low, low)
}
