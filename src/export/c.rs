//! A policy as a C header.

use std::fmt::Write;

use super::program::{Array, Call, functions};
use super::{Actor, check_name};
use crate::Result;
use crate::distributions::Head;

/// The functions that calls are of; `@` stands for what names begin with.
const FUNCTIONS: &str = include_str!("functions.h");

impl Actor {
    /// As a header of C99 that needs nothing but `math.h`: weights are arrays, and all names begin with `name`. It has
    ///
    /// ```c
    /// void policy_outputs(const float *observation, float *memory, float *outputs);
    /// void policy_act(const float *observation, float *memory, const unsigned char *mask, float *action);
    /// ```
    ///
    /// the lengths of whose arrays are `POLICY_OBSERVATION`, `POLICY_MEMORY`, `POLICY_OUTPUTS`, `POLICY_MASK` and `POLICY_ACTION`. Without
    /// a memory, or a mask, there is no such argument; actions are `int` where they are indices or switches. Outputs are logits, or
    /// the means and then the deviations of the normal distributions. A memory is zeros where an episode begins.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a name that is none of C's.
    pub fn c(&self, name: &str) -> Result<String> {
        check_name(name)?;
        let program = self.program();
        let upper = name.to_ascii_uppercase();
        let mut text = String::from("/* A policy of reinforcement learning.\n");
        for (key, value) in &self.about {
            let _ = writeln!(text, " * {key}: {}", value.replace("*/", "* /"));
        }
        let _ = writeln!(text, " */\n#ifndef {upper}_H\n#define {upper}_H\n\n#include <math.h>\n");
        for (what, len) in self.lengths() {
            let _ = writeln!(text, "#define {upper}_{} {len}", what.to_ascii_uppercase());
        }
        for (t, table) in program.tables.iter().enumerate() {
            let _ = write!(text, "\nstatic const float {name}_table_{t}[{}] = {{", table.len().max(1));
            let numbers: Vec<String> = table.iter().map(|x| number(*x)).collect();
            for row in numbers.chunks(8) {
                let _ = write!(text, "\n    {},", row.join(", "));
            }
            text.push_str(if table.is_empty() { "0.0f};\n" } else { "\n};\n" });
        }
        let asked: Vec<&str> = program.calls.iter().map(|call| call.function).collect();
        for function in functions(FUNCTIONS, (&["static "], "@"), &asked) {
            let _ = write!(text, "\n{}\n", function.replace('@', &format!("{name}_")));
        }
        let has_memory = !self.memory().is_empty();
        let memory = if has_memory { "float *memory, " } else { "" };
        let _ = write!(
            text,
            "\n/* What the network says of an observation: {}. */\n\
             static inline void {name}_outputs(const float *observation, {memory}float *outputs)\n{{\n",
            self.said(),
        );
        for (room, len) in program.rooms.iter().enumerate() {
            let _ = writeln!(text, "    float room_{room}[{len}];");
        }
        program.calls.iter().for_each(|call| text.push_str(&called(call, name)));
        let kind = if matches!(self.head, Head::Normal { .. }) { "float" } else { "int" };
        let mask = if self.mask > 0 { "const unsigned char *mask, " } else { "" };
        let given = if has_memory { "memory, " } else { "" };
        let _ = write!(
            text,
            "}}\n\n/* {}. */\nstatic inline void {name}_act(const float *observation, {memory}{mask}{kind} *action)\n{{\n    \
             float outputs[{upper}_OUTPUTS];\n    {name}_outputs(observation, {given}outputs);\n",
            self.said_of_action(),
        );
        self.choose(&mut text);
        let _ = write!(text, "}}\n\n#endif\n");
        Ok(text)
    }

    /// Chooses the action from the outputs.
    fn choose(&self, text: &mut String) {
        match &self.head {
            Head::Choices(among) => {
                let sides: Vec<String> = among.iter().map(ToString::to_string).collect();
                let larger = "outputs[first + i] > outputs[first + best]";
                let better = match self.mask {
                    0 => larger.to_string(),
                    _ => format!("mask[first + i] && (!mask[first + best] || {larger})"),
                };
                let _ = write!(
                    text,
                    "    static const int among[{k}] = {{{sides}}};\n    for (int k = 0, first = 0; k < {k}; first += among[k++]) {{\n        \
                     int best = 0;\n        for (int i = 1; i < among[k]; i++)\n            \
                     if ({better})\n                best = i;\n        \
                     action[k] = best;\n    }}\n",
                    k = among.len(),
                    sides = sides.join(", "),
                );
            }
            Head::Switches(count) => {
                let _ = write!(text, "    for (int k = 0; k < {count}; k++)\n        action[k] = outputs[k] > 0.0f;\n");
            }
            Head::Normal { low, high, is_squashed, .. } => {
                let k = low.len();
                for (what, row) in [("low", low), ("high", high)] {
                    let row: Vec<String> = row.iter().map(|x| number(*x)).collect();
                    let _ = writeln!(text, "    static const float {what}[{k}] = {{{}}};", row.join(", "));
                }
                let squashed =
                    "            a = 0.5f * low[k] + 0.5f * high[k] + (0.5f * high[k] - 0.5f * low[k]) * tanhf(a);\n";
                let _ = write!(
                    text,
                    "    for (int k = 0; k < {k}; k++) {{\n        float a = outputs[k];\n{}        \
                     a = a < low[k] ? low[k] : a;\n        action[k] = a > high[k] ? high[k] : a;\n    }}\n",
                    if *is_squashed { &squashed[4..] } else { "" },
                );
            }
        }
    }
}

/// A number as C reads it.
fn number(x: f32) -> String {
    match x {
        f32::INFINITY => "INFINITY".into(),
        f32::NEG_INFINITY => "-INFINITY".into(),
        // The shortest that is read as the same number.
        x => format!("{x:?}f"),
    }
}

fn called(call: &Call, name: &str) -> String {
    let array = |(array, _): &(Array, usize)| match array {
        Array::Observation => "observation".into(),
        Array::Room(room) => format!("room_{room}"),
        Array::Memory(0) => "memory".into(),
        Array::Memory(place) => format!("memory + {place}"),
        Array::Outputs(0) => "outputs".into(),
        Array::Outputs(place) => format!("outputs + {place}"),
    };
    let tables = call.tables.iter().map(|table| format!("{name}_table_{table}"));
    let arrays = call.reads.iter().chain(&call.writes).map(array);
    let counts = call.counts.iter().map(ToString::to_string);
    let numbers = call.numbers.iter().map(|x| number(*x));
    let given: Vec<String> = tables.chain(arrays).chain(counts).chain(numbers).collect();
    format!("    {name}_{}({});\n", call.function, given.join(", "))
}
