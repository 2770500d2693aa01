//! Actor and critic as multi-layer perceptrons, apart or on a shared trunk.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use uphill_envs::Spec;

use super::dense::{Dense, activated, normalised};
use super::layers::{POLICY_GAIN, VALUE_GAIN, head, heads, hidden_layers};
use super::nets::Net as _;
use super::nets::Nets;
use super::own_outputs::OwnOutputs;
use super::shard::{self, Shard};
use super::workers::Workers;
use super::{Activation, Model, Operation, Site, brought_to, fisher, rows};
use crate::distributions::Distribution;
use crate::error::check_len;
use crate::init::Initialiser;
use crate::kernels::{EPS, FusedMlp, Mlp, Transposed};
use crate::layout::Layout;
use crate::objective::{Objective, RowSums};
use crate::params::Params;
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::{Error, Result, Threads, World};

/// The shape of an [`MlpModel`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Units of each hidden layer; none makes both heads linear.
    pub hidden: Vec<usize>,
    /// The same of the critic, where it has others.
    pub critic_hidden: Option<Vec<usize>>,
    /// What stands between layers.
    pub activation: Activation,
    /// Whether each hidden layer gets mean 0 and deviation 1 over its units before its activation, in each row by itself, without gains
    /// and biases: Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.
    pub layer_norm: bool,
    /// How weights are drawn. Gains are √2 in hidden layers, 0.01 at the policy's head, 1 at the value's; biases are 0.
    pub init: Initialiser,
    /// Whether actor and critic share their hidden layers.
    pub shared_trunk: bool,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![64, 64],
            critic_hidden: None,
            activation: Activation::Tanh,
            layer_norm: false,
            init: Initialiser::Orthogonal,
            shared_trunk: false,
        }
    }
}

/// Two perceptrons over one parameter vector: `[B, D]` to logits `[B, A]` and to values `[B]`.
///
/// On the CPU each is one fused operation; on a GPU, or after [`plain`](Self::plain), the same in candle's own.
#[derive(Debug)]
pub struct MlpModel {
    distribution: Arc<dyn Distribution>,
    nets: Nets,
    own: OwnOutputs,
    fused: bool,
    workers: Workers,
}

/// What a perceptron keeps in its [`Scratch`].
#[derive(Default)]
struct MlpScratch {
    /// The weights of each perceptron, for acting and for all shards of a minibatch.
    transposed: [Transposed; 2],
    /// The first is for acting, too: what it holds then may be what is learnt from next.
    shards: Vec<Shard>,
}

impl MlpModel {
    /// A network for an environment, with initial parameters drawn from the seed's stream `init`.
    ///
    /// # Errors
    /// [`Error::Config`] for actions that no distribution is over, or a hidden layer of no units.
    pub fn new(spec: &Spec, config: &MlpConfig, seed: Seed, device: &Device) -> Result<(Params, Self)> {
        Self::for_site(config, &Site { device, ..Site::new(spec, seed) })
    }

    /// The layout that such a network's parameters have.
    ///
    /// # Errors
    /// As [`MlpModel::new`].
    pub fn layout(site: &Site<'_>, config: &MlpConfig) -> Result<Layout> {
        Self::parts(site, config).map(|(layout, ..)| layout)
    }

    /// The network for a site.
    ///
    /// # Errors
    /// As [`MlpModel::new`].
    pub fn for_site(config: &MlpConfig, site: &Site<'_>) -> Result<(Params, Self)> {
        let (layout, gains, network) = Self::parts(site, config)?;
        Ok((
            site.initial(layout, (&gains, &network.own), config.init)?,
            network.on(site.threads.clone()).across(site.world.clone()),
        ))
    }

