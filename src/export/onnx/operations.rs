//! What a network's operations make of values, one node of the graph after the other.

use std::f32::consts::FRAC_1_SQRT_2;

use onnx_rs::ast::OpType;

use super::super::graph::{Graph, Numbers, Set};
use crate::kernels::LEAK;
use crate::models::{Activation, Linear, Operation, Recurrence, Sliding};

/// What is at hand while operations are walked along.
#[derive(Clone)]
pub(super) struct At {
    pub(super) value: String,
    /// Height, width and channels, where the value is planes of images, `[N, channels, height, width]`, and not flat.
    pub(super) planes: Option<[usize; 3]>,
}

/// What a network remembers: what it found, one state after the other, and what it leaves.
pub(super) struct States {
    pub(super) found: std::vec::IntoIter<String>,
    pub(super) left: Vec<String>,
}

impl At {
    /// Values `[N, D]`.
    pub(super) fn flat(self, graph: &mut Graph) -> Self {
        if self.planes.is_none() {
            return self;
        }
        let last = graph.node(OpType::Transpose, &[&self.value], vec![Set::Ints("perm", vec![0, 2, 3, 1])]);
        Self { value: graph.node(OpType::Flatten, &[&last], vec![Set::Int("axis", 1)]), planes: None }
    }

    /// Planes `[N, channels, height, width]` of images.
    fn planes(self, graph: &mut Graph, windows: &Sliding) -> Self {
        let image = [windows.height, windows.width, windows.channels];
        if self.planes == Some(image) {
            return self;
        }
        let flat = self.flat(graph);
        let shape = [0].into_iter().chain(image.map(|side| side as i64)).collect();
        let shape = graph.constant("shape", &[4], Numbers::Int(shape));
        let images = graph.node(OpType::Reshape, &[&flat.value, &shape], Vec::new());
        let value = graph.node(OpType::Transpose, &[&images], vec![Set::Ints("perm", vec![0, 3, 1, 2])]);
        Self { value, planes: Some(image) }
    }

    pub(super) fn after(self, operation: &Operation, graph: &mut Graph, states: &mut States) -> Self {
        let same = |value: String, planes| Self { value, planes };
        match operation {
            Operation::Normalise { mean, scale, clip } => {
                let at = self.flat(graph);
                let [mean, scale] = [("mean", mean), ("scale", scale)].map(|(what, row)| graph.row(what, row));
                let centred = graph.node(OpType::Sub, &[&at.value, &mean], Vec::new());
                let scaled = graph.node(OpType::Mul, &[&centred, &scale], Vec::new());
                let [low, high] = [-clip, *clip].map(|bound| graph.number(bound));
                same(graph.node(OpType::Clip, &[&scaled, &low, &high], Vec::new()), None)
            }
            Operation::Scale(factor) => {
                let factor = graph.number(*factor);
                same(graph.node(OpType::Mul, &[&self.value, &factor], Vec::new()), self.planes)
            }
            Operation::Linear(layer) => {
                let at = self.flat(graph);
                same(linear(graph, &at.value, layer), None)
            }
            Operation::LayerNorm { eps, affine } => {
                let at = self.flat(graph);
                let over = || vec![Set::Ints("axes", vec![1]), Set::Int("keepdims", 1)];
                let mean = graph.node(OpType::ReduceMean, &[&at.value], over());
                let centred = graph.node(OpType::Sub, &[&at.value, &mean], Vec::new());
                let squares = graph.node(OpType::Mul, &[&centred, &centred], Vec::new());
                let variance = graph.node(OpType::ReduceMean, &[&squares], over());
                let eps = graph.number(*eps);
                let variance = graph.node(OpType::Add, &[&variance, &eps], Vec::new());
                let deviation = graph.node(OpType::Sqrt, &[&variance], Vec::new());
                let mut value = graph.node(OpType::Div, &[&centred, &deviation], Vec::new());
                if let Some([gain, bias]) = affine {
                    let [gain, bias] = [("gain", gain), ("bias", bias)].map(|(what, row)| graph.row(what, row));
                    value = graph.node(OpType::Mul, &[&value, &gain], Vec::new());
                    value = graph.node(OpType::Add, &[&value, &bias], Vec::new());
                }
                same(value, None)
            }
            Operation::Activation(activation) => same(activated(graph, &self.value, *activation), self.planes),
            Operation::Filters(windows, layer) => {
                let at = self.planes(graph, windows);
                let (side, channels, filters) = (windows.side, windows.channels, layer.outputs());
                // Pixels with their channels side by side become planes of a channel.
                let place = |filter: usize, channel: usize, pixel: usize| {
                    layer.weight[filter * layer.inputs + pixel * channels + channel]
                };
                let each = (0..filters).flat_map(|filter| (0..channels).map(move |channel| (filter, channel)));
                let weight = each.flat_map(|(f, c)| (0..side * side).map(move |pixel| place(f, c, pixel))).collect();
                let weight = graph.constant("weight", &[filters, channels, side, side], Numbers::Float(weight));
                let bias = graph.constant("bias", &[filters], Numbers::Float(layer.bias.clone()));
                let value = graph.node(OpType::Conv, &[&at.value, &weight, &bias], sliding(windows));
                let [rows, columns] = windows.places();
                same(value, Some([rows, columns, filters]))
            }
            Operation::Pool(windows) => {
                let at = self.planes(graph, windows);
                let value = graph.node(OpType::MaxPool, &[&at.value], sliding(windows));
                let [rows, columns] = windows.places();
                same(value, Some([rows, columns, windows.channels]))
            }
            Operation::Residual(inner) => {
                let branch = inner.iter().fold(self.clone(), |at, operation| at.after(operation, graph, states));
                // Both in the form of what came in.
                let branch = if self.planes.is_none() { branch.flat(graph) } else { branch };
                let trunk = if branch.planes.is_none() { self.flat(graph) } else { self };
                same(graph.node(OpType::Add, &[&trunk.value, &branch.value], Vec::new()), branch.planes)
            }
            Operation::Cell { recurrence, input, recurrent } => {
                let at = self.flat(graph);
                let units = recurrent.inputs;
                let found: Vec<String> = states.found.by_ref().take(recurrence.states()).collect();
                let from_input = linear(graph, &at.value, input);
                let from_memory = linear(graph, &found[0], recurrent);
                let left = match recurrence {
                    Recurrence::Gru => vec![gru(graph, units, [&from_input, &from_memory], &found[0])],
                    Recurrence::Lstm => lstm(graph, units, [&from_input, &from_memory], &found[1]),
                };
                let value = left[0].clone();
                states.left.extend(left);
                same(value, None)
            }
        }
    }
}

