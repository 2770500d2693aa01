//! Actor and critic as multi-layer perceptrons, apart or on a shared trunk.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use uphill_envs::{Space, Spec};

use super::shard::{self, Shard};
use super::{Activation, ActorCritic, rows};
use crate::dist::Categorical;
use crate::error::check_len;
use crate::init::Initialiser;
use crate::kernels::{FusedMlp, Layer, Mlp, Turned, Workspace, add};
use crate::objective::{Objective, Output, RowSums};
use crate::params::{Layout, Params};
use crate::rollout::Minibatch;
use crate::seed::Seed;
use crate::{Error, Result, Stop, Threads};

/// The shape of an [`MlpActorCritic`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Units of each hidden layer; none makes both heads linear.
    pub hidden: Vec<usize>,
    /// What stands between layers.
    pub activation: Activation,
    /// How weights are drawn. Gains are √2 in hidden layers, 0.01 at the policy's head, 1 at the value's; biases are 0.
    pub init: Initialiser,
    /// Whether actor and critic share their hidden layers.
    pub shared_trunk: bool,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self { hidden: vec![64, 64], activation: Activation::Tanh, init: Initialiser::Orthogonal, shared_trunk: false }
    }
}

/// Gains as PPO's authors set them: Huang et al. 2022, detail 2,
/// <https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/>.
const HIDDEN_GAIN: f64 = std::f64::consts::SQRT_2;
const POLICY_GAIN: f64 = 0.01;
const VALUE_GAIN: f64 = 1.0;

/// Two perceptrons over one parameter vector: `[B, D]` to logits `[B, A]` and to values `[B]`.
///
/// On the CPU each is one fused operation; on a GPU, or after [`plain`](Self::plain), the same in candle's own.
#[derive(Debug)]
pub struct MlpActorCritic {
    actions: usize,
    nets: Nets,
    fused: bool,
    threads: Threads,
    /// The weights of each perceptron, for all shards of a minibatch.
    turned: [Turned; 2],
    shards: Vec<Shard>,
}

#[derive(Debug)]
pub(super) enum Nets {
    Separate {
        actor: Arc<Mlp>,
        critic: Arc<Mlp>,
    },
    /// One perceptron with `A + 1` outputs: the logits, then the value. The two heads' weights lie side by side, and
    /// so do their biases, so that together they are one last layer.
    Shared(Arc<Mlp>),
}

