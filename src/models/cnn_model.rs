//! Actor and critic as convolutional networks, on a shared trunk or apart.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use uphill_envs::{Space, Spec, quoted};

use super::cnn_tensors::answer;
use super::layers::{POLICY_GAIN, VALUE_GAIN, head, heads, hidden_layers};
use super::mlp_row::{HIDDEN, INIT};
use super::nets::Nets;
use super::own_outputs::OwnOutputs;
use super::shard::{self, Shard};
use super::trunk::{Trunk, TrunkStage, shown};
use super::workers::Workers;
use super::{Activation, Model, Operation, Site, rows};
use crate::distributions::Distribution;
use crate::error::check_len;
use crate::init::Initialiser;
use crate::kernels::{Cnn, CnnPasses, Conv, Mlp, Stage, TurnedCnn};
use crate::objective::{Objective, RowSums};
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::words::{Args, Param};
use crate::{Error, Layout, Params, Result, Seed, Threads, World};

/// The shape of a [`CnnModel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CnnConfig {
    /// From images to images, in order.
    pub stages: Vec<TrunkStage>,
    /// Units of each hidden layer on the last images, flat, each behind a rectifier.
    pub hidden: Vec<usize>,
    /// How weights are drawn. Gains are √2 in filters and hidden layers, 0.01 at the policy's head, 1 at the value's; biases are 0.
    pub init: Initialiser,
    /// Whether actor and critic share all but the heads.
    pub shared_trunk: bool,
}

/// What the rows of such networks have in common; hidden layers have defaults of their own.
pub(super) const fn params(hidden: &'static str) -> [Param; 3] {
    [
        Param { meaning: "units of each hidden layer behind the filters; [] is none", ..HIDDEN.or(hidden) },
        INIT,
        Param::flag("shared_trunk", "true", "whether actor and critic share all but their heads"),
    ]
}

/// The shape that the arguments of such a row say, with these stages.
pub(super) fn shape(args: &Args, stages: Vec<TrunkStage>) -> Result<CnnConfig> {
    Ok(CnnConfig {
        stages,
        hidden: args.counts("hidden")?,
        init: args.choice("init")?,
        shared_trunk: args.flag("shared_trunk")?,
    })
}

/// What such a row makes.
pub(super) fn made(config: &CnnConfig, site: &Site<'_>) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = CnnModel::for_site(config, site)?;
    Ok((params, Box::new(model)))
}

/// Images `[B, height·width·channels]` to outputs `[B, A]` and values `[B]`: filters and what stands between them, hidden
/// layers, two heads.
///
/// Images are brought to 0 to 1 first, by their largest number. On the CPU learning and acting have a fused way on the host;
/// [`forward`](Model::forward) is in candle's operations.
#[derive(Debug)]
pub struct CnnModel {
    observation_len: usize,
    /// Height, width and channels of an observation.
    image: [usize; 3],
    distribution: Arc<dyn Distribution>,
    nets: Nets<Cnn>,
    own: OwnOutputs,
    fused: bool,
    workers: Workers,
}

/// What it keeps in its [`Scratch`].
#[derive(Default)]
struct Room {
    acting: CnnPasses,
    /// The weights of each network, for acting and for all shards of a minibatch.
    turned: [TurnedCnn; 2],
    shards: Vec<Shard<Cnn>>,
}

impl CnnModel {
    /// A network for an environment whose observations are images, with initial parameters drawn from the seed's stream `init`.
    ///
    /// # Errors
    /// [`Error::Config`] for observations that are no images, or too small for the filters, for actions that no distribution is
    /// over, and for a layer without units or filters.
    pub fn new(spec: &Spec, config: &CnnConfig, seed: Seed, device: &Device) -> Result<(Params, Self)> {
        Self::for_site(config, &Site { device, ..Site::new(spec, seed) })
    }

    /// The layout that such a network's parameters have.
    ///
    /// # Errors
    /// As [`CnnModel::new`].
    pub fn layout(site: &Site<'_>, config: &CnnConfig) -> Result<Layout> {
        Self::parts(site, config).map(|(layout, ..)| layout)
    }