/// What a linear layer makes of flat values.
fn linear(graph: &mut Graph, x: &str, layer: &Linear) -> String {
    let weight = Numbers::Float(layer.weight.clone());
    let weight = graph.constant("weight", &[layer.outputs(), layer.inputs], weight);
    let bias = graph.constant("bias", &[layer.outputs()], Numbers::Float(layer.bias.clone()));
    graph.node(OpType::Gemm, &[x, &weight, &bias], vec![Set::Int("transB", 1)])
}

/// What an activation makes of values.
fn activated(graph: &mut Graph, x: &str, activation: Activation) -> String {
    match activation {
        Activation::Tanh => graph.node(OpType::Tanh, &[x], Vec::new()),
        Activation::Relu => graph.node(OpType::Relu, &[x], Vec::new()),
        Activation::Silu => {
            let gate = graph.node(OpType::Sigmoid, &[x], Vec::new());
            graph.node(OpType::Mul, &[x, &gate], Vec::new())
        }
        Activation::Gelu => {
            let [root, one, half] = [FRAC_1_SQRT_2, 1.0, 0.5].map(|number| graph.number(number));
            let scaled = graph.node(OpType::Mul, &[x, &root], Vec::new());
            let erf = graph.node(OpType::Erf, &[&scaled], Vec::new());
            let both = graph.node(OpType::Add, &[&erf, &one], Vec::new());
            let gate = graph.node(OpType::Mul, &[&both, &half], Vec::new());
            graph.node(OpType::Mul, &[x, &gate], Vec::new())
        }
        Activation::LeakyRelu => graph.node(OpType::LeakyRelu, &[x], vec![Set::Float("alpha", LEAK)]),
        Activation::Identity => x.into(),
    }
}

/// How windows slide, in a node's attributes.
fn sliding(windows: &Sliding) -> Vec<Set> {
    let [side, stride, padding] = [windows.side, windows.stride, windows.padding].map(|pixels| pixels as i64);
    vec![
        Set::Ints("kernel_shape", vec![side; 2]),
        Set::Ints("strides", vec![stride; 2]),
        Set::Ints("pads", vec![padding; 4]),
    ]
}

/// What a gated recurrent unit remembers next: see [`GRU`](crate::models::GRU).
fn gru(graph: &mut Graph, units: usize, gates: [&str; 2], h: &str) -> String {
    let [x, m] = gates.map(|gates| graph.split(gates, &[units; 3]));
    let mut gate = |g: usize| {
        let sum = graph.node(OpType::Add, &[&x[g], &m[g]], Vec::new());
        graph.node(OpType::Sigmoid, &[&sum], Vec::new())
    };
    let [reset, update] = [gate(0), gate(1)];
    let kept = graph.node(OpType::Mul, &[&reset, &m[2]], Vec::new());
    let sum = graph.node(OpType::Add, &[&x[2], &kept], Vec::new());
    let new = graph.node(OpType::Tanh, &[&sum], Vec::new());
    let apart = graph.node(OpType::Sub, &[h, &new], Vec::new());
    let moved = graph.node(OpType::Mul, &[&update, &apart], Vec::new());
    graph.node(OpType::Add, &[&new, &moved], Vec::new())
}

/// What a long short-term memory puts out and remembers next: see [`LSTM`](crate::models::LSTM).
fn lstm(graph: &mut Graph, units: usize, [x, m]: [&str; 2], c: &str) -> Vec<String> {
    let sum = graph.node(OpType::Add, &[x, m], Vec::new());
    let gates = graph.split(&sum, &[units; 4]);
    let mut squashed = |operator, gate: &String| graph.node(operator, &[gate], Vec::new());
    let [input, forget] = [squashed(OpType::Sigmoid, &gates[0]), squashed(OpType::Sigmoid, &gates[1])];
    let [cell, output] = [squashed(OpType::Tanh, &gates[2]), squashed(OpType::Sigmoid, &gates[3])];
    let kept = graph.node(OpType::Mul, &[&forget, c], Vec::new());
    let new = graph.node(OpType::Mul, &[&input, &cell], Vec::new());
    let c = graph.node(OpType::Add, &[&kept, &new], Vec::new());
    let shown = graph.node(OpType::Tanh, &[&c], Vec::new());
    vec![graph.node(OpType::Mul, &[&output, &shown], Vec::new()), c]
}
