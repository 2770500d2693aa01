//! Hidden layers, a recurrent cell, and the heads of actor and critic on what it remembers.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use uphill_envs::Spec;

use super::dense::{Dense, activated};
use super::lane_shard::{self, HostGru, LaneShard, Turned, Work};
use super::layers::{heads, hidden_layers};
use super::mlp_row::{ACTIVATION, HIDDEN, INIT, MAX_UNITS};
use super::own_outputs::OwnOutputs;
use super::share::Share;
use super::workers::Workers;
use super::{Activation, Linear, Model, Operation, Recurrence, Sequences, Site, along, brought_to, rows};
use crate::distributions::Distribution;
use crate::error::check_len;
use crate::init::Initialiser;
use crate::kernels::{Gru, Layer, Mlp};
use crate::objective::{Objective, RowSums};
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::words::{Args, Kind, Param};
use crate::{Error, Layout, Params, Result, Seed, Threads, World};

/// A recurrent cell: how what it remembers goes from one observation to the next.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Its name, under which its parameters lie: those of torch, `weight_ih` `[gates·units, inputs]`, `weight_hh`
    /// `[gates·units, units]`, `bias_ih` and `bias_hh` `[gates·units]`.
    pub(super) name: &'static str,
    /// Its gates, of `units` numbers each.
    pub(super) gates: usize,
    /// Arrays of `units` numbers that it remembers; the first is what it puts out.
    pub(super) states: usize,
    /// What it remembers next, `[B, states·units]`: of `W_ih·x + b_ih` and `W_hh·h + b_hh`, `[B, gates·units]` each, and what it
    /// remembers.
    pub(super) next: fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
    /// The same for other programs.
    pub(super) recurrence: Recurrence,
    /// Whether there is a way on the host that is fused: it is then a gated recurrent unit.
    pub(super) is_fused: bool,
}

/// The shape of a [`RecurrentModel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurrentConfig {
    /// Units of each hidden layer before the cell; there may be none.
    pub hidden: Vec<usize>,
    /// Units of the cell.
    pub units: usize,
    /// What stands behind each hidden layer.
    pub activation: Activation,
    /// How weights are drawn. Gains are √2 in hidden layers, 1 in the cell, 0.01 at the policy's head, 1 at the value's; biases are 0.
    pub init: Initialiser,
}

impl Default for RecurrentConfig {
    fn default() -> Self {
        Self { hidden: vec![64], units: 64, activation: Activation::Tanh, init: Initialiser::Orthogonal }
    }
}

pub(super) const PARAMS: &[Param] = &[
    Param { meaning: "units of each hidden layer before the cell; [] is none", ..HIDDEN.or("[64]") },
    Param { name: "units", kind: Kind::Count(1, MAX_UNITS), default: "64", meaning: "units of the cell" },
    ACTIVATION,
    INIT,
];

/// The layout that such a row's parameters have.
pub(super) fn layout(cell: &'static Cell, args: &Args, site: &Site<'_>) -> Result<Layout> {
    RecurrentModel::parts(cell, &shape(args)?, site).map(|(layout, ..)| layout)
}

/// What such a row makes.
pub(super) fn made(cell: &'static Cell, args: &Args, site: &Site<'_>) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = RecurrentModel::for_site(cell, &shape(args)?, site)?;
    Ok((params, Box::new(model)))
}

fn shape(args: &Args) -> Result<RecurrentConfig> {
    Ok(RecurrentConfig {
        hidden: args.counts("hidden")?,
        units: args.count("units")?,
        activation: args.choice("activation")?,
        init: args.choice("init")?,
    })
}

/// Hidden layers, a [`Cell`] and two heads over one parameter vector; actor and critic share all but the heads.
///
/// ```math
///   x = hidden layers of the observation     h' = cell(x, h)     outputs = W_π·h' + b_π     V = W_v·h' + b_v
/// ```
#[derive(Debug)]
pub struct RecurrentModel {
    observation_len: usize,
    distribution: Arc<dyn Distribution>,
    cell: &'static Cell,
    units: usize,
    /// Hidden layers, and as the last one the cell's gates from them.
    front: Mlp,
    /// One layer: the gates from what is remembered.
    gru: Gru,
    /// One layer: both heads side by side, the policy's outputs, then the value.
    heads: Mlp,
    own: OwnOutputs,
    fused: bool,
    workers: Workers,
}

/// What it keeps in its [`Scratch`].
#[derive(Default)]
struct Room {
    turned: Turned,
    acting: Work,
    shards: Vec<LaneShard>,
}

/// As in CleanRL's `ppo_atari_lstm.py`: <https://docs.cleanrl.dev/rl-algorithms/ppo/#ppo_atari_lstmpy>.
const CELL_GAIN: f64 = 1.0;

/// Numbers that a gradient keeps of each step: for each unit of the cell on the host's own way, or on tensors, which keep what each
/// operation makes and its gradient; and for each unit before it. Measured as four times (minibatches) the peak memory that 384 more steps of 64 lanes take, but for what
/// they take of `mlp`: `train --envs 64 --n-steps 128 --model lstm --n-epochs 1 --threads 1 --steps 64`, and `--n-steps 512`.
const FUSED: usize = 16;
const ON_TENSORS: usize = 100;
const OF_HIDDEN: usize = 6;

