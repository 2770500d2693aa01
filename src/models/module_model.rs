//! Any candle-nn modules as a policy and a value function.

use std::sync::Arc;

use candle_core::{DType, Module, Tensor};
use candle_nn::VarBuilder;

use super::own_outputs::{appended, own_block};
use super::{Model, Operation, Sequences, Site, brought_to, require_slopes};
use crate::distributions::Distribution;
use crate::{Error, Params, Result};

/// A module that maps `[B, D]` to `[B, outputs]`.
pub type BoxedModule = Box<dyn Module>;

/// What maps observations `[B, D]` to the policy's outputs `[B, outputs]` and to values, `[B]` or `[B, 1]`.
pub type Heads = Box<dyn Fn(&Tensor) -> candle_core::Result<(Tensor, Tensor)>>;

/// What maps observations `[B, D]` and what is remembered of each lane, `[B, M]`, to the policy's outputs `[B, outputs]`, to
/// values, `[B]` or `[B, 1]`, and to what is to be remembered, `[B, M]`.
pub type Steps = Box<dyn Fn(&Tensor, &Tensor) -> candle_core::Result<(Tensor, Tensor, Tensor)>>;

/// Makes [`Steps`], and what comes after the policy's outputs, from views of the parameters.
type Build = dyn Fn(VarBuilder<'_>) -> candle_core::Result<(Steps, Option<Tensor>)> + Send + Sync;

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
    /// `M`.
    memory: usize,
    build: Box<Build>,
    detached: Vec<String>,
    /// What it says of its actor.
    actor: Option<Box<Describe>>,
}

/// What an actor computes, by the blocks of the parameters.
type Describe = dyn Fn(&dyn Fn(&str) -> Vec<f32>) -> Vec<Operation> + Send + Sync;

