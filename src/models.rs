//! Networks that act and judge: the contract, and the perceptrons, recurrent and convolutional networks that implement it.

mod along;
mod checks;
mod cnn_model;
mod cnn_tensors;
mod dense;
mod fisher;
mod gru;
mod impala_cnn;
mod lane_shard;
mod layers;
mod low_product;
mod lstm;
mod minatar_cnn;
mod mlp_layer_norm;
mod mlp_model;
mod mlp_row;
mod module_model;
mod nature_cnn;
mod nets;
mod normalised_model;
mod operation;
pub mod ops;
mod own_outputs;
mod pop_art_model;
mod recurrent_model;
mod shard;
mod share;
mod slopes;
mod trunk;
mod workers;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use uphill_envs::{Spec, counted};

pub use along::Sequences;
pub(crate) use along::{Asked, ValuesAlong, outputs_along};
pub(crate) use checks::{check_answers, check_fits, check_precision};
pub use cnn_model::{CnnConfig, CnnModel};
pub use gru::CELL as GRU;
pub use lstm::CELL as LSTM;
pub use mlp_model::{MlpConfig, MlpModel};
pub use module_model::{BoxedModule, Heads, ModuleModel, Steps, apart};
pub use normalised_model::NormalisedModel;
pub use operation::{Linear, Operation, Recurrence, Sliding};
use own_outputs::OwnOutputs;
pub use pop_art_model::PopArtModel;
pub use recurrent_model::{Cell, RecurrentConfig, RecurrentModel};

pub use crate::kernels::Activation;
pub use slopes::{BlockSlope, GradientCheck, GradientError, check as check_gradient};
pub(crate) use slopes::{require_slopes, within};
pub use trunk::TrunkStage;

use crate::distributions::{self, Distribution};
use crate::init::Initialiser;
use crate::objective::{Objective, Output, RowSums};
use crate::rollout::{Minibatch, ValueUnit};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::words::Args;
use crate::{Alone, Error, Layout, Params, Result, Threads, World};

/// A policy and a value function over one parameter vector.
///
/// What has to be written is [`forward`](Model::forward), on tensors: learning takes its gradient, and acting its numbers.
/// The parameters are an argument: a model answers for those that it is given, whichever they are, and keeps none. A model
/// with a faster way on the host overrides [`outputs`](Model::outputs) and [`values`](Model::values), for acting and judging,
/// and [`host_gradient`](Model::host_gradient), for learning.
pub trait Model: Send + Sync {
    /// `D`, the numbers in one observation.
    fn observation_len(&self) -> usize;

    /// What the outputs are a distribution of.
    fn distribution(&self) -> &Arc<dyn Distribution>;

