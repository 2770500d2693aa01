//! What no policy of a row here has: networks and distributions of one's own.

use std::path::Path;
use std::process::Command;

use super::{Actor, check_name};
use crate::distributions::{Deviation, Head};
use crate::models::{Activation, Linear, Operation};
use crate::{Config, Trainer};

fn linear(inputs: usize, outputs: usize) -> Operation {
    let weight = (0..inputs * outputs).map(|i| 0.4 * (i as f32).cos()).collect();
    Operation::Linear(Linear { inputs, weight, bias: (0..outputs).map(|j| 0.1 * j as f32 - 0.1).collect() })
}

fn actor(operations: Vec<Operation>, inputs: usize, deviation: Deviation, log_std: Vec<f32>) -> Actor {
    let head = Head::Normal { low: vec![-1.0; 2], high: vec![1.0; 2], is_squashed: false, deviation };
    let actor = Actor {
        operations,
        head,
        log_std: Some(log_std),
        shape: vec![inputs],
        is_one_index: false,
        mask: 0,
        about: vec![("action", "two numbers".into())],
    };
    actor.check().expect("an actor that fits");
    actor
}

/// Compiles a program, if there is a compiler.
fn compiled(folder: &Path, source: &str) -> Option<Result<(), String>> {
    std::fs::write(folder.join("main.c"), source).expect("a file");
    let flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "main.c", "-o", "main", "-lm"];
    let output = Command::new("cc").args(flags).current_dir(folder).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(()) } else { Err(said) })
}

const OBSERVATION: [f32; 3] = [0.5, -1.5, 2.0];

/// Means and deviations as a program in C says them.
fn by_c(actor: &Actor) -> Option<Vec<f32>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("p.h"), actor.c("p").expect("a header")).expect("a file");
    let source = "#include <stdio.h>\n#include \"p.h\"\nint main(void) {\n    float x[] = {0.5f, -1.5f, 2.0f}, y[P_OUTPUTS];\n    \
                  p_outputs(x, y);\n    float action[P_ACTION];\n    p_act(x, action);\n    \
                  for (int i = 0; i < P_OUTPUTS; i++)\n        printf(\"%.9g \", (double)y[i]);\n    return 0;\n}\n";
    compiled(folder.path(), source)?.expect("a program");
    let output = Command::new(folder.path().join("main")).output().expect("a program that runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    Some(printed.split_whitespace().map(|x| x.parse().expect("a number")).collect())
}

fn check(actor: &Actor, expected: &[f32]) {
    if let Some(found) = by_c(actor) {
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == expected.len() && apart < 1e-6, "{found:?} for {expected:?}");
    }
}

/// What a layer makes of numbers.
fn applied(operation: &Operation, x: &[f32]) -> Vec<f32> {
    let Operation::Linear(layer) = operation else { panic!("no layer") };
    let rows = layer.weight.chunks_exact(layer.inputs).zip(&layer.bias);
    rows.map(|(row, bias)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias).collect()
}

#[test]
fn logarithms_of_ones_own_are_shifted_too() {
    let layer = linear(3, 2);
    let mean = applied(&layer, &OBSERVATION);
    let actor = actor(vec![layer], 3, Deviation::Logarithm { shift: 0.5 }, vec![-1.0, 0.25]);
    let std = [(-0.5f32).exp(), 0.75f32.exp()];
    check(&actor, &[mean[0], mean[1], std[0], std[1]]);
    // A file has them as a table.
    let bytes = actor.onnx();
    let graph = onnx_rs::parse(&bytes).expect("a file").graph.expect("a graph");
    let table = graph.initializer.iter().find(|table| table.name().starts_with("std")).expect("deviations");
    assert_eq!(
        table.as_f32().expect("f32").iter().map(|x| (x * 1e5).round()).collect::<Vec<_>>(),
        std.map(|x| (x * 1e5).round())
    );
}

#[test]
fn features_stay_as_the_last_operation_found_them() {
    let layer = linear(3, 2);
    let features = applied(&layer, &OBSERVATION);
    let operations = vec![layer, Operation::Activation(Activation::Tanh)];
    let actor = actor(operations, 3, Deviation::Features { least: 1e-6 }, vec![0.0, -0.5, -1.0, 0.3]);
    let std = |j: usize| {
        let each = [[0.0f32, -1.0], [-0.5, 0.3]][j];
        let sum: f32 = features.iter().zip(each).map(|(x, l)| (x * l.exp()).powi(2)).sum();
        (sum + 1e-6).sqrt()
    };
    check(&actor, &[features[0].tanh(), features[1].tanh(), std(0), std(1)]);
}