    /// Layout, the gain of each block, and the network.
    fn parts(site: &Site<'_>, config: &MlpConfig) -> Result<(Layout, Vec<f64>, Self)> {
        let inputs = site.spec.observation_len();
        let distribution = site.distribution_with(config.hidden.last().copied().unwrap_or(inputs))?;
        let outputs = distribution.network_outputs();
        let critic_hidden = config.critic_hidden.as_ref().unwrap_or(&config.hidden);
        if config.shared_trunk && config.critic_hidden.is_some() {
            let problem =
                "critic_hidden has no effect: with shared_trunk = true actor and critic have the same hidden layers";
            return Err(Error::Config(format!("{problem}; leave one of them out")));
        }
        if let Some(i) = config.hidden.iter().chain(critic_hidden).position(|&units| units == 0) {
            return Err(Error::Config(format!("hidden layer {i} has 0 units: a layer needs at least 1")));
        }
        let mut layout = Layout::default();
        let mut gains = Vec::new();
        let nets = if config.shared_trunk {
            let mut layers = hidden_layers("trunk", inputs, &config.hidden, &mut layout, &mut gains);
            let width = layers.last().map_or(inputs, |layer| layer.outputs);
            layers.push(heads([width, outputs], &mut layout, &mut gains));
            Nets::Shared(Arc::new(Mlp { layers, activation: config.activation, layer_norm: config.layer_norm }))
        } else {
            let mut net = |name: &str, hidden: &[usize], outputs: usize, gain: f64| {
                let mut layers = hidden_layers(name, inputs, hidden, &mut layout, &mut gains);
                let width = layers.last().map_or(inputs, |layer| layer.outputs);
                layers.push(head(name, [width, outputs], gain, &mut layout, &mut gains));
                Arc::new(Mlp { layers, activation: config.activation, layer_norm: config.layer_norm })
            };
            Nets::Separate {
                actor: net("actor", &config.hidden, outputs, POLICY_GAIN),
                critic: net("critic", critic_hidden, 1, VALUE_GAIN),
            }
        };
        let own = OwnOutputs::push(&*distribution, &mut layout);
        gains.resize(layout.blocks().len(), 0.0);
        let network = Self { distribution, nets, own, fused: site.device.is_cpu(), workers: Workers::default() };
        Ok((layout, gains, network))
    }

    /// The same network without fused operations: the reference that those are tested against.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.fused = false;
        self
    }

    /// The same network with its gradients computed on these threads, where a minibatch is large enough to be shared.
    #[must_use]
    pub fn on(mut self, threads: Threads) -> Self {
        self.workers.threads = threads;
        self
    }

    /// The same network with the shares of its gradients dealt out among these ranks. Each asks for the same gradients, and gets
    /// the same.
    #[must_use]
    pub fn across(mut self, world: Arc<dyn World>) -> Self {
        self.workers.world = world;
        self
    }

    /// A perceptron's outputs, and those of its last hidden layer, without any `observation`, where that is to be had.
    fn apply(
        &self,
        net: &Arc<Mlp>,
        params: &Params,
        observation: &Tensor,
        with_hidden: bool,
    ) -> Result<(Tensor, Option<Tensor>)> {
        // A view with other strides, such as some columns of a wider tensor, is not what a matrix product takes.
        observation.dims2()?;
        let (mut y, mut hidden) = (brought_to(params.dtype(), &observation.contiguous()?)?, None);
        if self.fused && !with_hidden && params.dtype() == DType::F32 {
            let op = FusedMlp::new(net.clone(), params.version());
            return Ok((params.read_only().apply_op2(&y, op)?, hidden));
        }
        for (l, layer) in net.layers.iter().enumerate() {
            let after = Dense::of(params, layer)?.forward(&y)?;
            hidden = Some(y);
            y = match l + 1 < net.layers.len() {
                true if net.layer_norm => activated(net.activation, &normalised(&after, f64::from(EPS))?)?,
                true => activated(net.activation, &after)?,
                false => after,
            };
        }
        Ok((y, hidden))
    }

    /// The first perceptron, or the second.
    fn net(&self, which: usize) -> &Arc<Mlp> {
        match &self.nets {
            Nets::Separate { critic, .. } if which > 0 => critic,
            Nets::Separate { actor: net, .. } | Nets::Shared(net) => net,
        }
    }

    /// Replaces `out` by some columns of one perceptron's outputs, `own` after each row: on the host on the CPU, through tensors elsewhere.
    fn infer(
        &self,
        which: usize,
        (columns, own): (Range<usize>, &OwnOutputs),
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let net = self.net(which);
        let width = net.inputs();
        let batch = rows(observation, width)?;
        out.clear();
        if !params.device().is_cpu() {
            // Nothing is asked of a device that refuses to start on nothing.
            if batch == 0 {
                return Ok(());
            }
            let observation = Tensor::from_slice(observation, (batch, width), params.device())?;
            let (outputs, hidden) = self.apply(net, params, &observation, own.features() > 0)?;
            let outputs: Vec<f32> = outputs.flatten_all()?.to_vec1()?;
            let hidden = match hidden.filter(|_| own.features() > 0) {
                Some(hidden) => hidden.flatten_all()?.to_vec1()?,
                None => Vec::new(),
            };
            return params.read(|theta| push_rows(own, theta, (&outputs, net.outputs(), columns), &hidden, out));
        }
        // As many rows as are learnt from together.
        let most = if scratch.keeps { net.share() } else { 0 };
        let (stop, MlpScratch { transposed, shards }) = scratch.with_stop();
        if shards.is_empty() {
            shards.push(Shard::default());
        }
        let (transposed, passes) = (&mut transposed[which], shards[0].passes(which));
        params.read(|theta| {
            transposed.update(net, theta, &params.version());
            // In blocks, so that the workspace stays in the cache and small however long the rollout is.
            for block in observation.chunks(ACTING_BLOCK * width) {
                stop.check()?;
                let [outputs, hidden] = net.add(theta, transposed, (block, block.len() / width), most, passes);
                if columns == (0..net.outputs()) && own.len() == 0 {
                    out.extend_from_slice(outputs);
                } else {
                    push_rows(own, theta, (outputs, net.outputs(), columns.clone()), hidden, out);
                }
            }
            Ok(())
        })?
    }
}