    /// The policy's outputs `[B, outputs of the distribution]`, those that are the distribution's own among them, and the values `[B]` of observations `[B, D]`, differentiable
    /// in the parameters. Where [`Params::dtype`] is not f32, the network works in that type, and its values are of it.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape or device.
    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)>;

    /// The same as a distribution and values, of f32 whatever type they come in.
    ///
    /// # Errors
    /// As [`forward`](Model::forward).
    fn answer(&self, params: &Params, observation: &Tensor) -> Result<Output> {
        let (outputs, value) = self.forward(params, observation)?;
        Output::of(&**self.distribution(), &outputs, &value)
    }

    /// Replaces `outputs` by the policy's outputs `[B, outputs of the distribution]` for observations `[B, D]`, without a
    /// gradient.
    ///
    /// # Errors
    /// [`Error::Shape`] if `observation` is not a whole number of rows, [`Error::Interrupted`] where [`Scratch::stop`] says so.
    fn outputs(
        &self,
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
    ) -> Result<()> {
        in_blocks(self, params, observation, scratch, outputs, |(outputs, _)| outputs)
    }

    /// Replaces `values` by the value `[B]` of observations `[B, D]`, without a gradient.
    ///
    /// # Errors
    /// [`Error::Shape`] if `observation` is not a whole number of rows, [`Error::Interrupted`] where [`Scratch::stop`] says so.
    fn values(&self, params: &Params, observation: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        in_blocks(self, params, observation, scratch, values, |(_, values)| values)
    }

    /// What the values of [`forward`](Model::forward), [`answer`](Model::answer) and the objective are in; all others are as the
    /// rewards. The default is the unit of the rewards.
    fn value_unit(&self, _params: &Params) -> ValueUnit {
        ValueUnit::default()
    }

    /// `M`, the numbers that it remembers of a lane from one observation of an episode to the next; 0, the default, without a
    /// memory. Where an episode begins, all are zero.
    ///
    /// A model with a memory has to write [`forward_after`](Model::forward_after) besides [`forward`](Model::forward), which
    /// then is that of an episode's first observation. It learns by back-propagation through time, along a rollout's lanes.
    fn memory(&self) -> usize {
        0
    }

    /// As [`forward`](Model::forward), one observation a lane, `[B, D]`, after what it remembers of the lanes, `[B, M]`: outputs
    /// `[B, outputs]`, values `[B]`, and what is to be remembered, `[B, M]`; differentiable in the parameters and the memory.
    ///
    /// # Errors
    /// As [`forward`](Model::forward); [`Error::Config`] from the default of a model with a memory.
    fn forward_after(
        &self,
        params: &Params,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        if self.memory() > 0 {
            let remembers = counted(self.memory(), "number");
            let problem =
                format!("the network remembers {remembers} of a lane: it has to say by `Model::forward_after` how");
            return Err(Error::Config(problem));
        }
        let (outputs, value) = self.forward(params, observation)?;
        Ok((outputs, value, memory.clone()))
    }

    /// The same along whole lanes, `T` steps of `L`: outputs `[T·L, outputs]` and values `[T·L]`, differentiable in the
    /// parameters through all steps. The default goes step by step.
    ///
    /// # Errors
    /// As [`forward_after`](Model::forward_after).
    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        sequences.step_by_step(|observation, memory| self.forward_after(params, observation, memory))
    }

    /// As [`outputs`](Model::outputs) and, where asked for, [`values`](Model::values), one observation a lane, after what it
    /// remembers of the lanes: `memory`, `[B, M]`, which it replaces by what is to be remembered.
    ///
    /// # Errors
    /// As [`outputs`](Model::outputs), [`Error::Shape`] for a memory of another length.
    fn answers_after(
        &self,
        params: &Params,
        observation: &[f32],
        memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        if self.memory() == 0 {
            self.outputs(params, observation, scratch, outputs)?;
            return values.map_or(Ok(()), |values| self.values(params, observation, scratch, values));
        }
        along::answers_after(self, params, observation, memory, outputs, values)
    }

    /// Whether [`answers_after`](Model::answers_after) gives outputs and values together in the time that either takes, as of a
    /// trunk that both share: a rollout then asks at each step, and not once more at its end. False, the default.
    fn answers_at_once(&self) -> bool {
        false
    }

    /// What its actor computes with these parameters, from an observation to the outputs of its last layer, so many as
    /// [`Distribution::network_outputs`] says; the features of a distribution that [reads](Distribution::features) them are what goes
    /// into that layer. It is what a policy is written to other programs from. `None`, the default, where it does not say: such a
    /// policy cannot be exported.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    fn actor(&self, _params: &Params) -> Result<Option<Vec<Operation>>> {
        Ok(None)
    }

    /// Whether the gradient of a block is on purpose not the slope of the outputs, as behind a stop-gradient. Where it is not
    /// and no purpose is told, [`Trainer`](crate::Trainer) refuses the model; see
    /// [`gradient::check`](crate::gradient::check). False, the default, for every block.
    fn detached(&self, _block: &str) -> bool {
        false
    }

    /// Whether it brings observations to one scale itself, as networks of images do: it is then put behind no normaliser of
    /// observations. False, the default.
    fn scales(&self) -> bool {
        false
    }

    /// Bytes that a gradient keeps of each row of a minibatch until all rows have gone through: what a run needs is reckoned with them.
    /// 0, the default, where rows are forgotten some at a time.
    fn kept_of_row(&self) -> usize {
        0
    }

    /// Bytes that the way through tensors keeps of each row, besides a few numbers for each output of a layer: those of the layers' many
    /// places, where they have such. 0, the default, where a layer has one.
    fn kept_on_tensors(&self) -> usize {
        0
    }

    /// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report,
    /// straight on the host; returns the loss. `None`, the default, if model, device or objective have no such path:
    /// the gradient is then that of [`answer`](Model::answer) and [`Objective::loss`].
    ///
    /// # Errors
    /// As [`forward`](Model::forward); [`Error::Shape`] for a minibatch whose columns differ in length,
    /// [`Error::Interrupted`] where its [`stop`](Minibatch::stop) says so.
    fn host_gradient(
        &self,
        _params: &Params,
        _batch: Minibatch<'_>,
        _objective: &dyn Objective,
        _scratch: &mut Scratch,
        _gradient: &mut Vec<f32>,
        _sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        Ok(None)
    }

    /// Replaces `product` by `F·vector`, both `[P]`, `F` the policy's Fisher information averaged over the steps of a minibatch,
    /// without ever making `F`; advantages and targets are not read.
    ///
    /// ```math
    ///   F = mean over s of E ∇log π(a|s)·∇log π(a|s)ᵀ = mean of Jᵀ·M·J          J = ∂outputs/∂θ
    /// ```
    ///
    /// `M` is the [Fisher information](crate::distributions::DistributionRows::fisher) of the distribution in its outputs, without
    /// the choices that are forbidden. `F` is the Hessian of the mean of KL(π_old ‖ π) at `π = π_old`; along the critic's own
    /// parameters it is zero. Of features that a distribution [reads](Distribution::features) neither it nor a gradient knows
    /// the slope. A damping `+ λ·vector` is the caller's to add.
    ///
    /// The default goes along lanes where there is a memory, and takes `Jᵀ` of autograd, exactly, and `J·v` of central
    /// differences, for autograd has no forward mode:
    ///
    /// ```math
    ///   J·v ≈ (outputs(θ + h·v) − outputs(θ − h·v)) / 2h          h = 10⁻³·max(|θ|, 1) / |v|
    /// ```
    ///
    /// Of smooth networks of some hundred parameters the product is off by less than 10⁻³ of its length; where units have kinks, as rectifiers do, by
    /// about the share of them that `h·v` takes over one. Along [detached](Model::detached) blocks `J` is zero.
    ///
    /// Pearlmutter 1994, <https://doi.org/10.1162/neco.1994.6.1.147>; Schulman et al. 2015, appendix C,
    /// <https://arxiv.org/abs/1502.05477>.
    ///
    /// # Errors
    /// As [`forward`](Model::forward); [`Error::Shape`] for a minibatch whose columns differ in length, and for a vector of
    /// another length than `P`; [`Error::Interrupted`] where its [`stop`](Minibatch::stop) says so.
    fn fisher_vector_product(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        vector: &[f32],
        _scratch: &mut Scratch,
        product: &mut Vec<f32>,
    ) -> Result<()> {
        fisher::by_differences(self, params, batch, vector, product)
    }
}

