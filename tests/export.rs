//! Exported programs do what the policies do, and files say what they are. What runs files has a crate of its own, tests/onnx: who only
//! builds an example need not build it.

use std::process::Command;

mod export_cases;

use uphill::export::{Actor, OPSET};

use export_cases::{Case, LANES, cases, of_a_nan, played, same};

#[test]
fn files_say_what_they_are() {
    let case = cases().swap_remove(0);
    let bytes = Actor::of(&case.policy).expect("an actor").onnx();
    let model = onnx_rs::parse(&bytes).expect("a file");
    let opsets: Vec<(&str, i64)> = model.opset_import.iter().map(|set| (set.domain, set.version)).collect();
    assert_eq!(opsets, [("", OPSET)]);
    let about = |key: &str| model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value);
    assert_eq!(about("uphill"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(about("environment"), Some("Choice-v0"));
    assert_eq!(about("action"), Some("the likeliest of 4 actions, its index from 0"));
    // Where none was chosen, the one that was taken.
    assert_eq!(about("distribution"), Some("categorical"));
}

/// What a program prints of two steps in three lanes: of each the outputs, and then the action, one number after the other; and at last the
/// action in the last observation with a NaN.
fn check_printed(case: &Case, printed: &str) {
    let numbers: Vec<f32> = printed.split_whitespace().map(|x| x.parse().expect("a number")).collect();
    let played = played(case, LANES);
    let mut numbers = &numbers[..];
    for (step, expected) in played.steps.iter().enumerate() {
        for lane in 0..played.lanes {
            let of_lane = |all: &[f32]| all[lane * all.len() / LANES..(lane + 1) * all.len() / LANES].to_vec();
            let mut wanted: Vec<f32> = expected.described.iter().flat_map(|(_, all)| of_lane(all)).collect();
            wanted.extend(of_lane(&expected.action));
            // Programs leave the logits of what is forbidden as they are.
            let (found, rest) = numbers.split_at(wanted.len());
            let found: Vec<f32> =
                found.iter().zip(&wanted).map(|(f, w)| if *w == f32::NEG_INFINITY { *w } else { *f }).collect();
            same(&format!("{} step {step} lane {lane}", case.name), &found, &wanted);
            numbers = rest;
        }
    }
    assert_eq!(numbers.len(), played.steps[0].action.len() / LANES, "{}", case.name);
    of_a_nan(case, numbers);
}

/// Names of a case's arrays, with those that it has no use for left out.
struct Parts {
    /// Observations of all steps and lanes, and one lane's mask, as lists of numbers.
    observations: Vec<String>,
    mask: Option<String>,
    has_memory: bool,
    is_real: bool,
}

fn parts(case: &Case) -> Parts {
    let played = played(case, LANES);
    let list = |numbers: &[f32]| numbers.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ");
    let lanes = |all: &Vec<f32>| all.chunks_exact(all.len() / LANES).map(list).collect::<Vec<_>>();
    Parts {
        observations: played.steps.iter().flat_map(|step| lanes(&step.observation)).collect(),
        mask: played.mask.map(|mask| {
            let lane = &mask[..mask.len() / LANES];
            lane.iter().map(|legal| u8::from(*legal).to_string()).collect::<Vec<_>>().join(", ")
        }),
        has_memory: case.network.1.memory() > 0,
        is_real: case.policy.distribution().means() > 0,
    }
}

/// Runs a program and gives back what it prints.
fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("a program that starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn c_does_what_the_policy_does() {
    if Command::new("cc").arg("--version").output().is_err() {
        eprintln!("skipped: there is no C compiler");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // One program of all policies, so that one run of the compiler does: their names differ.
    let (mut main, mut calls) = (String::from("#include <stdio.h>\n"), String::new());
    let cases = cases();
    for (i, case) in cases.iter().enumerate() {
        let header = Actor::of(&case.policy).expect(&case.name).c(&format!("p{i}")).expect(&case.name);
        std::fs::write(folder.path().join(format!("p{i}.h")), header).expect("a file");
        let Parts { observations, mask, has_memory, is_real } = parts(case);
        let kind = if is_real { "float" } else { "int" };
        // Every other works in static storage.
        let room = if i % 2 == 1 { format!("#define P{i}_STATIC\n") } else { String::new() };
        main += &format!("{room}#include \"p{i}.h\"\nstatic void run_{i}(void) {{\n    {kind} action[P{i}_ACTION];\n");
        main += &format!("    float outputs[P{i}_OUTPUTS];\n");
        let rows: Vec<String> = observations.iter().map(|row| format!("{{{row}}}")).collect();
        let count = rows.len();
        main += &format!("    static const float x[{count}][P{i}_OBSERVATION] = {{{}}};\n", rows.join(",\n"));
        let (mut memory, mut copy, mut given) = ("", String::new(), String::new());
        if has_memory {
            main += &format!("    float memory[{LANES}][P{i}_MEMORY] = {{{{0}}}}, before[P{i}_MEMORY];\n");
            copy = format!("        for (int k = 0; k < P{i}_MEMORY; k++) before[k] = memory[i % {LANES}][k];\n");
            (memory, given) = ("before, ", format!("memory[i % {LANES}], "));
        }
        if let Some(mask) = mask {
            main += &format!("    static const unsigned char mask[P{i}_MASK] = {{{mask}}};\n");
            given += "mask, ";
        }
        main +=
            &format!("    for (int i = 0; i < {count}; i++) {{\n{copy}        p{i}_outputs(x[i], {memory}outputs);\n");
        main += &format!("        p{i}_act(x[i], {given}action);\n");
        main += &format!("        for (int k = 0; k < P{i}_OUTPUTS; k++) printf(\"%.9g \", (double)outputs[k]);\n");
        let print = format!("for (int k = 0; k < P{i}_ACTION; k++) printf(\"%.9g \", (double)action[k]);\n");
        main += &format!("        {print}    }}\n    float broken[P{i}_OBSERVATION];\n");
        main += &format!("    for (int k = 0; k < P{i}_OBSERVATION; k++) broken[k] = x[{count} - 1][k];\n");
        let given = given.replace("[i % 3]", "[0]");
        main += &format!("    broken[P{i}_OBSERVATION - 1] = NAN;\n    p{i}_act(broken, {given}action);\n    {print}");
        main += "    printf(\"\\n\");\n}\n";
        calls += &format!("    run_{i}();\n");
    }
    main += &format!("int main(void) {{\n{calls}    return 0;\n}}\n");
    let [source, program] = ["main.c", "main"].map(|name| folder.path().join(name));
    std::fs::write(&source, main).expect("a file");
    let flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    output_of(Command::new("cc").args(flags).arg(&source).arg("-o").arg(&program).arg("-lm"));
    let printed = output_of(&mut Command::new(program));
    assert_eq!(printed.lines().count(), cases.len());
    cases.iter().zip(printed.lines()).for_each(|(case, line)| check_printed(case, line));
}

#[test]
fn rust_without_a_standard_library_does_what_the_policy_does() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if Command::new(&rustc).arg("--version").output().is_err() {
        eprintln!("skipped: there is no Rust compiler");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (mut library, mut main) = (String::from("#![no_std]\n#![deny(warnings)]\n"), String::new());
    let (mut calls, cases) = (String::new(), cases());
    for (i, case) in cases.iter().enumerate() {
        let source = Actor::of(&case.policy).expect(&case.name).rust();
        std::fs::write(folder.path().join(format!("p{i}.rs")), source).expect("a file");
        library += &format!("pub mod p{i};\n");
        let Parts { observations, mask, has_memory, .. } = parts(case);
        let rows: Vec<String> = observations.iter().map(|row| format!("[{row}]")).collect();
        main += &format!("fn run_{i}() {{\n    static X: [[f32; policies::p{i}::OBSERVATION]; {}] = [", rows.len());
        main += &format!("{}];\n", rows.join(",\n"));
        let (mut memory, mut given) = ("", String::new());
        if has_memory {
            main += &format!("    let mut memory = [[0.0; policies::p{i}::MEMORY]; {LANES}];\n");
            (memory, given) = (", &mut memory[i % 3].clone()", ", &mut memory[i % 3]".into());
        }
        if let Some(mask) = mask {
            let mask = mask.replace('0', "false").replace('1', "true");
            given += &format!(", &[{mask}]");
        }
        main += "    for (i, x) in X.iter().enumerate() {\n        let _ = i;\n";
        // Every other works in room of the program's.
        let (how, room) = if i % 2 == 1 { ("_in", ", &mut scratch") } else { ("", "") };
        if i % 2 == 1 {
            main += &format!("        let mut scratch = policies::p{i}::Scratch::new();\n");
        }
        main += &format!("        for y in policies::p{i}::outputs{how}(x{memory}{room}) {{ print!(\"{{y}} \"); }}\n");
        main +=
            &format!("        for y in policies::p{i}::act{how}(x{given}{room}) {{ print!(\"{{y}} \"); }}\n    }}\n");
        let given = given.replace("[i % 3]", "[0]");
        main += "    let mut broken = X[X.len() - 1];\n    broken[broken.len() - 1] = f32::NAN;\n";
        main += &format!("    for y in policies::p{i}::act(&broken{given}) {{ print!(\"{{y}} \"); }}\n");
        main += "    println!();\n}\n";
        calls += &format!("    run_{i}();\n");
    }
    main += &format!("fn main() {{\n{calls}}}\n");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("policies.rs"), library).expect("a file");
    std::fs::write(path("main.rs"), main).expect("a file");
    let compile =
        |args: &[&str]| output_of(Command::new(&rustc).args(["--edition=2024"]).args(args).current_dir(&folder));
    compile(&["--crate-type=lib", "policies.rs"]);
    compile(&["main.rs", "--extern", "policies=libpolicies.rlib"]);
    let printed = output_of(&mut Command::new(path("main")));
    assert_eq!(printed.lines().count(), cases.len());
    cases.iter().zip(printed.lines()).for_each(|(case, line)| check_printed(case, line));
}