impl RecurrentModel {
    /// A network for an environment, with initial parameters drawn from the seed's stream `init`.
    ///
    /// # Errors
    /// [`Error::Config`] for actions that no distribution is over, and for a layer or a cell of no units.
    pub fn new(
        cell: &'static Cell,
        spec: &Spec,
        config: &RecurrentConfig,
        seed: Seed,
        device: &Device,
    ) -> Result<(Params, Self)> {
        Self::for_site(cell, config, &Site { device, ..Site::new(spec, seed) })
    }

    fn for_site(cell: &'static Cell, config: &RecurrentConfig, site: &Site<'_>) -> Result<(Params, Self)> {
        let (layout, gains, model) = Self::parts(cell, config, site)?;
        Ok((
            site.initial(layout, (&gains, &model.own), config.init)?,
            model.on(site.threads.clone()).across(site.world.clone()),
        ))
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

    fn host(&self) -> HostGru<'_> {
        let Self { front, gru, heads, own, distribution, .. } = self;
        HostGru { front, gru, heads, own, distribution }
    }

    /// Layout, the gain of each block, and the network.
    fn parts(cell: &'static Cell, config: &RecurrentConfig, site: &Site<'_>) -> Result<(Layout, Vec<f64>, Self)> {
        let distribution = site.distribution_with(config.units)?;
        let (inputs, outputs, units) = (site.spec.observation_len(), distribution.network_outputs(), config.units);
        if let Some(i) = config.hidden.iter().position(|&units| units == 0) {
            return Err(Error::Config(format!("hidden layer {i} has 0 units: a layer needs at least 1")));
        }
        if units == 0 {
            return Err(Error::Config(format!("the {} has 0 units: it needs at least 1", cell.name)));
        }
        let (mut layout, mut gains) = (Layout::default(), Vec::new());
        let hidden = hidden_layers("trunk", inputs, &config.hidden, &mut layout, &mut gains);
        let width = hidden.last().map_or(inputs, |layer| layer.outputs);
        let gates = cell.gates * units;
        let mut part = |name: &str, inputs: usize| {
            let weight = layout.push(format!("trunk.{}.weight_{name}", cell.name), &[gates, inputs]);
            let bias = layout.push(format!("trunk.{}.bias_{name}", cell.name), &[gates]);
            gains.extend([CELL_GAIN, 0.0]);
            Layer { inputs, outputs: gates, weight, bias }
        };
        let (input, recurrent) = (part("ih", width), part("hh", units));
        let heads = heads([units, outputs], &mut layout, &mut gains);
        let own = OwnOutputs::push(&*distribution, &mut layout);
        gains.resize(layout.blocks().len(), 0.0);
        let net = |layers: Vec<Layer>| Mlp { layers, activation: config.activation, layer_norm: false };
        let model = Self {
            observation_len: inputs,
            distribution,
            cell,
            units,
            front: net(hidden.into_iter().chain([input]).collect()),
            gru: Gru { recurrent: net(vec![recurrent]) },
            heads: net(vec![heads]),
            own,
            fused: cell.is_fused,
            workers: Workers::default(),
        };
        Ok((layout, gains, model))
    }

    /// What the cell takes of observations: `W_ih·x + b_ih`, `[B, D]` to `[B, gates·units]`.
    fn gates_of(&self, params: &Params, observation: &Tensor) -> Result<Tensor> {
        observation.dims2()?;
        let mut x = brought_to(params.dtype(), &observation.contiguous()?)?;
        for (l, layer) in self.front.layers.iter().enumerate() {
            x = Dense::of(params, layer)?.forward(&x)?;
            if l + 1 < self.front.layers.len() {
                x = activated(self.front.activation, &x)?;
            }
        }
        Ok(x)
    }

    /// What it remembers after a step, `[B, M]`.
    fn next(&self, recurrent: &Dense, from_input: &Tensor, memory: &Tensor) -> Result<Tensor> {
        let h = memory.narrow(1, 0, self.units)?.contiguous()?;
        (self.cell.next)(from_input, &recurrent.forward(&h)?, memory)
    }

    /// Outputs and values from what the cell puts out, `[B, units]`.
    fn answer_of(&self, params: &Params, h: &Tensor) -> Result<(Tensor, Tensor)> {
        let both = Dense::of(params, &self.heads.layers[0])?.forward(h)?;
        let outputs = self.distribution.network_outputs();
        let (outputs, value) = (both.narrow(1, 0, outputs)?, both.narrow(1, outputs, 1)?);
        Ok((self.own.after(params, outputs, Some(h))?, value.squeeze(1)?))
    }
}

impl Model for RecurrentModel {
    fn observation_len(&self) -> usize {
        self.observation_len
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.distribution
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let memory = Tensor::zeros((observation.dims2()?.0, self.memory()), DType::F32, observation.device())?;
        let (outputs, value, _) = self.forward_after(params, observation, &memory)?;
        Ok((outputs, value))
    }