    /// The network for a site.
    ///
    /// # Errors
    /// As [`CnnModel::new`].
    pub fn for_site(config: &CnnConfig, site: &Site<'_>) -> Result<(Params, Self)> {
        let (layout, gains, network) = Self::parts(site, config)?;
        Ok((
            site.initial(layout, (&gains, &network.own), config.init)?,
            network.on(site.threads.clone()).across(site.world.clone()),
        ))
    }

    /// The same network without its way on the host: the reference that this is tested against.
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

    /// Layout, the gain of each block, and the network.
    fn parts(site: &Site<'_>, config: &CnnConfig) -> Result<(Layout, Vec<f64>, Self)> {
        let spec = site.spec;
        let &Space::Image { height, width, channels, max } = &spec.observation else {
            let (id, shown) = (quoted(&spec.id), shown(&spec.observation));
            return Err(Error::Config(format!(
                "{id}: its observations are {shown}, and the network takes images: take another model, such as mlp"
            )));
        };
        if let Some(i) = config.hidden.iter().position(|&units| units == 0) {
            return Err(Error::Config(format!("hidden layer {i} has 0 units: a layer needs at least 1")));
        }
        let distribution = site.distribution()?;
        let (image, outputs) = ([height, width, channels], distribution.network_outputs());
        let (mut layout, mut gains) = (Layout::default(), Vec::new());
        let net = |layers, trunk: Trunk| {
            let tail = Mlp { layers, activation: Activation::Relu, layer_norm: false };
            Arc::new(Cnn::new(1.0 / f32::from(max), spec.observation_len(), trunk.stages, tail))
        };
        let body = |name: &str, layout: &mut Layout, gains: &mut Vec<f64>| {
            let trunk = Trunk::laid_out(&spec.id, name, image, &config.stages, layout, gains)?;
            let hidden = hidden_layers(&format!("{name}.hidden"), trunk.outputs(), &config.hidden, layout, gains);
            let width = hidden.last().map_or(trunk.outputs(), |layer| layer.outputs);
            Ok::<_, Error>((trunk, hidden, width))
        };
        let nets = if config.shared_trunk {
            let (trunk, mut layers, width) = body("trunk", &mut layout, &mut gains)?;
            layers.push(heads([width, outputs], &mut layout, &mut gains));
            Nets::Shared(net(layers, trunk))
        } else {
            let mut one = |name: &str, outputs: usize, gain: f64| {
                let (trunk, mut layers, width) = body(name, &mut layout, &mut gains)?;
                layers.push(head(name, [width, outputs], gain, &mut layout, &mut gains));
                Ok::<_, Error>(net(layers, trunk))
            };
            Nets::Separate { actor: one("actor", outputs, POLICY_GAIN)?, critic: one("critic", 1, VALUE_GAIN)? }
        };
        let own = OwnOutputs::push(&*distribution, &mut layout);
        gains.resize(layout.blocks().len(), 0.0);
        let (observation_len, workers) = (spec.observation_len(), Workers::default());
        let network = Self { observation_len, image, distribution, nets, own, fused: site.device.is_cpu(), workers };
        Ok((layout, gains, network))
    }

    /// Hands what a network puts out for each observation, and the parameters, to `take`.
    fn infer(
        &self,
        (which, net): (usize, &Cnn),
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        mut take: impl FnMut(&[f32], &[f32]),
    ) -> Result<()> {
        let width = self.observation_len;
        rows(observation, width)?;
        let (stop, Room { acting, turned, .. }) = scratch.with_stop();
        params.read(|theta| {
            net.turn(&mut turned[which], theta, &params.version());
            for block in observation.chunks(net.block() * width) {
                stop.check()?;
                net.forward(theta, &turned[which], block, block.len() / width, acting);
                acting.output().chunks_exact(net.outputs()).for_each(|row| take(row, theta));
            }
            Ok(())
        })?
    }

    /// Whether there is a way on the host for these parameters.
    fn is_on_host(&self, params: &Params) -> bool {
        self.fused && params.device().is_cpu()
    }
}

