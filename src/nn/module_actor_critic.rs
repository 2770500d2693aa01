//! Any candle-nn modules as actor and critic.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Module, VarBuilder};
use uphill_envs::{Space, Spec};

use super::{ActorCritic, Workspace, require_slopes, rows};
use crate::dist::Categorical;
use crate::objective::Output;
use crate::{Error, Params, Result, Seed};

/// A module that maps `[B, D]` to `[B, outputs]`.
pub type BoxedModule = Box<dyn Module>;

/// An actor `[B, D]` to logits `[B, A]` and a critic `[B, D]` to `[B, 1]`, each any candle-nn module.
pub struct ModuleActorCritic {
    observation_len: usize,
    actions: usize,
    learning: (BoxedModule, BoxedModule),
    acting: (BoxedModule, BoxedModule),
    detached: Vec<String>,
}

impl ModuleActorCritic {
    /// Builds actor and critic from a [`VarBuilder`], twice: over theta for learning and without gradient for acting.
    ///
    /// ```
    /// use candle_core::Device;
    /// use candle_nn::{linear, seq};
    /// use uphill::{ModuleActorCritic, Seed, envs};
    ///
    /// let spec = envs::make("CartPole-v1")?.spec().clone();
    /// let (params, network) = ModuleActorCritic::new(&spec, Seed(1), &Device::Cpu, |vb| {
    ///     let actor = seq().add(linear(4, 32, vb.pp("actor.0"))?).add_fn(|x| x.gelu()).add(linear(32, 2, vb.pp("actor.1"))?);
    ///     let critic = linear(4, 1, vb.pp("critic"))?;
    ///     Ok((Box::new(actor), Box::new(critic)))
    /// })?;
    /// # let _ = (params, network);
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for an environment without discrete actions, [`Error::Shape`] if the modules map observations
    /// to anything but `[B, A]` and `[B, 1]`, [`GradientError`](crate::nn::GradientError) if an operation in them has no backward pass, so that a
    /// block would learn wrongly or not at all, and what `build` fails with.
    pub fn new(
        spec: &Spec,
        seed: Seed,
        device: &Device,
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<(BoxedModule, BoxedModule)>,
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
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<(BoxedModule, BoxedModule)>,
    ) -> Result<(Params, Self)> {
        let Space::Discrete { n: actions } = spec.action else {
            let kind = spec.action.kind();
            return Err(Error::Config(format!("{}: {kind} actions have no policy yet, only discrete ones", spec.id)));
        };
        let (mut params, learning) = Params::build(device, &mut seed.stream("init", 0), &build)?;
        let acting = params.frozen(&build)?;
        let probe = Tensor::zeros((PROBE_ROWS, spec.observation_len()), DType::F32, device)?;
        require_columns("the actor's output", &acting.0.forward(&probe)?, actions)?;
        require_columns("the critic's output", &acting.1.forward(&probe)?, 1)?;
        let blocks = || params.layout().blocks().iter().map(|block| block.name.as_str());
        if let Some(name) = detached.iter().find(|name| !blocks().any(|block| is_under(block, name))) {
            return Err(Error::unknown("block of parameters", name, blocks()));
        }
        let detached = detached.iter().map(ToString::to_string).collect();
        let network = Self { observation_len: spec.observation_len(), actions, learning, acting, detached };
        require_slopes(&network, &mut params, spec)?;
        Ok((params, network))
    }
}

/// Whether a block is that one, or lies on a path below.
fn is_under(block: &str, path: &str) -> bool {
    block.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Observations that a new network is tried on: more than one, so that rows and columns cannot be mistaken.
const PROBE_ROWS: usize = 2;

fn require_columns(what: &str, output: &Tensor, columns: usize) -> Result<()> {
    if output.dims() == [PROBE_ROWS, columns] {
        return Ok(());
    }
    let (expected, got) = (vec![PROBE_ROWS, columns], output.dims().to_vec());
    Err(Error::Shape { what: format!("{what} for {PROBE_ROWS} observations"), expected, got })
}

impl ActorCritic for ModuleActorCritic {
    fn observation_len(&self) -> usize {
        self.observation_len
    }

    fn action_count(&self) -> usize {
        self.actions
    }

    fn detached(&self, block: &str) -> bool {
        self.detached.iter().any(|path| is_under(block, path))
    }

    fn forward(&self, _: &Params, observation: &Tensor) -> Result<Output> {
        observation.dims2()?;
        let logits = self.learning.0.forward(observation)?;
        let value = self.learning.1.forward(observation)?;
        Ok(Output { policy: Categorical::new(&logits)?, value: value.squeeze(1)? })
    }

    fn logits(&self, params: &Params, observation: &[f32], _: &mut Workspace, logits: &mut Vec<f32>) -> Result<()> {
        *logits = infer(&self.acting.0, params, observation, self.observation_len)?;
        Ok(())
    }

    fn values(&self, params: &Params, observation: &[f32], _: &mut Workspace, values: &mut Vec<f32>) -> Result<()> {
        *values = infer(&self.acting.1, params, observation, self.observation_len)?;
        Ok(())
    }
}

fn infer(module: &BoxedModule, params: &Params, observation: &[f32], width: usize) -> Result<Vec<f32>> {
    let batch = rows(observation, width)?;
    let observation = Tensor::from_slice(observation, (batch, width), params.device())?;
    Ok(module.forward(&observation)?.flatten_all()?.to_vec1()?)
}
