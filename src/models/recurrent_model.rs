//! Hidden layers, a recurrent cell, and the heads of actor and critic on what it remembers.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use uphill_envs::Spec;

use super::dense::{Dense, activated};
use super::mlp_model::{POLICY_GAIN, VALUE_GAIN, hidden_layers};
use super::mlp_row::{ACTIVATION, HIDDEN, INIT, MAX_UNITS};
use super::own_outputs::OwnOutputs;
use super::{Activation, Model, Sequences, Site};
use crate::distributions::{self, Distribution};
use crate::init::Initialiser;
use crate::kernels::Layer;
use crate::words::{Args, Kind, Param};
use crate::{Error, Layout, Params, Result, Seed};

/// A recurrent cell: how what it remembers goes from one observation to the next.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Its name, under which its parameters lie: those of torch, `weight_ih` `[gates·units, inputs]`, `weight_hh`
    /// `[gates·units, units]`, `bias_ih` and `bias_hh` `[gates·units]`.
    pub name: &'static str,
    /// Its gates, of `units` numbers each.
    pub gates: usize,
    /// Arrays of `units` numbers that it remembers; the first is what it puts out.
    pub states: usize,
    /// What it remembers next, `[B, states·units]`: of `W_ih·x + b_ih` and `W_hh·h + b_hh`, `[B, gates·units]` each, and what it
    /// remembers.
    pub next: fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
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
pub(super) fn layout(cell: &'static Cell, args: &Args, spec: &Spec) -> Result<Layout> {
    RecurrentModel::parts(cell, spec, &shape(args)?).map(|(layout, ..)| layout)
}

/// What such a row makes.
pub(super) fn made(cell: &'static Cell, args: &Args, site: &Site<'_>) -> Result<(Params, Box<dyn Model>)> {
    let config = shape(args)?;
    let (params, model) = if site.draw {
        RecurrentModel::new(cell, site.spec, &config, site.seed, site.device)?
    } else {
        let (layout, _, model) = RecurrentModel::parts(cell, site.spec, &config)?;
        let zeros = vec![0.0; layout.len()];
        (Params::new(layout, zeros, site.device)?, model)
    };
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
/// ```text
///   x = hidden layers of the observation     h' = cell(x, h)     outputs = W_π·h' + b_π     V = W_v·h' + b_v
/// ```
#[derive(Debug)]
pub struct RecurrentModel {
    observation_len: usize,
    distribution: Arc<dyn Distribution>,
    hidden: Vec<Layer>,
    activation: Activation,
    cell: &'static Cell,
    units: usize,
    input: Layer,
    recurrent: Layer,
    /// Both heads side by side: the policy's outputs, then the value.
    heads: Layer,
    own: OwnOutputs,
}

/// As in CleanRL's `ppo_atari_lstm.py`: <https://docs.cleanrl.dev/rl-algorithms/ppo/#ppo_atari_lstmpy>.
const CELL_GAIN: f64 = 1.0;

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
        let (layout, gains, model) = Self::parts(cell, spec, config)?;
        let mut rng = seed.stream("init", 0);
        let mut values = vec![0.0; layout.len()];
        for (block, &gain) in layout.blocks().iter().zip(&gains) {
            if let [outputs, inputs] = block.shape[..] {
                config.init.fill(gain, outputs, inputs, &mut rng, &mut values[block.range()])?;
            }
        }
        Ok((Params::new(layout, values, device)?, model))
    }

    /// Layout, the gain of each block, and the network.
    fn parts(cell: &'static Cell, spec: &Spec, config: &RecurrentConfig) -> Result<(Layout, Vec<f64>, Self)> {
        let distribution = distributions::over(&spec.id, &spec.action)?;
        let (inputs, outputs, units) = (spec.observation_len(), distribution.network_outputs(), config.units);
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
        let weight = layout.push("actor.head.weight", &[outputs, units]);
        layout.push("critic.head.weight", &[1, units]);
        let bias = layout.push("actor.head.bias", &[outputs]);
        layout.push("critic.head.bias", &[1]);
        gains.extend([POLICY_GAIN, VALUE_GAIN, 0.0, 0.0]);
        let heads = Layer { inputs: units, outputs: outputs + 1, weight, bias };
        let own = OwnOutputs::push(&*distribution, &mut layout);
        gains.resize(layout.blocks().len(), 0.0);
        let activation = config.activation;
        let observation_len = inputs;
        let model =
            Self { observation_len, distribution, hidden, activation, cell, units, input, recurrent, heads, own };
        Ok((layout, gains, model))
    }

    /// What the cell takes of observations: `W_ih·x + b_ih`, `[B, D]` to `[B, gates·units]`.
    fn from_observation(&self, params: &Params, observation: &Tensor) -> Result<Tensor> {
        observation.dims2()?;
        let mut x = observation.contiguous()?;
        for layer in &self.hidden {
            x = activated(self.activation, &Dense::of(params, layer)?.forward(&x)?)?;
        }
        Dense::of(params, &self.input)?.forward(&x)
    }

    /// What it remembers after a step, `[B, M]`.
    fn next(&self, recurrent: &Dense, from_input: &Tensor, memory: &Tensor) -> Result<Tensor> {
        let h = memory.narrow(1, 0, self.units)?.contiguous()?;
        (self.cell.next)(from_input, &recurrent.forward(&h)?, memory)
    }

    /// Outputs and values from what the cell puts out, `[B, units]`.
    fn answer_of(&self, params: &Params, h: &Tensor) -> Result<(Tensor, Tensor)> {
        let both = Dense::of(params, &self.heads)?.forward(h)?;
        let outputs = self.distribution.network_outputs();
        let (outputs, value) = (both.narrow(1, 0, outputs)?, both.narrow(1, outputs, 1)?);
        Ok((self.own.after(params, outputs)?, value.squeeze(1)?))
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

    fn memory(&self) -> usize {
        self.cell.states * self.units
    }

    fn forward_after(
        &self,
        params: &Params,
        observation: &Tensor,
        memory: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let from_input = self.from_observation(params, observation)?;
        let after = self.next(&Dense::of(params, &self.recurrent)?, &from_input, memory)?;
        let (outputs, value) = self.answer_of(params, &after.narrow(1, 0, self.units)?.contiguous()?)?;
        Ok((outputs, value, after))
    }

    fn forward_along(&self, params: &Params, sequences: &Sequences) -> Result<(Tensor, Tensor)> {
        let (steps, lanes, _) = sequences.observation.dims3()?;
        // All that does not go by the steps before is done for all of them at once.
        let from_input = self.from_observation(params, &sequences.observation.flatten_to(1)?)?;
        let recurrent = Dense::of(params, &self.recurrent)?;
        let (mut memory, mut put_out) = (sequences.memory.clone(), Vec::with_capacity(steps));
        for t in 0..steps {
            let found = sequences.found(t, memory)?;
            memory = self.next(&recurrent, &from_input.narrow(0, t * lanes, lanes)?, &found)?;
            put_out.push(memory.narrow(1, 0, self.units)?);
        }
        self.answer_of(params, &Tensor::cat(&put_out, 0)?)
    }
}
