//! A policy as Rust without a standard library.

use std::fmt::Write;

use super::Actor;
use super::program::{Array, Call, functions};
use crate::distributions::Head;

/// The functions that calls are of.
const FUNCTIONS: &str = include_str!("functions.rs");

impl Actor {
    /// As a module of Rust that needs neither another crate nor a standard library: weights are arrays. It has
    ///
    /// ```ignore
    /// pub fn outputs(observation: &[f32; OBSERVATION], memory: &mut [f32; MEMORY]) -> [f32; OUTPUTS];
    /// pub fn act(observation: &[f32; OBSERVATION], memory: &mut [f32; MEMORY], mask: &[bool; MASK]) -> [f32; ACTION];
    /// ```
    ///
    /// Without a memory, or a mask, there is no such argument; actions are `u32` where they are indices or switches. Outputs are
    /// logits, or the means and then the deviations of the normal distributions. A memory is zeros where an episode begins.
    #[must_use]
    pub fn rust(&self) -> String {
        let program = self.program();
        let mut text = String::from("// A policy of reinforcement learning.\n//\n");
        for (key, value) in &self.about {
            let _ = writeln!(text, "// {key}: {value}");
        }
        for (what, len) in self.lengths() {
            let meaning = match what {
                "observation" => "Numbers of an observation",
                "action" => "Numbers of an action",
                "outputs" => "Numbers that the network puts out",
                "memory" => "Numbers that the network remembers",
                _ => "Choices of which it is told whether they are legal",
            };
            let _ = write!(text, "\n/// {meaning}.\npub const {}: usize = {len};\n", what.to_ascii_uppercase());
        }
        for (t, table) in program.tables.iter().enumerate() {
            let _ = write!(text, "\n#[rustfmt::skip]\nstatic TABLE_{t}: [f32; {}] = [", table.len());
            let numbers: Vec<String> = table.iter().map(|x| number(*x)).collect();
            for row in numbers.chunks(8) {
                let _ = write!(text, "\n    {},", row.join(", "));
            }
            text.push_str("\n];\n");
        }
        let choose = self.chosen();
        let squashes = matches!(self.head, Head::Normal { is_squashed: true, .. });
        let asked = program.calls.iter().map(|call| call.function).chain(squashes.then_some("tanh"));
        let asked: Vec<&str> = asked.collect();
        for function in functions(FUNCTIONS, (&["fn ", "/// ", "#[allow"], ""), &asked) {
            let _ = write!(text, "\n{function}\n");
        }
        let has_memory = !self.memory().is_empty();
        let memory = if has_memory { ", memory: &mut [f32; MEMORY]" } else { "" };
        let _ = write!(
            text,
            "\n/// What the network says of an observation: {}.\n\
             pub fn outputs(observation: &[f32; OBSERVATION]{memory}) -> [f32; OUTPUTS] {{\n    \
             let mut outputs = [0.0; OUTPUTS];\n",
            self.said(),
        );
        for (room, len) in program.rooms.iter().enumerate() {
            let _ = writeln!(text, "    let mut room_{room} = [0.0f32; {len}];");
        }
        program.calls.iter().for_each(|call| text.push_str(&called(call)));
        let kind = if matches!(self.head, Head::Normal { .. }) { "f32" } else { "u32" };
        let mask = if self.mask > 0 { ", mask: &[bool; MASK]" } else { "" };
        let given = if has_memory { ", memory" } else { "" };
        let _ = write!(
            text,
            "    outputs\n}}\n\n/// {}.\n\
             pub fn act(observation: &[f32; OBSERVATION]{memory}{mask}) -> [{kind}; ACTION] {{\n    \
             let outputs = outputs(observation{given});\n{choose}}}\n",
            self.said_of_action(),
        );
        text
    }

    /// What chooses the action from the outputs.
    fn chosen(&self) -> String {
        match &self.head {
            Head::Choices(among) => {
                let larger = "outputs[first + i] > outputs[first + best]";
                let better = match self.mask {
                    0 => larger.to_string(),
                    _ => format!("mask[first + i] && (!mask[first + best] || {larger})"),
                };
                format!(
                    "    let mut action = [0; ACTION];\n    let mut first = 0;\n    \
                     for (action, among) in action.iter_mut().zip({among:?}) {{\n        let mut best = 0;\n        \
                     for i in 1..among {{\n            \
                     if {better} {{\n                best = i;\n            }}\n        \
                     }}\n        *action = best as u32;\n        first += among;\n    }}\n    action\n"
                )
            }
            Head::Switches(_) => {
                let each = "        *action = u32::from(outputs[k] > 0.0);\n";
                format!(
                    "    let mut action = [0; ACTION];\n    for (k, action) in action.iter_mut().enumerate() {{\n{each}    }}\n    action\n"
                )
            }
            Head::Normal { low, high, is_squashed, .. } => {
                let row = |row: &[f32]| row.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", ");
                let a = match is_squashed {
                    true => "0.5 * low + 0.5 * high + (0.5 * high - 0.5 * low) * tanh(outputs[k])",
                    false => "outputs[k]",
                };
                format!(
                    "    let (low, high): ([f32; ACTION], [f32; ACTION]) = ([{}], [{}]);\n    let mut action = [0.0; ACTION];\n    \
                     for k in 0..ACTION {{\n        let (low, high) = (low[k], high[k]);\n        \
                     action[k] = ({a}).max(low).min(high);\n    }}\n    action\n",
                    row(low),
                    row(high),
                )
            }
        }
    }
}

/// A number as Rust reads it.
fn number(x: f32) -> String {
    match x {
        f32::INFINITY => "f32::INFINITY".into(),
        f32::NEG_INFINITY => "f32::NEG_INFINITY".into(),
        // The shortest that is read as the same number.
        x => format!("{x:?}"),
    }
}

fn called(call: &Call) -> String {
    let array = |mutable: &str, &(array, len): &(Array, usize)| match array {
        Array::Observation => "observation".into(),
        Array::Room(room) => format!("&{mutable}room_{room}[..{len}]"),
        Array::Memory(place) => format!("&{mutable}memory[{place}..{}]", place + len),
        Array::Outputs(place) => format!("&{mutable}outputs[{place}..{}]", place + len),
    };
    let tables = call.tables.iter().map(|table| format!("&TABLE_{table}"));
    let reads = call.reads.iter().map(|read| array("", read));
    let writes = call.writes.iter().map(|write| array("mut ", write));
    let counts = call.counts.iter().map(ToString::to_string);
    let numbers = call.numbers.iter().map(|x| number(*x));
    let given: Vec<String> = tables.chain(reads).chain(writes).chain(counts).chain(numbers).collect();
    format!("    {}({});\n", call.function, given.join(", "))
}