    fn actor(&self, params: &Params) -> Result<Option<Vec<Operation>>> {
        let outputs = self.distribution.network_outputs();
        params.read(|theta| {
            let mut operations = Operation::of_mlp(theta, &self.front, self.cell.gates * self.units);
            // The last layer of the front is the cell's own.
            let Some(Operation::Linear(input)) = operations.pop() else { return None };
            let recurrent = &self.gru.recurrent.layers[0];
            let recurrent = Linear::of(theta, recurrent, recurrent.outputs);
            operations.push(Operation::Cell { recurrence: self.cell.recurrence, input, recurrent });
            operations.extend(Operation::of_mlp(theta, &self.heads, outputs));
            Some(operations)
        })
    }

    fn memory(&self) -> usize {
        self.cell.states * self.units
    }

    fn forward_after(
        &self,
        params: &Params,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let (from_input, memory) = (self.gates_of(params, observation)?, memory.to_dtype(params.dtype())?);
        let after = self.next(&Dense::of(params, &self.gru.recurrent.layers[0])?, &from_input, &memory)?;
        let (outputs, value) = self.answer_of(params, &after.narrow(1, 0, self.units)?.contiguous()?)?;
        Ok((outputs, value, after))
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        let (steps, lanes, _) = sequences.observation.dims3()?;
        // All that does not go by the steps before is done for all of them at once.
        let from_input = self.gates_of(params, &sequences.observation.flatten_to(1)?)?;
        let recurrent = Dense::of(params, &self.gru.recurrent.layers[0])?;
        let (mut memory, mut put_out) = (sequences.memory.to_dtype(params.dtype())?, Vec::with_capacity(steps));
        for t in 0..steps {
            let found = sequences.found(t, memory)?;
            memory = self.next(&recurrent, &from_input.narrow(0, t * lanes, lanes)?, &found)?;
            put_out.push(memory.narrow(1, 0, self.units)?);
        }
        self.answer_of(params, &Tensor::cat(&put_out, 0)?)
    }

    fn answers_after(
        &self,
        params: &Params,
        observation: &[f32],
        memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        if !self.fused || !params.device().is_cpu() {
            return along::answers_after(self, params, observation, memory, outputs, values);
        }
        let width = self.observation_len;
        check_len("the memory", rows(observation, width)? * self.units, memory.len())?;
        let (stop, Room { turned, acting, .. }) = scratch.with_stop();
        outputs.clear();
        let mut values = values;
        values.iter_mut().for_each(|values| values.clear());
        params.read(|theta| {
            turned.update(self.host(), theta, &params.version());
            for (x, memory) in observation.chunks(ACTING * width).zip(memory.chunks_mut(ACTING * self.units)) {
                stop.check()?;
                acting.step(self.host(), (theta, turned), x, memory);
                let columns = self.distribution.network_outputs();
                for (row, heads) in acting.output().chunks_exact(columns + 1).enumerate() {
                    self.own.push_row(theta, (row, &heads[..columns]), acting.hidden(), outputs);
                    values.iter_mut().for_each(|values| values.push(heads[columns]));
                }
            }
            Ok(())
        })?
    }

    // All steps of a lane wait for its way back.
    fn kept_of_row(&self) -> usize {
        let hidden: usize = self.front.layers.iter().rev().skip(1).map(|layer| layer.outputs).sum();
        let of_unit = if self.fused { FUSED } else { ON_TENSORS };
        size_of::<f32>() * (of_unit * self.units + OF_HIDDEN * hidden)
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
        if !self.fused || !params.device().is_cpu() || !objective.has_rows() {
            return Ok(None);
        }
        batch.check()?;
        check_len("the network's input", self.observation_len, batch.rollout.observation_len)?;
        check_len("the rollout's memory", batch.rollout.lanes * self.units, batch.rollout.memory.len())?;
        check_len("the rollout's ends", batch.rollout.log_prob.len(), batch.rollout.end.len())?;
        batch.check_action(self.distribution.action_len(), self.distribution.action_kind())?;
        batch.check_shift(self.distribution.means())?;
        let lanes = along::Along::of(batch.rollout, batch.places);
        let parameters = params.layout().len();
        let count = lane_shard::count(batch.places.len(), lanes.lanes.len(), parameters);
        let Room { turned, shards, .. } = scratch.of();
        shards.resize_with(shards.len().max(count), LaneShard::default);
        let (shards, mine) = (&mut shards[..count], self.workers.own(count));
        params.read(|theta| {
            turned.update(self.host(), theta, &params.version());
            self.workers.threads.each(&mut shards[mine.clone()], |index, shard| {
                let index = (mine.start + index, count);
                shard.run(self.host(), (theta, turned), (batch, &lanes), objective, index);
            });
        })?;
        let all = [0..parameters; 1];
        self.workers.exchange(shards, |shard| &mut shard.share, (parameters, &all))?;
        let shares = shards.iter().map(|shard| &shard.share);
        let loss = Share::total(shares, (parameters, &all), gradient, sums)?;
        Ok(Some(loss / batch.places.len() as f64))
    }
}

/// Lanes that go through the network together when acting.
const ACTING: usize = 256;
