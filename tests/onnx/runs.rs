//! Exported files do what the policies do, run by tract.

use std::path::{Path, PathBuf};

#[path = "../export_cases/mod.rs"]
mod export_cases;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::DimLike;
use uphill::distributions::Head;
use uphill::export::Actor;

use export_cases::{Case, LANES, cases, of_a_nan, played, same};

/// Runs a file by tract, step after step with what is remembered, and with what is legal, `[LANES, A]`, where it asks for that: of each step
/// the outputs by name, of f32.
fn by_tract(
    case: &Case,
    bytes: &[u8],
    observations: &[Vec<f32>],
    mask: Option<&[bool]>,
) -> Vec<Vec<(String, Vec<f32>)>> {
    let name = &case.name;
    let model = tract_onnx::onnx().model_for_read(&mut &*bytes).expect(name);
    let inputs: Vec<String> = model.inputs.iter().map(|i| model.node(i.node).name.clone()).collect();
    let outputs: Vec<String> = model.outputs.iter().map(|o| model.node(o.node).name.clone()).collect();
    let model = model.into_optimized().expect(name).into_runnable().expect(name);
    let shape = |port: &str| {
        let i = inputs.iter().position(|name| name == port).expect(name);
        let fact = &model.model().input_fact(i).expect(name).shape;
        (1..fact.rank()).map(|axis| fact[axis].to_usize().expect("a number")).collect::<Vec<_>>()
    };
    let tensor = |port: &str, numbers: &[f32]| {
        let shape: Vec<usize> = [LANES].into_iter().chain(shape(port)).collect();
        Tensor::from_shape(&shape, numbers).expect(name)
    };
    let mut memory = vec![0.0; if inputs.iter().any(|i| i == "memory") { LANES * shape("memory")[0] } else { 0 }];
    let mut steps = Vec::new();
    for observation in observations {
        let given = inputs.iter().map(|port| match port.as_str() {
            "observation" => tensor(port, observation).into(),
            "memory" => tensor(port, &memory).into(),
            "mask" => {
                let mask = mask.expect("a mask");
                Tensor::from_shape(&[LANES, mask.len() / LANES], mask).expect(name).into()
            }
            other => panic!("{name}: input {other}"),
        });
        let given: TVec<TValue> = given.collect();
        let found = model.run(given).expect(name);
        let step: Vec<(String, Vec<f32>)> = outputs
            .iter()
            .zip(found)
            .map(|(port, value)| {
                let value = value.cast_to::<f32>().expect(name);
                (port.clone(), value.view().as_slice::<f32>().expect(name).to_vec())
            })
            .collect();
        if let Some((_, next)) = step.iter().find(|(port, _)| port == "next_memory") {
            memory.clone_from(next);
        }
        steps.push(step);
    }
    steps
}

/// Leaves a file and what it has to say where `scripts/check-onnx.py` looks for it.
fn leave(folder: &Path, number: usize, case: &Case, bytes: &[u8]) {
    let played = played(case, LANES);
    let finite =
        |numbers: &[f32]| numbers.iter().map(|x| if x.is_finite() { *x } else { f32::MIN }).collect::<Vec<_>>();
    let steps = played.steps.iter().map(|step| {
        let described = step.described.iter().map(|(name, numbers)| (name.to_string(), finite(numbers).into()));
        let mut outputs: serde_json::Map<_, _> = described.collect();
        outputs.insert("action".into(), step.action.clone().into());
        serde_json::json!({ "observation": step.observation, "outputs": outputs })
    });
    let of = serde_json::json!({
        "name": case.name,
        "lanes": LANES,
        "mask": played.mask,
        "steps": steps.collect::<Vec<_>>(),
    });
    std::fs::write(folder.join(format!("{number}.onnx")), bytes).expect("a file");
    std::fs::write(folder.join(format!("{number}.json")), of.to_string()).expect("a file");
}

#[test]
fn onnx_does_what_the_policy_does() {
    let left = std::env::var_os("UPHILL_EXPORTED").map(PathBuf::from);
    for (number, case) in cases().into_iter().enumerate() {
        let bytes = Actor::of(&case.policy).expect(&case.name).onnx();
        if let Some(folder) = &left {
            leave(folder, number, &case, &bytes);
        }
        let played = played(&case, LANES);
        let observations: Vec<Vec<f32>> = played.steps.iter().map(|step| step.observation.clone()).collect();
        let steps = by_tract(&case, &bytes, &observations, played.mask.as_deref());
        for (step, (expected, found)) in played.steps.iter().zip(&steps).enumerate() {
            let wanted = [("action", expected.action.clone())].into_iter().chain(expected.described.clone());
            for (port, expected) in wanted {
                let (_, found) = found.iter().find(|(name, _)| name == port).expect(port);
                same(&format!("{} step {step}: {port}", case.name), found, &expected);
            }
        }
    }
}

#[test]
fn the_only_legal_choice_is_made_whatever_overflows_in_a_file() {
    for case in cases().into_iter().filter(|case| case.masks) {
        let bytes = Actor::of(&case.policy).expect(&case.name).onnx();
        let Some(Head::Choices(among)) = case.network.1.distribution().head() else { panic!("{}", case.name) };
        // The last of each.
        let of_lane: Vec<bool> = among.iter().flat_map(|count| (1..=*count).map(move |i| i == *count)).collect();
        let (mask, wanted) = (of_lane.repeat(LANES), among.iter().map(|count| *count as f32 - 1.0).collect::<Vec<_>>());
        let width = case.spec.observation_len();
        for wrong in [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN] {
            // Alone it makes infinities, and beside others what is no number.
            for count in [1, width] {
                let observation: Vec<f32> =
                    (0..LANES * width).map(|i| if i % width < count { wrong } else { 0.0 }).collect();
                let found = by_tract(&case, &bytes, &[observation], Some(&mask)).swap_remove(0);
                let (_, action) = found.iter().find(|(name, _)| name == "action").expect("an action");
                assert_eq!(*action, wanted.repeat(LANES), "{} of {count} x {wrong}", case.name);
            }
        }
    }
}

#[test]
fn a_nan_in_one_lane_of_a_file_is_seen_and_stays_there() {
    for case in cases() {
        let bytes = Actor::of(&case.policy).expect(&case.name).onnx();
        let played = played(&case, LANES);
        let expected = &played.steps[0];
        let mut observation = expected.observation.clone();
        let width = observation.len() / played.lanes;
        observation[2 * width - 1] = f32::NAN;
        let found = by_tract(&case, &bytes, &[observation], played.mask.as_deref()).swap_remove(0);
        let wanted = [("action", expected.action.clone())].into_iter().chain(expected.described.clone());
        for (port, expected) in wanted {
            let (_, found) = found.iter().find(|(name, _)| name == port).expect(port);
            let width = found.len() / LANES;
            let broken = &found[width..2 * width];
            match port {
                "action" => of_a_nan(&case, broken),
                _ => assert!(broken.iter().all(|x| x.is_nan() || *x == f32::NEG_INFINITY), "{}: {broken:?}", case.name),
            }
            for lane in [0..width, 2 * width..3 * width] {
                same(&format!("{}: {port}", case.name), &found[lane.clone()], &expected[lane]);
            }
        }
        if let Some((_, memory)) = found.iter().find(|(name, _)| name == "next_memory") {
            let width = memory.len() / LANES;
            let is_broken = |lane: &[f32]| lane.iter().all(|x| x.is_nan());
            let lanes: Vec<bool> = memory.chunks_exact(width).map(is_broken).collect();
            assert_eq!(lanes, [false, true, false], "{}", case.name);
        }
    }
}