impl Model for CnnModel {
    fn observation_len(&self) -> usize {
        self.observation_len
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.distribution
    }

    fn scales(&self) -> bool {
        true
    }

    // By whoever goes through it, and by the first of them, who makes the gradient of all.
    fn kept_of_row(&self) -> usize {
        let numbers: usize = self.nets.each().into_iter().map(|net| net.put_off_shape().iter().sum::<usize>()).sum();
        2 * size_of::<f32>() * numbers
    }

    // Of each window what lies under it, cut out, put together and turned for the way back, and what comes of it there and back.
    fn kept_on_tensors(&self) -> usize {
        let of_conv = |conv: &Conv| conv.windows.count() * (4 * conv.windows.len() + 10 * conv.layer.outputs);
        let of_stage = |stage: &Stage| match stage {
            Stage::Conv(conv) => of_conv(conv),
            Stage::Residual(first, second) => of_conv(first) + of_conv(second),
            Stage::Relu | Stage::Pool(_) => 0,
        };
        let numbers: usize = self.nets.each().into_iter().flat_map(|net| &net.stages).map(of_stage).sum();
        size_of::<f32>() * numbers
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let apply = |net: &Cnn| answer(net, self.image, params, observation);
        let (outputs, value) = match &self.nets {
            Nets::Separate { actor, critic } => (apply(actor)?, apply(critic)?),
            Nets::Shared(net) => {
                let (both, outputs) = (apply(net)?, self.distribution.network_outputs());
                (both.narrow(1, 0, outputs)?, both.narrow(1, outputs, 1)?)
            }
        };
        Ok((self.own.after(params, outputs, None)?, value.squeeze(1)?))
    }

    fn outputs(
        &self,
        params: &Params,
        observation: &[f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
    ) -> Result<()> {
        if !self.is_on_host(params) {
            return super::in_blocks(self, params, observation, scratch, outputs, |(outputs, _)| outputs);
        }
        let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = &self.nets;
        let actions = self.distribution.network_outputs();
        outputs.clear();
        self.infer((0, net), params, observation, scratch, |row, theta| {
            outputs.extend(row[..actions].iter().chain(self.own.of(theta)));
        })
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = &self.nets;
        params.read(|theta| Some(Operation::of_cnn(theta, net, self.distribution.network_outputs())))
    }

    fn values(&self, params: &Params, observation: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        if !self.is_on_host(params) {
            return super::in_blocks(self, params, observation, scratch, values, |(_, values)| values);
        }
        let (which, net, column) = match &self.nets {
            Nets::Separate { critic, .. } => (1, critic, 0),
            Nets::Shared(net) => (0, net, self.distribution.network_outputs()),
        };
        values.clear();
        self.infer((which, net), params, observation, scratch, |row, _| values.push(row[column]))
    }

    fn answers_at_once(&self) -> bool {
        self.fused && matches!(self.nets, Nets::Shared(_))
    }

    fn answers_after(
        &self,
        params: &Params,
        observation: &[f32],
        _memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        match (&self.nets, values) {
            (Nets::Shared(net), Some(values)) if self.is_on_host(params) => {
                let actions = self.distribution.network_outputs();
                outputs.clear();
                values.clear();
                self.infer((0, net), params, observation, scratch, |row, theta| {
                    outputs.extend(row[..actions].iter().chain(self.own.of(theta)));
                    values.push(row[actions]);
                })
            }
            (_, values) => {
                self.outputs(params, observation, scratch, outputs)?;
                values.map_or(Ok(()), |values| self.values(params, observation, scratch, values))
            }
        }
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
        if !self.is_on_host(params) || !objective.has_rows() {
            return Ok(None);
        }
        check_len("the network's input", self.observation_len, batch.rollout.observation_len)?;
        let Room { turned, shards, .. } = scratch.of();
        let network = (&self.nets, &self.distribution, &self.own, &self.workers);
        shard::gradient(network, params, batch, objective, (turned, shards), (gradient, sums)).map(Some)
    }
}