/// A named model.
pub type Row = crate::words::Row<Make>;

/// How a row makes a model and its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Make {
    /// The layout of its parameters, where that is known before they are drawn: a run's memory is then reckoned before it
    /// begins.
    pub layout: Option<fn(&Args, &Site<'_>) -> Result<Layout>>,
    /// Makes them.
    pub build: Build,
}

/// Makes a model and its parameters.
pub type Build = fn(&Args, &Site<'_>) -> Result<(Params, Box<dyn Model>)>;

/// Where a model is to work.
#[derive(Debug)]
pub struct Site<'a> {
    /// The environments.
    pub spec: &'a Spec,
    /// Seed of the run: initial parameters are drawn from its stream `init`.
    pub seed: Seed,
    /// Where its parameters live.
    pub device: &'a Device,
    /// Threads that may share its work.
    pub threads: Threads,
    /// Ranks that may, too.
    pub world: Arc<dyn World>,
    /// Whether initial parameters are wanted; if not, others take their place and any will do.
    pub draw: bool,
    /// What the policy's outputs are to be a distribution of; `None` is the one that
    /// [`distributions::over`] takes for the environments.
    pub distribution: Option<Arc<dyn Distribution>>,
}

impl<'a> Site<'a> {
    /// On the CPU, on one thread, with initial parameters.
    #[must_use]
    pub fn new(spec: &'a Spec, seed: Seed) -> Self {
        let (device, threads, world) = (&Device::Cpu, Threads::default(), Arc::new(Alone));
        Self { spec, seed, device, threads, world, draw: true, distribution: None }
    }
}

