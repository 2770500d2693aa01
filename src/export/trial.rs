//! Whether what is about to be written does what the policy does: its calls are made here, by the functions that Rust is given.

use std::cmp::Ordering;

use uphill_envs::{Actions, Space};

use super::Actor;
use super::program::{Array, Call, Program};
use crate::distributions::Head;
use crate::models::within;
use crate::policy::Mode;
use crate::seed::Seed;
use crate::{Error, Policy, Result};

/// Observations that are tried one after the other; of more numbers than that, such as images, fewer.
const TRIED: usize = 16;
const MANY: usize = 1024;
/// How far two ways of computing the same may lie apart, in parts of the largest number on the way, or of 1.
const NEAR: f32 = 1e-4;
/// Characters of logits that a message shows.
const SHOWN: usize = 120;

impl Actor {
    /// Refuses an actor that acts otherwise than its policy on observations that chance makes: a network or a distribution of one's own
    /// may say one thing and do another.
    ///
    /// # Errors
    /// [`Error::Config`] with the first action that differs; what the policy fails with.
    pub(super) fn try_out(&self, policy: &Policy, space: &Space) -> Result<()> {
        let (program, mut rng) = (self.program(), Seed(0).stream("export", 0));
        let (mut own, mut memory) = (State::of(self, &program), policy.memory(1));
        let count = if self.observation_len() > MANY { 2 } else { TRIED };
        for _ in 0..count {
            let observation = within(space, &mut rng);
            own.run(&program, &observation);
            let chosen = policy.act(&observation, &mut memory, Mode::Likeliest)?;
            let near = NEAR * own.largest();
            let problem = match chosen.view() {
                Actions::Discrete(indices) => self.other_choice(&own.outputs, indices, near),
                Actions::Continuous(numbers) => self.other_numbers(&own.outputs, numbers, near),
            };
            if let Some(problem) = problem {
                let remedy =
                    "`Model::actor` and `Distribution::head` are to say what the network and the distribution compute";
                return Err(Error::Config(format!("an actor cannot be exported: {problem}; {remedy}")));
            }
        }
        Ok(())
    }

    fn other_choice(&self, outputs: &[f32], chosen: &[u32], near: f32) -> Option<String> {
        let mut first = 0;
        let widths = match &self.head {
            Head::Choices(among) => among.clone(),
            Head::Switches(count) => vec![1; *count],
            Head::Normal { .. } => return Some("its head is of numbers, and the policy chooses".into()),
        };
        for (k, (width, &index)) in widths.iter().zip(chosen).enumerate() {
            let logits = &outputs[first..first + width];
            first += width;
            let of_index = match (&self.head, logits) {
                // One logit, of being switched on: that of being off is 0.
                (Head::Switches(_), &[logit]) => {
                    if index == 0 {
                        -logit
                    } else {
                        logit
                    }
                }
                _ => logits.get(index as usize).copied().unwrap_or(f32::NAN),
            };
            let is_best = match self.head {
                Head::Switches(_) => of_index >= -near,
                _ => logits.iter().all(|logit| *logit <= of_index + near),
            };
            if !is_best {
                let shown: String = format!("{logits:?}").chars().take(SHOWN).collect();
                return Some(format!("the policy chooses {index} as action[{k}], of logits {shown}"));
            }
        }
        None
    }

    fn other_numbers(&self, outputs: &[f32], chosen: &[f32], near: f32) -> Option<String> {
        let Head::Normal { low, high, is_squashed, .. } = &self.head else {
            return Some("its head is of choices, and the policy's actions are numbers".into());
        };
        for (k, (((mean, policy), low), high)) in outputs.iter().zip(chosen).zip(low).zip(high).enumerate() {
            let half = 0.5 * high - 0.5 * low;
            let (own, near) = match is_squashed {
                true => (0.5 * low + 0.5 * high + half * mean.tanh(), near * half.max(1.0)),
                false => (mean.max(*low).min(*high), near),
            };
            // What is no number is near to nothing.
            if !matches!((own - policy).abs().partial_cmp(&near), Some(Ordering::Less | Ordering::Equal)) {
                return Some(format!("the policy's action[{k}] is {policy} where it would be {own}"));
            }
        }
        None
    }
}

