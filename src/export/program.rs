//! A policy as calls of a few functions over arrays: what C and Rust are written from.

use super::Actor;
use crate::distributions::{Deviation, Head};
use crate::models::{Activation, Linear, Operation, Recurrence, Sliding};

/// An array that a call reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Array {
    Observation,
    /// Room of the function's own.
    Room(usize),
    /// From a place on of what is remembered.
    Memory(usize),
    /// From a place on of what the network puts out.
    Outputs(usize),
}

/// A call of a function.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: &'static str,
    /// Tables of numbers, by their place among all.
    pub(super) tables: Vec<usize>,
    /// What it reads, with its length.
    pub(super) reads: Vec<(Array, usize)>,
    /// What it writes, or changes, with its length.
    pub(super) writes: Vec<(Array, usize)>,
    /// Height, width and channels of images, side, stride and padding of the windows over them.
    pub(super) windows: Option<[usize; 6]>,
    pub(super) counts: Vec<usize>,
    pub(super) numbers: Vec<f32>,
}

/// Calls from an observation to what the network puts out: logits, or means and then deviations.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) tables: Vec<Vec<f32>>,
    pub(super) calls: Vec<Call>,
    /// The length of each array of room.
    pub(super) rooms: Vec<usize>,
    /// How many numbers it puts out.
    pub(super) outputs: usize,
    memory: usize,
}

/// Where the numbers are, and how many.
type At = (Array, usize);

impl Actor {
    /// The calls that it is made of.
    pub(super) fn program(&self) -> Program {
        let mut program = Program::default();
        let mut at = (Array::Observation, self.observation_len());
        let last = self.operations.len().saturating_sub(1);
        for operation in &self.operations[..last] {
            at = program.after_keeping(operation, at, &[]);
        }
        let features = at;
        // What the last operation reads may be read once more.
        let kept = match self.head {
            Head::Normal { deviation: Deviation::Features { .. }, .. } => vec![features.0],
            _ => Vec::new(),
        };
        let at = self.operations.get(last).map_or(at, |operation| program.after_keeping(operation, at, &kept));
        let k = self.action_len();
        match &self.head {
            Head::Choices(_) | Head::Switches(_) => {
                program.outputs = at.1;
                program.call("copy", &[], &[at], &[(Array::Outputs(0), at.1)], &[at.1]);
            }
            Head::Normal { deviation, .. } => {
                program.outputs = 2 * k;
                program.call("copy", &[], &[at], &[(Array::Outputs(0), at.1)], &[at.1]);
                let std = (Array::Outputs(k), k);
                match deviation {
                    Deviation::Logarithm { shift } if self.log_std.is_some() => {
                        let row = program.table(self.own_std(*shift));
                        program.call("constant", &[row], &[], &[std], &[k]);
                    }
                    Deviation::Logarithm { shift } => {
                        program.call("exponential", &[], &[], &[std], &[k]);
                        program.numbers(&[*shift]);
                    }
                    Deviation::Features { least } => {
                        let weight = program.table(self.own_variance());
                        program.call("spread", &[weight], &[features], &[std], &[features.1, k]);
                        program.numbers(&[*least]);
                    }
                }
            }
        }
        program
    }
}

impl Program {
    /// Bytes of all room.
    pub(super) fn bytes(&self) -> usize {
        self.rooms.iter().sum::<usize>() * size_of::<f32>()
    }

    /// The most numbers that an array has.
    pub(super) fn largest(&self) -> usize {
        self.tables.iter().map(Vec::len).chain(self.rooms.iter().copied()).max().unwrap_or_default()
    }

    fn table(&mut self, numbers: Vec<f32>) -> usize {
        self.tables.push(numbers);
        self.tables.len() - 1
    }

    fn call(&mut self, function: &'static str, tables: &[usize], reads: &[At], writes: &[At], counts: &[usize]) {
        let (tables, reads, writes, counts) = (tables.to_vec(), reads.to_vec(), writes.to_vec(), counts.to_vec());
        self.calls.push(Call { function, tables, reads, writes, counts, windows: None, numbers: Vec::new() });
    }

    /// Gives windows to the last call.
    fn windows(&mut self, by: &Sliding) {
        let sizes = [by.height, by.width, by.channels, by.side, by.stride, by.padding];
        self.calls.iter_mut().last().into_iter().for_each(|call| call.windows = Some(sizes));
    }

    /// Gives numbers to the last call.
    fn numbers(&mut self, numbers: &[f32]) {
        self.calls.iter_mut().last().into_iter().for_each(|call| call.numbers.extend(numbers));
    }

    /// Room for so many numbers, which is none of these.
    fn room(&mut self, len: usize, but: &[Array]) -> At {
        let room = (0..).find(|room| !but.contains(&Array::Room(*room))).unwrap_or_default();
        self.rooms.resize(self.rooms.len().max(room + 1), 0);
        self.rooms[room] = self.rooms[room].max(len);
        (Array::Room(room), len)
    }

    /// The same numbers where they may be changed.
    fn own(&mut self, at: At, but: &[Array]) -> At {
        if matches!(at.0, Array::Room(_)) && !but.contains(&at.0) {
            return at;
        }
        let but: Vec<Array> = but.iter().copied().chain([at.0]).collect();
        let room = self.room(at.1, &but);
        self.call("copy", &[], &[at], &[room], &[at.1]);
        room
    }