impl Site<'_> {
    /// What the policy's outputs are a distribution of, for a network that gives no [features](Distribution::features).
    ///
    /// # Errors
    /// As [`distributions::over`]; [`Error::Config`] for one that reads features, unless it is made for their number.
    pub fn distribution(&self) -> Result<Arc<dyn Distribution>> {
        let distribution = self.chosen()?;
        if distribution.features() == 0 && distribution.with_features(1).is_some() {
            let problem = "the distribution reads the actor's last hidden layer, which this network does not give";
            let remedy = "take the model mlp, mlp_layer_norm, gru or lstm, or give it by `Site::distribution_with`";
            return Err(Error::Config(format!("{problem}: {remedy}")));
        }
        Ok(distribution)
    }

    /// The same for a network whose actor's last hidden layer has so many outputs, without any the observations: it puts them
    /// after those of its last layer if [`Distribution::features`] says so, and only then.
    ///
    /// # Errors
    /// As [`distributions::over`].
    pub fn distribution_with(&self, features: usize) -> Result<Arc<dyn Distribution>> {
        let distribution = self.chosen()?;
        Ok(distribution.with_features(features).unwrap_or(distribution))
    }

    fn chosen(&self) -> Result<Arc<dyn Distribution>> {
        match &self.distribution {
            Some(distribution) => Ok(distribution.clone()),
            None => distributions::over(&self.spec.id, &self.spec.action),
        }
    }

    /// Parameters of this layout, weights drawn with the gain of their block, a distribution's own as they begin, all else 0;
    /// all 0 where no initial ones are wanted.
    fn initial(&self, layout: Layout, (gains, own): (&[f64], &OwnOutputs), init: Initialiser) -> Result<Params> {
        let (mut rng, mut values) = (self.seed.stream("init", 0), vec![0.0; layout.len()]);
        if self.draw {
            own.begin(&mut values);
        }
        for (block, &gain) in layout.blocks().iter().zip(gains).filter(|_| self.draw) {
            if let [outputs, inputs] = block.shape[..] {
                init.fill(gain, outputs, inputs, &mut rng, &mut values[block.range()])?;
            }
        }
        Params::new(layout, values, self.device)
    }
}

/// Every model of this crate.
pub const ROWS: &[Row] =
    &[mlp_row::ROW, mlp_layer_norm::ROW, gru::ROW, lstm::ROW, minatar_cnn::ROW, nature_cnn::ROW, impala_cnn::ROW];

/// Whether the row of that name makes a network with a memory; a user's own says so once it is made.
pub(crate) fn remembers(name: &str) -> bool {
    [GRU, LSTM].iter().any(|cell| cell.name == name)
}

/// Observations that go through a model together where no gradient is wanted: memory stays small however long the rollout.
const BLOCK: usize = 256;

/// One of the answers to observations `[B, D]`, some rows at a time.
fn in_blocks<M: Model + ?Sized>(
    model: &M,
    params: &Params,
    observation: &[f32],
    scratch: &Scratch,
    out: &mut Vec<f32>,
    of: impl Fn((Tensor, Tensor)) -> Tensor,
) -> Result<()> {
    let width = model.observation_len();
    rows(observation, width)?;
    out.clear();
    for block in observation.chunks(BLOCK * width) {
        scratch.stop().check()?;
        let block = Tensor::from_slice(block, (block.len() / width, width), params.device())?;
        out.extend(of(model.forward(params, &block)?).flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(())
}

/// Rows in a flat batch of observations.
pub(crate) fn rows(observation: &[f32], width: usize) -> Result<usize> {
    if width == 0 || !observation.len().is_multiple_of(width) {
        let got = vec![observation.len()];
        return Err(crate::Error::Shape { what: "a batch of observations".into(), expected: vec![width], got });
    }
    Ok(observation.len() / width)
}

/// Observations in the type that a network works in. Those that are not f32 stay as they are, for what works on them to refuse.
fn brought_to(dtype: DType, observation: &Tensor) -> candle_core::Result<Tensor> {
    if observation.dtype() == DType::F32 { observation.to_dtype(dtype) } else { Ok(observation.clone()) }
}
