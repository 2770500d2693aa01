//! Any candle-nn modules as a policy and a value function.

use std::sync::Arc;

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use uphill_envs::Spec;

use super::own_outputs::{appended, own_block};
use super::{Model, require_slopes};
use crate::distributions::{self, Distribution};
use crate::{Error, Params, Result, Seed};

/// A module that maps `[B, D]` to `[B, outputs]`.
pub type BoxedModule = Box<dyn Module>;

/// What maps observations `[B, D]` to the policy's outputs `[B, outputs]` and to values, `[B]` or `[B, 1]`.
pub type Heads = Box<dyn Fn(&Tensor) -> candle_core::Result<(Tensor, Tensor)>>;

/// Makes [`Heads`], and what comes after the policy's outputs, from views of the parameters.
type Build = dyn Fn(VarBuilder<'_>) -> candle_core::Result<(Heads, Option<Tensor>)> + Send + Sync;

/// Actor and critic apart.
#[must_use]
pub fn apart(actor: BoxedModule, critic: BoxedModule) -> Heads {
    Box::new(move |observation| Ok((actor.forward(observation)?, critic.forward(observation)?)))
}

/// A model of candle-nn modules, or of any function of tensors.
///
/// The modules are made for each call, from views of the parameters that the call is given: they hold nothing else.
pub struct ModuleModel {
    observation_len: usize,
    distribution: Arc<dyn Distribution>,
    build: Box<Build>,
    detached: Vec<String>,
}

impl ModuleModel {
    /// What `build` makes of a [`VarBuilder`], with parameters drawn from the seed's stream `init`.
    ///
    /// ```
    /// use candle_core::{Device, Module};
    /// use candle_nn::linear;
    /// use uphill::{ModuleModel, Seed, envs};
    ///
    /// let spec = envs::make("CartPole-v1")?.spec().clone();
    /// let (params, model) = ModuleModel::new(&spec, Seed(1), &Device::Cpu, |vb| {
    ///     let trunk = linear(4, 32, vb.pp("trunk"))?;
    ///     let (actor, critic) = (linear(32, 2, vb.pp("actor"))?, linear(32, 1, vb.pp("critic"))?);
    ///     Ok(Box::new(move |observation| {
    ///         let features = trunk.forward(observation)?.gelu()?;
    ///         Ok((actor.forward(&features)?, critic.forward(&features)?))
    ///     }))
    /// })?;
    /// # let _ = (params, model);
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for actions that no distribution is over, [`Error::Shape`] if observations are mapped to anything but
    /// `[B, outputs]` and `[B]` or `[B, 1]`, [`GradientError`](crate::models::GradientError) if an operation in them has no
    /// backward pass, so that a block would learn wrongly or not at all, and what `build` fails with.
    pub fn new(
        spec: &Spec,
        seed: Seed,
        device: &Device,
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<Heads> + Send + Sync + 'static,
    ) -> Result<(Params, Self)> {
        Self::with_detached(spec, seed, device, &[], build)
    }

    /// The same with blocks whose gradient is on purpose not the slope of the outputs, as behind `Tensor::detach`: each is
    /// named by itself or by a path above it, such as `features` for `features.weight`.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Config`] for a name that no block has.
    pub fn with_detached(
        spec: &Spec,
        seed: Seed,
        device: &Device,
        detached: &[&str],
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<Heads> + Send + Sync + 'static,
    ) -> Result<(Params, Self)> {
        let distribution = distributions::over(&spec.id, &spec.action)?;
        let of = distribution.clone();
        let build = move |vb: VarBuilder<'_>| {
            let heads = build(vb.clone())?;
            Ok((heads, own_block(&*of, &vb)?))
        };
        let (mut params, (heads, _)) = Params::build(device, &mut seed.stream("init", 0), &build)?;
        let probe = Tensor::zeros((PROBE_ROWS, spec.observation_len()), DType::F32, device)?;
        let (outputs, value) = heads(&probe)?;
        require_columns("the actor's output", &outputs, distribution.network_outputs())?;
        if value.dims() != [PROBE_ROWS] {
            require_columns("the critic's output", &value, 1)?;
        }
        let blocks = || params.layout().blocks().iter().map(|block| block.name.as_str());
        if let Some(name) = detached.iter().find(|name| !blocks().any(|block| is_under(block, name))) {
            return Err(Error::unknown("block of parameters", name, blocks()));
        }
        let detached = detached.iter().map(ToString::to_string).collect();
        let model = Self { observation_len: spec.observation_len(), distribution, build: Box::new(build), detached };
        require_slopes(&model, &mut params, spec)?;
        Ok((params, model))
    }
}

/// Whether a block is that one, or lies on a path below.
fn is_under(block: &str, path: &str) -> bool {
    block.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Observations that a new model is tried on: more than one, so that rows and columns cannot be mistaken.
const PROBE_ROWS: usize = 2;

fn require_columns(what: &str, output: &Tensor, columns: usize) -> Result<()> {
    if output.dims() == [PROBE_ROWS, columns] {
        return Ok(());
    }
    let (expected, got) = (vec![PROBE_ROWS, columns], output.dims().to_vec());
    Err(Error::Shape { what: format!("{what} for {PROBE_ROWS} observations"), expected, got })
}

impl Model for ModuleModel {
    fn observation_len(&self) -> usize {
        self.observation_len
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.distribution
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        observation.dims2()?;
        let (heads, own) = params.view(&self.build)?;
        let (outputs, value) = heads(observation)?;
        Ok((appended(outputs, own.as_ref())?, if value.rank() == 2 { value.squeeze(1)? } else { value }))
    }

    fn detached(&self, block: &str) -> bool {
        self.detached.iter().any(|path| is_under(block, path))
    }
}