    fn linear(&mut self, layer: &Linear, at: At, but: &[Array]) -> At {
        let tables = [self.table(layer.weight.clone()), self.table(layer.bias.clone())];
        let but: Vec<Array> = but.iter().copied().chain([at.0]).collect();
        let to = self.room(layer.outputs(), &but);
        self.call("linear", &tables, &[at], &[to], &[layer.inputs, layer.outputs()]);
        to
    }

    /// Where an operation leaves its numbers, those arrays kept as they are.
    fn after_keeping(&mut self, operation: &Operation, at: At, keep: &[Array]) -> At {
        match operation {
            Operation::Normalise { mean, scale, clip } => {
                let tables = [self.table(mean.clone()), self.table(scale.clone())];
                let at = self.own(at, keep);
                self.call("normalise", &tables, &[], &[at], &[at.1]);
                self.numbers(&[*clip]);
                at
            }
            Operation::Scale(factor) => {
                let at = self.own(at, keep);
                self.call("scale", &[], &[], &[at], &[at.1]);
                self.numbers(&[*factor]);
                at
            }
            Operation::Linear(layer) => self.linear(layer, at, keep),
            Operation::LayerNorm { eps, affine } => {
                let at = self.own(at, keep);
                self.call("layer_norm", &[], &[], &[at], &[at.1]);
                self.numbers(&[*eps]);
                if let Some([gain, bias]) = affine {
                    let tables = [self.table(gain.clone()), self.table(bias.clone())];
                    self.call("affine", &tables, &[], &[at], &[at.1]);
                }
                at
            }
            Operation::Activation(Activation::Identity) => at,
            Operation::Activation(activation) => {
                let at = self.own(at, keep);
                let function = match activation {
                    Activation::Tanh => "tanh_all",
                    Activation::Relu => "relu_all",
                    Activation::Silu => "silu_all",
                    Activation::Gelu => "gelu_all",
                    Activation::LeakyRelu | Activation::Identity => "leak_all",
                };
                self.call(function, &[], &[], &[at], &[at.1]);
                at
            }
            Operation::Filters(windows, layer) => {
                let tables = [self.table(layer.weight.clone()), self.table(layer.bias.clone())];
                let but: Vec<Array> = keep.iter().copied().chain([at.0]).collect();
                let to = self.room(operation.outputs(at.1), &but);
                self.call("filters", &tables, &[at], &[to], &[layer.outputs()]);
                self.windows(windows);
                to
            }
            Operation::Pool(windows) => {
                let but: Vec<Array> = keep.iter().copied().chain([at.0]).collect();
                let to = self.room(operation.outputs(at.1), &but);
                self.call("pool", &[], &[at], &[to], &[]);
                self.windows(windows);
                to
            }
            Operation::Residual(inner) => {
                let kept: Vec<Array> = keep.iter().copied().chain([at.0]).collect();
                let branch = inner.iter().fold(at, |from, operation| self.after_keeping(operation, from, &kept));
                let branch = self.own(branch, &kept);
                self.call("add", &[], &[at], &[branch], &[at.1]);
                branch
            }
            Operation::Cell { recurrence, input, recurrent } => {
                let units = recurrent.inputs;
                let h = (Array::Memory(self.memory), units);
                let from_input = self.linear(input, at, keep);
                let but: Vec<Array> = keep.iter().copied().chain([from_input.0]).collect();
                let from_memory = self.linear(recurrent, h, &but);
                let function = match recurrence {
                    Recurrence::Gru => "gru",
                    Recurrence::Lstm => "lstm",
                };
                let states = (h.0, recurrence.states() * units);
                self.call(function, &[], &[from_input, from_memory], &[states], &[units]);
                self.memory += states.1;
                h
            }
        }
    }
}

/// Of the functions in `text`, whose first lines begin with one of `heads` and which empty lines part, those that are asked for and
/// those that they call, in order; a call begins with `mark`.
pub(super) fn functions<'a>(text: &'a str, (heads, mark): (&[&str], &str), asked: &[&str]) -> Vec<&'a str> {
    let is_head = |text: &str| heads.iter().any(|head| text.starts_with(head));
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let next = rest.match_indices("\n\n").find(|(at, _)| is_head(&rest[at + 2..])).map(|(at, _)| at);
        parts.push(rest[..next.unwrap_or(rest.len())].trim());
        rest = next.map_or("", |at| rest[at..].trim_start());
    }
    let name = |part: &str| {
        let head = part.lines().find(|line| ["fn ", "static "].iter().any(|word| line.starts_with(word)));
        let before = head.unwrap_or_default().split('(').next().unwrap_or_default();
        before.rsplit([' ', '@']).next().unwrap_or_default().to_string()
    };
    let named: Vec<(String, &str)> = parts.iter().map(|part| (name(part), *part)).collect();
    let mut wanted: Vec<String> = asked.iter().map(ToString::to_string).collect();
    let mut next = 0;
    while next < wanted.len() {
        let body = named.iter().find(|(name, _)| *name == wanted[next]).map_or("", |(_, part)| *part);
        for (name, _) in &named {
            if body.contains(&format!("{mark}{name}(")) && !wanted.contains(name) {
                wanted.push(name.clone());
            }
        }
        next += 1;
    }
    named.into_iter().filter(|(name, _)| wanted.contains(name)).map(|(_, part)| part).collect()
}
