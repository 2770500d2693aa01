//! A policy as ONNX.

mod operations;

use onnx_rs::ast::{DataType, Model, OpType, OperatorSetId, StringStringEntry};

use super::Actor;
use super::graph::{Graph, Numbers, Set};
use crate::distributions::{Deviation, Head};
use operations::{At, States};

/// The version of ONNX's operators, <https://onnx.ai/onnx/operators/>, that files are written in.
pub const OPSET: i64 = 17;
/// The version of the file format that this came with.
const IR: i64 = 8;

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
                    // A legal choice is above the −∞ of one that is not, even where the network overflows; and above the lowest
                    // number, from which some look for the largest.
                    let lowest = graph.number(f32::MIN.next_up());
                    let none = graph.node(OpType::IsNaN, &[&equal], Vec::new());
                    equal = graph.node(OpType::Where, &[&none, &lowest, &equal], Vec::new());
                    equal = graph.node(OpType::Max, &[&equal, &lowest], Vec::new());
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