#[test]
fn names_are_those_of_one_policy() {
    for good in ["policy", "p2", "pole_cart"] {
        assert!(check_name(good).is_ok(), "{good}");
    }
    for bad in ["", "2nd", "Pole", "POLE", "_pole", "größe", "my-policy", "a b", &"p".repeat(61)] {
        assert!(check_name(bad).is_err(), "{bad}");
    }
    let header = |shift: f32| {
        let deviation = Deviation::Logarithm { shift };
        actor(vec![linear(3, 2)], 3, deviation, vec![0.0; 2]).c("p").expect("a header")
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.h"), header(0.5)).expect("a file");
    std::fs::write(folder.path().join("b.h"), header(1.5)).expect("a file");
    let including = |files: &str| {
        format!("{files}int main(void) {{\n    float x[3] = {{0}}, y[2];\n    p_act(x, y);\n    return 0;\n}}\n")
    };
    let Some(twice) = compiled(folder.path(), &including("#include \"a.h\"\n#include \"a.h\"\n")) else { return };
    twice.expect("the same policy twice");
    // The second would not be there, silently.
    let both = compiled(folder.path(), &including("#include \"a.h\"\n#include \"b.h\"\n"));
    let said = both.expect("a compiler").expect_err("two policies of a name");
    assert!(said.contains("another policy is named p: give one of them another --name"), "{said}");
}

#[test]
fn programs_say_how_much_room_they_need() {
    let wide = vec![linear(3, 20_000), linear(20_000, 2)];
    let actor = actor(wide, 3, Deviation::Logarithm { shift: 0.0 }, vec![0.0; 2]);
    let (header, source) = (actor.c("p").expect("a header"), actor.rust());
    // Two layers, and outputs of 4 numbers in C.
    assert!(header.contains(" P_BYTES bytes, 80024, on the stack") && header.contains("#define P_BYTES 80024\n"));
    assert!(source.contains("/// Room to work in, 80008 bytes."), "{}", &source[..400]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("p.h"), header).expect("a file");
    let main = "#include \"p.h\"\nint main(void) {\n    float x[3] = {0}, y[2];\n    p_act(x, y);\n    return 0;\n}\n";
    // With all of it in static storage no frame is large.
    let limited = format!("#pragma GCC diagnostic error \"-Wframe-larger-than=1000\"\n#define P_STATIC\n{main}");
    let Some(done) = compiled(folder.path(), &limited) else { return };
    done.expect("a program");
    // Sizes that a target of 16 bits has not.
    let small = format!("#include <stdint.h>\n#undef SIZE_MAX\n#define SIZE_MAX 65535u\n{main}");
    let said = compiled(folder.path(), &small).expect("a compiler").expect_err("too large");
    assert!(said.contains("this policy has an array of 60000 numbers, more than this target has room for"), "{said}");
}

/// What says otherwise than it does is refused, be it of choices or of numbers.
#[test]
fn an_actor_that_is_not_its_policy_s_is_refused() {
    for (env, said) in [("CartPole-v1", "the policy chooses"), ("Pendulum-v1", "the policy's action[0] is")] {
        let config = Config { env: env.into(), hidden: vec![8], ..Config::for_algo("ppo").expect("an algorithm") };
        let policy = Trainer::new(&config).expect("a trainer").into_policy().expect("a policy");
        let spec = policy.make_env().expect("an environment").spec().clone();
        let mut actor = Actor::of(&policy).expect("an actor");
        actor.try_out(&policy, &spec.observation).expect("the policy's");
        let Some(Operation::Linear(last)) = actor.operations.last_mut() else { panic!("no layer") };
        last.weight.iter_mut().for_each(|w| *w = 0.5 - *w);
        last.bias[0] += 0.3;
        let refused = actor.try_out(&policy, &spec.observation).expect_err("another's").to_string();
        assert!(refused.contains(said) && refused.contains("`Model::actor`") && refused.len() < 600, "{refused}");
    }
}