/// The arrays of a program.
struct State {
    rooms: Vec<Vec<f32>>,
    memory: Vec<f32>,
    outputs: Vec<f32>,
}

impl State {
    fn of(actor: &Actor, program: &Program) -> Self {
        let rooms = program.rooms.iter().map(|len| vec![0.0; *len]).collect();
        Self { rooms, memory: vec![0.0; actor.memory().iter().sum()], outputs: vec![0.0; program.outputs] }
    }

    /// The largest number of the last run that is finite, or 1: to what is not nothing else is near.
    fn largest(&self) -> f32 {
        let all = self.rooms.iter().flatten().chain(&self.outputs);
        all.map(|x| x.abs()).filter(|x| x.is_finite()).fold(1.0, f32::max)
    }

    fn run(&mut self, program: &Program, observation: &[f32]) {
        for call in &program.calls {
            let read = |&(array, len): &(Array, usize)| match array {
                Array::Observation => observation[..len].to_vec(),
                Array::Room(room) => self.rooms[room][..len].to_vec(),
                Array::Memory(place) => self.memory[place..place + len].to_vec(),
                Array::Outputs(place) => self.outputs[place..place + len].to_vec(),
            };
            let reads: Vec<Vec<f32>> = call.reads.iter().map(read).collect();
            let tables: Vec<&[f32]> = call.tables.iter().map(|table| &*program.tables[*table]).collect();
            for &(array, len) in &call.writes {
                let written = match array {
                    // No call writes there.
                    Array::Observation => continue,
                    Array::Room(room) => &mut self.rooms[room][..len],
                    Array::Memory(place) => &mut self.memory[place..place + len],
                    Array::Outputs(place) => &mut self.outputs[place..place + len],
                };
                functions::call(call, &tables, &reads, written);
            }
        }
    }
}

/// What is written into the exported Rust, compiled here, where nothing asks whether a number is broken.
#[allow(
    dead_code,
    clippy::all,
    clippy::pedantic,
    reason = "it is written for programs that have neither slices nor a check"
)]
mod functions {
    use super::Call;

    include!("functions.rs");

    /// Makes a call.
    pub(super) fn call(call: &Call, tables: &[&[f32]], reads: &[Vec<f32>], y: &mut [f32]) {
        let (n, windows) = (&call.counts, call.windows.unwrap_or_default());
        match call.function {
            "copy" => copy(&reads[0], y, n[0]),
            "constant" => constant(tables[0], y, n[0]),
            "exponential" => exponential(y, n[0], call.numbers[0]),
            "spread" => spread(tables[0], &reads[0], y, n[0], n[1], call.numbers[0]),
            "normalise" => normalise(tables[0], tables[1], y, n[0], call.numbers[0]),
            "scale" => scale(y, n[0], call.numbers[0]),
            "linear" => linear(tables[0], tables[1], &reads[0], y, n[0], n[1]),
            "layer_norm" => layer_norm(y, n[0], call.numbers[0]),
            "affine" => affine(tables[0], tables[1], y, n[0]),
            "tanh_all" => tanh_all(y, n[0]),
            "relu_all" => relu_all(y, n[0]),
            "leak_all" => leak_all(y, n[0]),
            "silu_all" => silu_all(y, n[0]),
            "gelu_all" => gelu_all(y, n[0]),
            "filters" => filters(tables[0], tables[1], &reads[0], y, windows, n[0]),
            "pool" => pool(&reads[0], y, windows),
            "add" => add(&reads[0], y, n[0]),
            "gru" => gru(&reads[0], &reads[1], y, n[0]),
            "lstm" => lstm(&reads[0], &reads[1], y, n[0]),
            // Each of the functions above is one that a program calls, and there are no others.
            _ => {}
        }
    }
}