impl Nets {
    fn each(&self) -> impl IntoIterator<Item = &Arc<Mlp>> {
        let (first, second) = match self {
            Nets::Separate { actor, critic } => (actor, Some(critic)),
            Nets::Shared(net) => (net, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl MlpActorCritic {
    /// A network for an environment, with initial parameters drawn from the seed's stream `init`.
    ///
    /// # Errors
    /// [`Error::Config`] for an environment without discrete actions, or a hidden layer of no units.
    pub fn new(spec: &Spec, config: &MlpConfig, seed: Seed, device: &Device) -> Result<(Params, Self)> {
        let (layout, gains, network) = Self::parts(spec, config, device)?;
        let mut rng = seed.stream("init", 0);
        let mut values = vec![0.0; layout.len()];
        for (block, &gain) in layout.blocks().iter().zip(&gains) {
            if let [outputs, inputs] = block.shape[..] {
                config.init.fill(gain, outputs, inputs, &mut rng, &mut values[block.range()])?;
            }
        }
        Ok((Params::new(layout, values, device)?, network))
    }

    /// The network without its parameters, and what they are: for values from elsewhere.
    ///
    /// # Errors
    /// As [`MlpActorCritic::new`].
    pub(crate) fn laid_out(spec: &Spec, config: &MlpConfig, device: &Device) -> Result<(Layout, Self)> {
        Self::parts(spec, config, device).map(|(layout, _, network)| (layout, network))
    }

    /// Layout, the gain of each block, and the network.
    fn parts(spec: &Spec, config: &MlpConfig, device: &Device) -> Result<(Layout, Vec<f64>, Self)> {
        let Space::Discrete { n: actions } = spec.action else {
            let kind = spec.action.kind();
            return Err(Error::Config(format!("{}: {kind} actions have no policy yet, only discrete ones", spec.id)));
        };
        let inputs = spec.observation_len();
        if let Some(i) = config.hidden.iter().position(|&units| units == 0) {
            return Err(Error::Config(format!("hidden layer {i} has 0 units: a layer needs at least 1")));
        }
        let mut layout = Layout::default();
        let mut gains = Vec::new();
        let nets = if config.shared_trunk {
            let mut layers = hidden_layers("trunk", inputs, &config.hidden, &mut layout, &mut gains);
            let width = layers.last().map_or(inputs, |layer| layer.outputs);
            let weight = layout.push("actor.head.weight", &[actions, width]);
            layout.push("critic.head.weight", &[1, width]);
            let bias = layout.push("actor.head.bias", &[actions]);
            layout.push("critic.head.bias", &[1]);
            gains.extend([POLICY_GAIN, VALUE_GAIN, 0.0, 0.0]);
            layers.push(Layer { inputs: width, outputs: actions + 1, weight, bias });
            Nets::Shared(Arc::new(Mlp { layers, activation: config.activation }))
        } else {
            let mut net = |name: &str, outputs: usize, head_gain: f64| {
                let mut layers = hidden_layers(name, inputs, &config.hidden, &mut layout, &mut gains);
                let width = layers.last().map_or(inputs, |layer| layer.outputs);
                let weight = layout.push(format!("{name}.head.weight"), &[outputs, width]);
                let bias = layout.push(format!("{name}.head.bias"), &[outputs]);
                gains.extend([head_gain, 0.0]);
                layers.push(Layer { inputs: width, outputs, weight, bias });
                Arc::new(Mlp { layers, activation: config.activation })
            };
            Nets::Separate { actor: net("actor", actions, POLICY_GAIN), critic: net("critic", 1, VALUE_GAIN) }
        };
        let network = Self {
            actions,
            nets,
            fused: device.is_cpu(),
            threads: Threads::default(),
            turned: Default::default(),
            shards: Vec::new(),
        };
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
        self.threads = threads;
        self
    }

    pub(super) fn nets(&self) -> &Nets {
        &self.nets
    }

    pub(super) fn actions(&self) -> usize {
        self.actions
    }

    fn apply(&self, net: &Arc<Mlp>, params: &Params, observation: &Tensor) -> Result<Tensor> {
        // A view with other strides, such as some columns of a wider tensor, is not what a matrix product takes.
        observation.dims2()?;
        let mut y = observation.contiguous()?;
        if self.fused {
            let op = FusedMlp::new(net.clone(), params.version());
            return Ok(params.read_only().apply_op2(&y, op)?);
        }
        for (l, layer) in net.layers.iter().enumerate() {
            let theta = params.read_only();
            let weight = theta.narrow(0, layer.weight, layer.outputs * layer.inputs)?;
            let weight = weight.reshape((layer.outputs, layer.inputs))?;
            let bias = theta.narrow(0, layer.bias, layer.outputs)?;
            y = y.matmul(&weight.t()?)?.broadcast_add(&bias)?;
            if l + 1 < net.layers.len() {
                y = match net.activation {
                    Activation::Tanh => y.tanh()?,
                    // candle's own has a slope of 1 at 0, where the fused one, as nearly all, has none.
                    Activation::Relu => y.gt(0.0)?.where_cond(&y, &y.zeros_like()?)?,
                    Activation::Silu => y.silu()?,
                };
            }
        }
        Ok(y)
    }

    /// Replaces `out` by some columns of one perceptron's outputs: on the host on the CPU, through tensors elsewhere.
    fn infer(
        &self,
        net: &Arc<Mlp>,
        columns: Range<usize>,
        params: &Params,
        observation: &[f32],
        workspace: &mut Workspace,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let width = net.inputs();
        let batch = rows(observation, width)?;
        out.clear();
        if !params.device().is_cpu() {
            let observation = Tensor::from_slice(observation, (batch, width), params.device())?;
            let outputs: Vec<f32> = self.apply(net, params, &observation)?.flatten_all()?.to_vec1()?;
            out.extend(outputs.chunks_exact(net.outputs()).flat_map(|row| &row[columns.clone()]));
            return Ok(());
        }
        let Workspace { turned, passes, stop } = workspace;
        let stop = Stop::of(stop.as_ref());
        params.read(|theta| {
            turned.update(net, theta, &params.version());
            // In blocks, so that the workspace stays in the cache and small however long the rollout is.
            for block in observation.chunks(ACTING_BLOCK * width) {
                stop.check()?;
                net.forward(theta, turned, block, block.len() / width, passes);
                let outputs = passes.output();
                if columns == (0..net.outputs()) {
                    out.extend_from_slice(outputs);
                } else {
                    out.extend(outputs.chunks_exact(net.outputs()).flat_map(|row| &row[columns.clone()]));
                }
            }
            Ok(())
        })?
    }
}

/// Observations that go through a perceptron together when acting.
const ACTING_BLOCK: usize = 256;

/// Lays out hidden layers `name.0`, `name.1`, ... and notes the gain of each block (0 leaves it zero).
fn hidden_layers(name: &str, inputs: usize, hidden: &[usize], layout: &mut Layout, gains: &mut Vec<f64>) -> Vec<Layer> {
    let mut width = inputs;
    let mut layers = Vec::new();
    for (l, &units) in hidden.iter().enumerate() {
        let weight = layout.push(format!("{name}.{l}.weight"), &[units, width]);
        let bias = layout.push(format!("{name}.{l}.bias"), &[units]);
        gains.extend([HIDDEN_GAIN, 0.0]);
        layers.push(Layer { inputs: width, outputs: units, weight, bias });
        width = units;
    }
    layers
}

impl ActorCritic for MlpActorCritic {
    fn observation_len(&self) -> usize {
        match &self.nets {
            Nets::Separate { actor: net, .. } | Nets::Shared(net) => net.inputs(),
        }
    }

    fn action_count(&self) -> usize {
        self.actions
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<Output> {
        let (logits, value) = match &self.nets {
            Nets::Separate { actor, critic } => {
                (self.apply(actor, params, observation)?, self.apply(critic, params, observation)?)
            }
            Nets::Shared(net) => {
                let both = self.apply(net, params, observation)?;
                (both.narrow(1, 0, self.actions)?, both.narrow(1, self.actions, 1)?)
            }
        };
        Ok(Output { policy: Categorical::new(&logits)?, value: value.squeeze(1)? })
    }

    fn logits(&self, params: &Params, observation: &[f32], room: &mut Workspace, logits: &mut Vec<f32>) -> Result<()> {
        let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = &self.nets;
        self.infer(net, 0..self.actions, params, observation, room, logits)
    }

    fn values(&self, params: &Params, observation: &[f32], room: &mut Workspace, values: &mut Vec<f32>) -> Result<()> {
        let (net, column) = match &self.nets {
            Nets::Separate { critic, .. } => (critic, 0),
            Nets::Shared(net) => (net, self.actions),
        };
        self.infer(net, column..column + 1, params, observation, room, values)
    }

    fn shared(&self) -> Option<&(dyn ActorCritic + Sync)> {
        Some(self)
    }

    fn host_gradient(
        &mut self,
        params: &Params,
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        if !self.fused {
            return Ok(None);
        }
        batch.check()?;
        check_len("the network's input", self.observation_len(), batch.rollout.observation_len)?;
        let count = shard::count(batch.places.len());
        self.shards.resize_with(self.shards.len().max(count), Shard::default);
        let Self { actions, nets, threads, turned, shards, .. } = self;
        let shards = &mut shards[..count];
        params.read(|theta| {
            let version = params.version();
            for (net, turned) in nets.each().into_iter().zip(&mut *turned) {
                turned.update(net, theta, &version);
            }
            threads.each(shards, |index, shard| {
                shard.run((nets, turned, *actions), theta, batch, objective, (index, count));
            });
        })?;
        if shards.iter().any(|shard| shard.interrupted) {
            return Err(Error::Interrupted);
        }
        gradient.clear();
        gradient.resize(params.layout().len(), 0.0);
        sums.clear();
        let mut loss = Some(0.0);
        for shard in shards {
            loss = loss.zip(shard.loss).map(|(sum, loss)| sum + loss);
            shard.sums.entries().iter().for_each(|&(name, sum)| sums.add(name, sum));
            add(gradient, &shard.gradient);
        }
        Ok(loss.map(|loss| loss / batch.places.len() as f64))
    }
}
