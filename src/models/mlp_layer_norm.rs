//! The perceptron with layer norm.

use candle_core::{Module, Tensor};
use candle_nn::{Linear, VarBuilder, linear};

use super::dense::{activated, normalised};
use super::mlp_row::{ACTIVATION, HIDDEN};
use super::{Activation, BoxedModule, Make, ModuleModel, Operation, Row, Site, apart};
use crate::words::Param;

const EPS: Param = Param::fixed("layer_norm_eps", crate::words::Range::Positive, "1e-5", "added to the variance");

pub(super) const ROW: Row = Row {
    name: "mlp_layer_norm",
    summary: "multi-layer perceptrons for actor and critic, each hidden layer normalised before its activation, with gains and biases",
    params: &[HIDDEN, ACTIVATION, EPS],
    make: Make {
        layout: None,
        build: |args, site| {
            let (hidden, activation, eps) =
                (args.counts("hidden")?, args.choice("activation")?, args.number("layer_norm_eps")?);
            let inputs = site.spec.observation_len();
            let distribution = site.distribution_with(hidden.last().copied().unwrap_or(inputs))?;
            let (outputs, with_hidden) = (distribution.network_outputs(), distribution.features() > 0);
            let site = Site {
                distribution: Some(distribution),
                threads: site.threads.clone(),
                world: site.world.clone(),
                ..*site
            };
            let actor = (inputs, hidden.clone());
            let (params, model) = ModuleModel::new(&site, move |vb| {
                let net = |name: &str, outputs, with_hidden| -> candle_core::Result<BoxedModule> {
                    let net = net(&vb.pp(name), inputs, &hidden, outputs, activation, eps)?;
                    Ok(Box::new(Net { with_hidden, ..net }))
                };
                Ok(apart(net("actor", outputs, with_hidden)?, net("critic", 1, false)?))
            })?;
            let model = model.described(move |block| operations(block, actor.0, &actor.1, (activation, eps)));
            Ok((params, Box::new(model)))
        },
    },
};

/// Rows of mean 0 and deviation 1, times a gain and plus a bias of each unit.
struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl Module for LayerNorm {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        normalised(x, self.eps)?.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)
    }
}

/// Hidden layers `0`, `1`, … of units, and a head.
struct Net {
    hidden: Vec<(Linear, LayerNorm)>,
    head: Linear,
    activation: Activation,
    /// Whether what the last hidden layer puts out comes after what the head does.
    with_hidden: bool,
}

impl Module for Net {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let layer = |x: Tensor, (linear, norm): &(Linear, LayerNorm)| {
            let x = norm.forward(&linear.forward(&x)?)?;
            activated(self.activation, &x)
        };
        let hidden = self.hidden.iter().try_fold(x.clone(), layer)?;
        let outputs = self.head.forward(&hidden)?;
        if self.with_hidden { Tensor::cat(&[outputs, hidden], 1) } else { Ok(outputs) }
    }
}

fn net(
    vb: &VarBuilder<'_>,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    activation: Activation,
    eps: f64,
) -> candle_core::Result<Net> {
    let mut width = inputs;
    let mut layers = Vec::new();
    for (l, &units) in hidden.iter().enumerate() {
        let vb = vb.pp(l);
        let weight = vb.pp("norm").get_with_hints(units, "weight", candle_nn::Init::Const(1.0))?;
        let bias = vb.pp("norm").get_with_hints(units, "bias", candle_nn::Init::Const(0.0))?;
        layers.push((linear(width, units, vb)?, LayerNorm { weight, bias, eps }));
        width = units;
    }
    Ok(Net { hidden: layers, head: linear(width, outputs, vb.pp("head"))?, activation, with_hidden: false })
}

/// What the actor of such a network computes.
fn operations(
    block: &dyn Fn(&str) -> Vec<f32>,
    inputs: usize,
    hidden: &[usize],
    (activation, eps): (Activation, f64),
) -> Vec<Operation> {
    let layer = |name: &str, inputs: usize| {
        let [weight, bias] = ["weight", "bias"].map(|part| block(&format!("actor.{name}.{part}")));
        Operation::Linear(super::Linear { inputs, weight, bias })
    };
    let (mut width, mut operations) = (inputs, Vec::new());
    for (l, &units) in hidden.iter().enumerate() {
        operations.push(layer(&l.to_string(), width));
        let affine = ["weight", "bias"].map(|part| block(&format!("actor.{l}.norm.{part}")));
        operations.push(Operation::LayerNorm { eps: eps as f32, affine: Some(affine) });
        operations.push(Operation::Activation(activation));
        width = units;
    }
    operations.push(layer("head", width));
    operations
}