impl ModuleModel {
    /// What `build` makes of a [`VarBuilder`] for a site's environments and device, with parameters drawn from the seed's stream
    /// `init`. Its policy's outputs are as many as [`Site::distribution`] reads of a network. One that reads
    /// [features](Distribution::features) takes them after those, and is put into the site, made for their number by
    /// [`Site::distribution_with`].
    ///
    /// ```
    /// use candle_core::Module;
    /// use candle_nn::linear;
    /// use uphill::models::Site;
    /// use uphill::{ModuleModel, Seed, envs};
    ///
    /// let spec = envs::make("CartPole-v1")?.spec().clone();
    /// let (params, model) = ModuleModel::new(&Site::new(&spec, Seed(1)), |vb| {
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
        site: &Site<'_>,
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<Heads> + Send + Sync + 'static,
    ) -> Result<(Params, Self)> {
        Self::with_detached(site, &[], build)
    }

    /// The same with blocks whose gradient is on purpose not the slope of the outputs, as behind `Tensor::detach`: each is
    /// named by itself or by a path above it, such as `features` for `features.weight`.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Config`] for a name that no block has.
    pub fn with_detached(
        site: &Site<'_>,
        detached: &[&str],
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<Heads> + Send + Sync + 'static,
    ) -> Result<(Params, Self)> {
        // Without a memory what was remembered goes through as it is.
        let steps = move |vb: VarBuilder<'_>| {
            let heads = build(vb)?;
            let step = move |observation: &Tensor, memory: &Tensor| {
                let (outputs, value) = heads(observation)?;
                Ok((outputs, value, memory.clone()))
            };
            Ok(Box::new(step) as Steps)
        };
        Self::with_memory(site, (0, detached), steps)
    }

    /// The same for modules that remember `M` numbers of each lane, zeros where an episode begins. They are trained by
    /// back-propagation through time, along the lanes of a rollout.
    ///
    /// ```
    /// use candle_core::{Module, Tensor};
    /// use candle_nn::linear;
    /// use uphill::models::Site;
    /// use uphill::{ModuleModel, Seed, envs};
    ///
    /// let spec = envs::make("CartPole-v1")?.spec().clone();
    /// let (params, model) = ModuleModel::with_memory(&Site::new(&spec, Seed(1)), (32, &[]), |vb| {
    ///     let cell = linear(4 + 32, 32, vb.pp("cell"))?;
    ///     let (actor, critic) = (linear(32, 2, vb.pp("actor"))?, linear(32, 1, vb.pp("critic"))?);
    ///     Ok(Box::new(move |observation, memory| {
    ///         let memory = cell.forward(&Tensor::cat(&[observation, memory], 1)?)?.tanh()?;
    ///         Ok((actor.forward(&memory)?, critic.forward(&memory)?, memory))
    ///     }))
    /// })?;
    /// # let _ = (params, model);
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`with_detached`](Self::with_detached); [`Error::Shape`] if what is to be remembered is not `[B, M]`.
    pub fn with_memory(
        site: &Site<'_>,
        (memory, detached): (usize, &[&str]),
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<Steps> + Send + Sync + 'static,
    ) -> Result<(Params, Self)> {
        let (spec, device, distribution) = (site.spec, site.device, site.distribution()?);
        let of = distribution.clone();
        let build = move |vb: VarBuilder<'_>| {
            let steps = build(vb.clone())?;
            Ok((steps, own_block(&*of, &vb)?))
        };
        let (mut params, (steps, _)) = Params::build(device, &mut site.seed.stream("init", 0), &build)?;
        let probe = |width: usize| Tensor::zeros((PROBE_ROWS, width), DType::F32, device);
        let (outputs, value, after) = steps(&probe(spec.observation_len())?, &probe(memory)?)?;
        let columns = distribution.network_outputs() + distribution.features();
        require_columns("the actor's output", &outputs, columns)?;
        if value.dims() != [PROBE_ROWS] {
            require_columns("the critic's output", &value, 1)?;
        }
        require_columns("what is to be remembered", &after, memory)?;
        let blocks = || params.layout().blocks().iter().map(|block| block.name.as_str());
        if let Some(name) = detached.iter().find(|name| !blocks().any(|block| is_under(block, name))) {
            return Err(Error::unknown("block of parameters", name, blocks()));
        }
        let (detached, observation_len) = (detached.iter().map(ToString::to_string).collect(), spec.observation_len());
        let model = Self { observation_len, distribution, memory, build: Box::new(build), detached, actor: None };
        require_slopes(&model, &mut params, spec)?;
        Ok((params, model))
    }

    /// The same network, which says what its actor computes: `describe` is given what has the numbers of a block by its name, none
    /// of one that there is not.
    pub(super) fn described(
        mut self,
        describe: impl Fn(&dyn Fn(&str) -> Vec<f32>) -> Vec<Operation> + Send + Sync + 'static,
    ) -> Self {
        self.actor = Some(Box::new(describe));
        self
    }

    /// One step with modules that have been made.
    fn step(
        (steps, own): &(Steps, Option<Tensor>),
        dtype: DType,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        observation.dims2()?;
        let (outputs, value, after) = steps(&brought_to(dtype, observation)?, &memory.to_dtype(dtype)?)?;
        let value = if value.rank() == 2 { value.squeeze(1)? } else { value };
        Ok((appended(outputs.to_dtype(DType::F32)?, own.as_ref())?, value, after))
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
        let memory = Tensor::zeros((observation.dims2()?.0, self.memory), DType::F32, observation.device())?;
        let (outputs, value, _) = self.forward_after(params, observation, &memory)?;
        Ok((outputs, value))
    }

    fn memory(&self) -> usize {
        self.memory
    }

    fn forward_after(
        &self,
        params: &Params,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        Self::step(&params.view(&self.build)?, params.dtype(), observation, memory)
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        let made = params.view(&self.build)?;
        sequences.step_by_step(|observation, memory| Self::step(&made, params.dtype(), observation, memory))
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        let Some(describe) = &self.actor else { return Ok(None) };
        params.read(|theta| {
            let block = |name: &str| params.layout().block(name).map(|block| theta[block.range()].to_vec());
            Some(describe(&|name| block(name).unwrap_or_default()))
        })
    }

    fn detached(&self, block: &str) -> bool {
        self.detached.iter().any(|path| is_under(block, path))
    }
}
