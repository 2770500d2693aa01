//! A policy as ONNX.

use std::f32::consts::FRAC_1_SQRT_2;

use onnx_rs::ast::{DataType, Model, OpType, OperatorSetId, StringStringEntry};

use super::Actor;
use super::graph::{Graph, Numbers, Set};
use crate::distributions::{Deviation, Head};
use crate::kernels::LEAK;
use crate::models::{Activation, Linear, Operation, Recurrence, Sliding};

/// The version of ONNX's operators, <https://onnx.ai/onnx/operators/>, that files are written in.
pub const OPSET: i64 = 17;
/// The version of the file format that this came with.
const IR: i64 = 8;

/// What is at hand while operations are walked along.
#[derive(Clone)]
struct At {
    value: String,
    /// Height, width and channels, where the value is planes of images, `[N, channels, height, width]`, and not flat.
    planes: Option<[usize; 3]>,
}

/// What a network remembers: what it found, one state after the other, and what it leaves.
struct States {
    found: std::vec::IntoIter<String>,
    left: Vec<String>,
}

impl Actor {
    /// As ONNX, operators of version [`OPSET`]. Of `N` lanes, which may be any number, it takes
    ///
    /// - `observation`, f32 `[N, D]`, of images `[N, height, width, channels]`, as the environment gives it;
    /// - `memory`, f32 `[N, M]`, of a recurrent network: zeros where an episode begins, then `next_memory` of the step before;
    /// - `mask`, bool `[N, A]`, where the environment tells which choices are legal;
    ///
    /// and gives
    ///
    /// - `action`: the likeliest, i64 `[N]` of a choice, i64 `[N, K]` of several choices or switches, f32 `[N, K]` of numbers, which
    ///   are in the environment's units;
    /// - `logits`, f32 `[N, A]`, −∞ where `mask` forbids, or `mean` and `std`, f32 `[N, K]`, of the normal distributions before what
    ///   is drawn of them is clipped or squashed;
    /// - `next_memory`, f32 `[N, M]`.
    ///
    /// In a lane whose observation or memory has a NaN, numbers that come out are NaN, the first legal choice is taken, and switches are
    /// off; the programs of [`c`](Actor::c) and [`rust`](Actor::rust) do the same.
    #[must_use]
    pub fn onnx(&self) -> Vec<u8> {
        let graph = self.graph();
        let entries = self.about.iter().map(|(key, value)| StringStringEntry { key, value });
        onnx_rs::encode(&Model {
            ir_version: IR,
            opset_import: vec![OperatorSetId { domain: "", version: OPSET }],
            producer_name: "uphill",
            producer_version: env!("CARGO_PKG_VERSION"),
            doc_string: "A policy of reinforcement learning: the likeliest action, and the distribution that it is of.",
            graph: Some(graph.proto()),
            metadata_props: entries.collect(),
            ..Model::default()
        })
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        let observation = graph.input(("observation", DataType::Float, self.shape.clone()));
        let value = match self.shape.len() {
            1 => observation,
            _ => graph.node(OpType::Flatten, &[&observation], vec![Set::Int("axis", 1)]),
        };
        let widths = self.memory();
        let memory = widths.iter().sum::<usize>();
        let found = match memory {
            0 => Vec::new(),
            _ => {
                let memory = graph.input(("memory", DataType::Float, vec![memory]));
                graph.split(&memory, &widths)
            }
        };
        let broken = broken(&mut graph, &value, (memory > 0).then_some("memory"));
        let mut states = States { found: found.into_iter(), left: Vec::new() };
        let mut at = At { value, planes: None };
        // What the last layer reads may be read once more.
        let mut features = at.value.clone();
        for (i, operation) in self.operations.iter().enumerate() {
            if i + 1 == self.operations.len() {
                at = at.flat(&mut graph);
                features = at.value.clone();
            }
            at = at.after(operation, &mut graph, &mut states);
        }
        let outputs = at.flat(&mut graph).value;
        self.decide(&mut graph, &outputs, &features, &broken);
        if memory > 0 {
            let left = graph.concat(&states.left);
            let left = graph.unless(&broken, f32::NAN, &left);
            graph.output(("next_memory", DataType::Float, vec![memory]), &left);
        }
        graph
    }

