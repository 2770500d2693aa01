//! A policy as Rust without a standard library.

use std::fmt::Write;

use super::Actor;
use super::program::{Array, Call, functions};
use crate::distributions::Head;

/// The functions that calls are of.
const FUNCTIONS: &str = include_str!("functions.rs");

/// Before what a program may have no use for.
const UNUSED: &str = "#[allow(dead_code, reason = \"a program may need but one of these\")]\n";

impl Actor {
    /// As a module of Rust that needs neither another crate nor a standard library: weights are arrays. It has
    ///
    /// ```ignore
    /// pub fn outputs(observation: &[f32; OBSERVATION], memory: &mut [f32; MEMORY]) -> [f32; OUTPUTS];
    /// pub fn act(observation: &[f32; OBSERVATION], memory: &mut [f32; MEMORY], mask: &[bool; MASK]) -> [f32; ACTION];
    /// ```
    ///
    /// and the same as `outputs_in` and `act_in`, whose last argument is the `Scratch` that is worked in, where the stack is small.
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
        let is_bounded = matches!(self.head, Head::Normal { .. });
        let asked = program.calls.iter().map(|call| call.function).chain(["broken"]);
        let asked = asked.chain(squashes.then_some("tanh")).chain(is_bounded.then_some("within"));
        let asked: Vec<&str> = asked.collect();
        for function in functions(FUNCTIONS, (&["fn ", "/// "], ""), &asked) {
            let _ = write!(text, "\n{function}\n");
        }
        let rooms = || (0..program.rooms.len()).map(|room| format!("room_{room}")).collect::<Vec<_>>().join(", ");
        let fields = |of: &dyn Fn(usize) -> String| program.rooms.iter().map(|len| of(*len)).collect::<Vec<_>>();
        let each = |of: &dyn Fn(usize) -> String| {
            let fields = fields(of).into_iter().enumerate();
            fields.map(|(room, of)| format!("room_{room}: {of}")).collect::<Vec<_>>().join(", ")
        };
        let _ = write!(
            text,
            "\n/// Room to work in, {} bytes.\n#[rustfmt::skip]\npub struct Scratch {{ {} }}\n\n\
             impl Scratch {{\n    /// All of it.\n    #[rustfmt::skip]\n    pub const fn new() -> Self {{\n        \
             Self {{ {} }}\n    }}\n}}\n\n\
             impl Default for Scratch {{\n    fn default() -> Self {{\n        Self::new()\n    }}\n}}\n",
            program.bytes(),
            each(&|len| format!("[f32; {len}]")),
            each(&|len| format!("[0.0; {len}]")),
        );
        let has_memory = !self.memory().is_empty();
        let memory = if has_memory { ", memory: &mut [f32; MEMORY]" } else { "" };
        let mask = if self.mask > 0 { ", mask: &[bool; MASK]" } else { "" };
        let (given, masked) = (if has_memory { ", memory" } else { "" }, if self.mask > 0 { ", mask" } else { "" });
        let (also, unknown) = match has_memory {
            true => (" || broken(memory)", "        memory.fill(f32::NAN);\n"),
            false => ("", ""),
        };
        let _ = write!(
            text,
            "\n/// What the network says of an observation: {said}.\n{UNUSED}\
             pub fn outputs(observation: &[f32; OBSERVATION]{memory}) -> [f32; OUTPUTS] {{\n    \
             outputs_in(observation{given}, &mut Scratch::new())\n}}\n\n\
             /// The same, worked out in room of the caller's.\n\
             pub fn outputs_in(observation: &[f32; OBSERVATION]{memory}, scratch: &mut Scratch) -> [f32; OUTPUTS] {{\n    \
             if broken(observation){also} {{\n{unknown}        return [f32::NAN; OUTPUTS];\n    }}\n    \
             let mut outputs = [0.0; OUTPUTS];\n    #[rustfmt::skip]\n    let Scratch {{ {rooms} }} = scratch;\n",
            said = self.said(),
            rooms = rooms(),
        );
        program.calls.iter().for_each(|call| text.push_str(&called(call)));
        let kind = if is_bounded { "f32" } else { "u32" };
        let _ = write!(
            text,
            "    outputs\n}}\n\n/// {said}.\n{UNUSED}\
             pub fn act(observation: &[f32; OBSERVATION]{memory}{mask}) -> [{kind}; ACTION] {{\n    \
             act_in(observation{given}{masked}, &mut Scratch::new())\n}}\n\n\
             /// The same, worked out in room of the caller's.\n\
             pub fn act_in(observation: &[f32; OBSERVATION]{memory}{mask}, scratch: &mut Scratch) -> [{kind}; ACTION] {{\n    \
             let outputs = outputs_in(observation{given}, scratch);\n{choose}}}\n",
            said = self.said_of_action(),
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
                     action[k] = within(low, high, {a});\n    }}\n    action\n",
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
    let windows = call.windows.iter().map(|sizes| format!("{sizes:?}"));
    let counts = windows.chain(call.counts.iter().map(ToString::to_string));
    let numbers = call.numbers.iter().map(|x| number(*x));
    let given: Vec<String> = tables.chain(reads).chain(writes).chain(counts).chain(numbers).collect();
    format!("    {}({});\n", call.function, given.join(", "))
}
