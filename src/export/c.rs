//! A policy as a C header.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::program::{Array, Call, Program, functions};
use super::{Actor, check_name};
use crate::Result;
use crate::distributions::Head;

/// The functions that calls are of; `@` stands for what names begin with.
const FUNCTIONS: &str = include_str!("functions.h");

impl Actor {
    /// As a header of C99 that needs nothing but `math.h`, `stddef.h` and `stdint.h`: weights are arrays, and all names begin with `name`. It has
    ///
    /// ```c
    /// void policy_outputs(const float *observation, float *memory, float *outputs);
    /// void policy_act(const float *observation, float *memory, const unsigned char *mask, float *action);
    /// ```
    ///
    /// the lengths of whose arrays are `POLICY_OBSERVATION`, `POLICY_MEMORY`, `POLICY_OUTPUTS`, `POLICY_MASK` and `POLICY_ACTION`. Without
    /// a memory, or a mask, there is no such argument; actions are `int` where they are indices or switches. Outputs are logits, or
    /// the means and then the deviations of the normal distributions. A memory is zeros where an episode begins. What it computes in takes
    /// `POLICY_BYTES` of the stack, or of static storage where `POLICY_STATIC` is defined before it is included.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a name that is none of C's.
    pub fn c(&self, name: &str) -> Result<String> {
        check_name(name)?;
        let program = self.program();
        let upper = name.to_ascii_uppercase();
        let mut text = String::new();
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
        let asked: Vec<&str> = program.calls.iter().map(|call| call.function).chain(["broken", "unknown"]).collect();
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
            let _ = writeln!(text, "    {upper}_BUFFER float room_{room}[{len}];");
        }
        let (also, unknown) = match has_memory {
            true => (
                format!(" || {name}_broken(memory, {upper}_MEMORY)"),
                format!("        {name}_unknown(memory, {upper}_MEMORY);\n"),
            ),
            false => Default::default(),
        };
        let _ = write!(
            text,
            "    if ({name}_broken(observation, {upper}_OBSERVATION){also}) {{\n        \
             {name}_unknown(outputs, {upper}_OUTPUTS);\n{unknown}        return;\n    }}\n"
        );
        program.calls.iter().for_each(|call| text.push_str(&called(call, name)));
        let kind = if matches!(self.head, Head::Normal { .. }) { "float" } else { "int" };
        let mask = if self.mask > 0 { "const unsigned char *mask, " } else { "" };
        let given = if has_memory { "memory, " } else { "" };
        let _ = write!(
            text,
            "}}\n\n/* {}. */\nstatic inline void {name}_act(const float *observation, {memory}{mask}{kind} *action)\n{{\n    \
             {upper}_BUFFER float outputs[{upper}_OUTPUTS];\n    {name}_outputs(observation, {given}outputs);\n",
            self.said_of_action(),
        );
        self.choose(&mut text);
        text.push_str("}\n");
        Ok(self.guarded(name, &program, &text))
    }

    /// A header of this text, with what it needs and says of itself.
    fn guarded(&self, name: &str, program: &Program, text: &str) -> String {
        let upper = name.to_ascii_uppercase();
        let mut head = String::from("/* A policy of reinforcement learning.\n");
        for (key, value) in &self.about {
            let _ = writeln!(head, " * {key}: {}", value.replace("*/", "* /"));
        }
        let outputs = self.lengths().iter().find(|(what, _)| *what == "outputs").map_or(0, |(_, len)| *len);
        let bytes = program.bytes() + outputs * size_of::<f32>();
        // Which policy it is: of another of this name, including it would do nothing.
        let digest: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02X}")).collect();
        let _ = write!(
            head,
            " * buffers: {upper}_BYTES bytes, {bytes}, on the stack; or, where {upper}_STATIC is defined before this is included, in\n \
             * static storage: then one call at a time runs.\n */\n\
             #ifndef {upper}_H\n#define {upper}_H\n#define {upper}_IS_{digest}\n\n\
             #include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
        );
        let largest = program.largest().max(self.observation_len());
        if largest > usize::from(u16::MAX) / size_of::<f32>() {
            let _ = write!(
                head,
                "#if SIZE_MAX / 4 < {largest}\n#error \"this policy has an array of {largest} numbers, more than this target has room for\"\n\
                 #endif\n\n"
            );
        }
        let _ = write!(
            head,
            "#ifdef {upper}_STATIC\n#define {upper}_BUFFER static\n#else\n#define {upper}_BUFFER\n#endif\n\n\
             #define {upper}_BYTES {bytes}\n{text}\n#elif !defined {upper}_IS_{digest}\n\
             #error \"another policy is named {name}: give one of them another --name\"\n#endif\n"
        );
        head
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
                    "    static const size_t among[{k}] = {{{sides}}};\n    for (size_t k = 0, first = 0; k < {k}; first += among[k++]) {{\n        \
                     size_t best = 0;\n        for (size_t i = 1; i < among[k]; i++)\n            \
                     if ({better})\n                best = i;\n        \
                     action[k] = (int)best;\n    }}\n",
                    k = among.len(),
                    sides = sides.join(", "),
                );
            }
            Head::Switches(count) => {
                let _ =
                    write!(text, "    for (size_t k = 0; k < {count}; k++)\n        action[k] = outputs[k] > 0.0f;\n");
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
                    "    for (size_t k = 0; k < {k}; k++) {{\n        float a = outputs[k];\n{}        \
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
    let counts = call.windows.iter().flatten().chain(&call.counts).map(ToString::to_string);
    let numbers = call.numbers.iter().map(|x| number(*x));
    let given: Vec<String> = tables.chain(arrays).chain(counts).chain(numbers).collect();
    format!("    {name}_{}({});\n", call.function, given.join(", "))
}