/// Adds whole rows to `out`: some columns of each `stride` outputs, and what comes after them.
fn push_rows(
    own: &OwnOutputs,
    theta: &[f32],
    (outputs, stride, columns): (&[f32], usize, Range<usize>),
    hidden: &[f32],
    out: &mut Vec<f32>,
) {
    for (row, outputs) in outputs.chunks_exact(stride).enumerate() {
        own.push_row(theta, (row, &outputs[columns.clone()]), hidden, out);
    }
}

/// Observations that go through a perceptron together when acting.
const ACTING_BLOCK: usize = 256;

impl Model for MlpModel {
    fn observation_len(&self) -> usize {
        match &self.nets {
            Nets::Separate { actor: net, .. } | Nets::Shared(net) => net.inputs(),
        }
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.distribution
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = &self.nets;
        let (outputs, hidden) = self.apply(net, params, observation, self.own.features() > 0)?;
        let (outputs, value) = match &self.nets {
            Nets::Separate { critic, .. } => (outputs, self.apply(critic, params, observation, false)?.0),
            Nets::Shared(_) => {
                let actions = self.distribution.network_outputs();
                (outputs.narrow(1, 0, actions)?, outputs.narrow(1, actions, 1)?)
            }
        };
        Ok((self.own.after(params, outputs, hidden.as_ref())?, value.squeeze(1)?))
    }

    fn outputs(
        &self,
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
    ) -> Result<()> {
        self.infer(0, (0..self.distribution.network_outputs(), &self.own), params, observation, scratch, outputs)
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = &self.nets;
        params.read(|theta| Some(Operation::of_mlp(theta, net, self.distribution.network_outputs())))
    }

    fn values(&self, params: &Params, observation: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        let (which, column) = match &self.nets {
            Nets::Separate { .. } => (1, 0),
            Nets::Shared(_) => (0, self.distribution.network_outputs()),
        };
        self.infer(which, (column..column + 1, &OwnOutputs::default()), params, observation, scratch, values)
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
        if !self.fused || !objective.has_rows() {
            return Ok(None);
        }
        check_len("the network's input", self.observation_len(), batch.rollout.observation_len)?;
        let MlpScratch { transposed, shards, .. } = scratch.of();
        let network = (&self.nets, &self.distribution, &self.own, &self.workers);
        shard::gradient(network, params, batch, objective, (transposed, shards), (gradient, sums)).map(Some)
    }

    // Exactly, and on the host.
    fn fisher_vector_product(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        vector: &[f32],
        scratch: &mut Scratch,
        product: &mut Vec<f32>,
    ) -> Result<()> {
        if !self.fused || !params.device().is_cpu() {
            return fisher::by_differences(self, params, batch, vector, product);
        }
        let network = (&self.nets, &self.own, &self.distribution, &self.workers);
        fisher::on_host(network, params, batch, vector, scratch.of(), product)
    }
}