    /// The likeliest action, and the distribution; in lanes that are broken all numbers are NaN, and choices are as of equal logits.
    fn decide(&self, graph: &mut Graph, outputs: &str, features: &str, broken: &str) {
        let shape = if self.is_one_index { Vec::new() } else { vec![self.action_len()] };
        match &self.head {
            Head::Choices(among) => {
                let all: usize = among.iter().sum();
                let [mut logits, mut equal] = [f32::NAN, 0.0].map(|x| graph.unless(broken, x, outputs));
                if self.mask > 0 {
                    let mask = graph.input(("mask", DataType::Bool, vec![self.mask]));
                    let never = graph.number(f32::NEG_INFINITY);
                    [logits, equal] =
                        [logits, equal].map(|x| graph.node(OpType::Where, &[&mask, &x, &never], Vec::new()));
                }
                let keep = i64::from(!self.is_one_index);
                let largest = |graph: &mut Graph, part: &String| {
                    let over = vec![Set::Int("axis", 1), Set::Int("keepdims", keep)];
                    graph.node(OpType::ArgMax, &[part], over)
                };
                let parts = graph.split(&equal, among);
                let each: Vec<String> = parts.iter().map(|part| largest(graph, part)).collect();
                let action = graph.concat(&each);
                graph.output(("action", DataType::Int64, shape), &action);
                graph.output(("logits", DataType::Float, vec![all]), &logits);
            }
            Head::Switches(count) => {
                let [logits, equal] = [f32::NAN, 0.0].map(|x| graph.unless(broken, x, outputs));
                let zero = graph.number(0.0);
                let on = graph.node(OpType::Greater, &[&equal, &zero], Vec::new());
                let action = graph.node(OpType::Cast, &[&on], vec![Set::Int("to", DataType::Int64 as i64)]);
                graph.output(("action", DataType::Int64, shape), &action);
                graph.output(("logits", DataType::Float, vec![*count]), &logits);
            }
            Head::Normal { low, high, is_squashed, deviation } => {
                let k = low.len();
                let is_own = self.log_std.is_some();
                let parts = if is_own { vec![outputs.to_string()] } else { graph.split(outputs, &[k, k]) };
                let mean = parts[0].clone();
                let [low_row, high_row] = [("low", low), ("high", high)].map(|(what, row)| graph.row(what, row));
                let mut action = mean.clone();
                if *is_squashed {
                    let both = || low.iter().zip(high);
                    let mid: Vec<f32> = both().map(|(low, high)| 0.5 * low + 0.5 * high).collect();
                    let half: Vec<f32> = both().map(|(low, high)| 0.5 * high - 0.5 * low).collect();
                    let [mid, half] = [("mid", mid), ("half", half)].map(|(what, row)| graph.row(what, &row));
                    action = graph.node(OpType::Tanh, &[&action], Vec::new());
                    action = graph.node(OpType::Mul, &[&action, &half], Vec::new());
                    action = graph.node(OpType::Add, &[&action, &mid], Vec::new());
                }
                action = graph.node(OpType::Max, &[&action, &low_row], Vec::new());
                action = graph.node(OpType::Min, &[&action, &high_row], Vec::new());
                let std = match deviation {
                    Deviation::Logarithm { shift } if is_own => {
                        let row = graph.row("std", &self.own_std(*shift));
                        let shape = graph.node(OpType::Shape, &[&mean], Vec::new());
                        graph.node(OpType::Expand, &[&row, &shape], Vec::new())
                    }
                    Deviation::Logarithm { shift } => {
                        let shift = graph.number(*shift);
                        let log_std = graph.node(OpType::Add, &[&parts[1], &shift], Vec::new());
                        graph.node(OpType::Exp, &[&log_std], Vec::new())
                    }
                    Deviation::Features { least } => {
                        let weight = self.own_variance();
                        let weight = graph.constant("variance", &[weight.len() / k, k], Numbers::Float(weight));
                        let squares = graph.node(OpType::Mul, &[features, features], Vec::new());
                        let variance = graph.node(OpType::MatMul, &[&squares, &weight], Vec::new());
                        let least = graph.number(*least);
                        let variance = graph.node(OpType::Add, &[&variance, &least], Vec::new());
                        graph.node(OpType::Sqrt, &[&variance], Vec::new())
                    }
                };
                let [action, mean, std] = [action, mean, std].map(|x| graph.unless(broken, f32::NAN, &x));
                graph.output(("action", DataType::Float, shape), &action);
                graph.output(("mean", DataType::Float, vec![k]), &mean);
                graph.output(("std", DataType::Float, vec![k]), &std);
            }
        }
    }

    /// `e^(L + shift)`, `[K]`, of logarithms of deviations that are parameters of their own.
    pub(super) fn own_std(&self, shift: f32) -> Vec<f32> {
        let std = |log_std: &f32| (f64::from(*log_std) + f64::from(shift)).exp() as f32;
        self.log_std.iter().flatten().map(std).collect()
    }

    /// `e^2L` of the same, `[F, K]`.
    pub(super) fn own_variance(&self) -> Vec<f32> {
        self.log_std.iter().flatten().map(|log_std| (2.0 * f64::from(*log_std)).exp() as f32).collect()
    }
}

/// Whether of each lane, `[N, 1]`, a number that it sees or remembers is none: programs that run graphs differ in what a maximum, of a
/// rectifier or a bound, makes of it.
fn broken(graph: &mut Graph, observation: &str, memory: Option<&str>) -> String {
    let all: Vec<String> = [Some(observation), memory].into_iter().flatten().map(Into::into).collect();
    let all = graph.concat(&all);
    let none = graph.node(OpType::IsNaN, &[&all], Vec::new());
    let none = graph.node(OpType::Cast, &[&none], vec![Set::Int("to", DataType::Float as i64)]);
    let most = graph.node(OpType::ReduceMax, &[&none], vec![Set::Ints("axes", vec![1]), Set::Int("keepdims", 1)]);
    let zero = graph.number(0.0);
    graph.node(OpType::Greater, &[&most, &zero], Vec::new())
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

impl At {
    /// Values `[N, D]`.
    fn flat(self, graph: &mut Graph) -> Self {
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

    fn after(self, operation: &Operation, graph: &mut Graph, states: &mut States) -> Self {
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
