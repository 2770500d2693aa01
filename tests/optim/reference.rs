//! Every optimizer against its reference implementation: 200 steps on three problems.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use uphill::optim::{Make, Registry, When};
use uphill::words::{Spec, Value, Word};

use crate::{optimizer, params, values};

/// How far our parameters may be from the reference's, relative to their length.
const TOLERANCE: f64 = 1e-5;

/// What `tests/reference/optimizers.py` recorded in float64.
#[derive(Deserialize)]
struct Reference {
    steps: usize,
    recorded: Vec<usize>,
    recorded_ppo: Vec<usize>,
    problems: HashMap<String, Problem>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Problem {
    blocks: Vec<(String, Vec<usize>)>,
    curvature: Option<Vec<f64>>,
    start: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Row {
    spec: String,
    problem: String,
    source: String,
    steps_per_update: Option<u64>,
    /// Steps after which parameters were recorded, where they are others than for most rows.
    recorded: Option<Vec<usize>>,
    /// `[STEPS][P]` where the gradients are given; else they are computed at our own parameters, so that errors add up.
    gradients: Option<Vec<Vec<Number>>>,
    /// `[recorded][P]`.
    parameters: Option<Vec<Vec<f64>>>,
    evaluation: Option<Vec<Vec<f64>>>,
}

/// A number, or as text one that JSON has not: `nan`, `inf`, `-inf`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f32),
    Other(String),
}

impl Number {
    fn value(&self) -> f32 {
        match self {
            Number::Finite(x) => *x,
            Number::Other(text) => text.parse().expect("nan or an infinity"),
        }
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../reference/optimizers.json")).expect("the stored numbers")
}

/// Numbers of a safetensors file, f32 or bf16.
fn tensor(file: &SafeTensors<'_>, name: &str) -> Option<Vec<f32>> {
    let view = file.tensor(name).ok()?;
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::BF16 => {
            bytes.as_chunks().0.iter().map(|&b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)).collect()
        }
        _ => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
    })
}

/// The recorded gradients of a PPO run and where it started.
struct Ppo<'a> {
    start: Vec<f32>,
    gradients: Vec<f32>,
    recorded: SafeTensors<'a>,
}

impl Ppo<'_> {
    fn rows(&self, name: &str, len: usize) -> Option<Vec<Vec<f64>>> {
        let numbers = tensor(&self.recorded, name)?;
        Some(numbers.chunks(len).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect())
    }
}

fn distance(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let square: f64 = ours.iter().zip(theirs).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
    (square / theirs.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

/// The largest distance of a row over all recorded steps, or why it could not be run.
fn follow(row: &Row, reference: &Reference, ppo: &Ppo<'_>) -> Result<f64, String> {
    let problem = &reference.problems[&row.problem];
    let blocks: Vec<(&str, &[usize])> = problem.blocks.iter().map(|(name, shape)| (&**name, &**shape)).collect();
    let start = problem.start.as_ref().unwrap_or(&ppo.start);
    let p = start.len();
    let of_ppo = row.problem == "ppo";
    let default = if of_ppo { &reference.recorded_ppo } else { &reference.recorded };
    let recorded = row.recorded.as_ref().unwrap_or(default);
    let theirs = row.parameters.clone().or_else(|| ppo.rows(&row.spec, p)).ok_or("no numbers are stored")?;
    let evaluation =
        row.evaluation.clone().or_else(|| of_ppo.then(|| ppo.rows(&format!("{} evaluation", row.spec), p))?);
    let chain = row.spec.parse::<uphill::optim::Chain>().map_err(|e| e.to_string())?;
    let (mut optimizer, mut params) = (uphill::optim::Optimizer::new(chain), params(&blocks, start));
    let (mut worst, mut gradient) = (0.0f64, Vec::new());
    for t in 0..reference.steps {
        gradient.clear();
        match (&row.gradients, &problem.curvature) {
            (Some(given), _) => gradient.extend(given[t].iter().map(Number::value)),
            (None, Some(curvature)) => {
                let x = values(&params);
                gradient.extend(curvature.iter().zip(&x).map(|(c, &x)| (c * f64::from(x)) as f32));
            }
            (None, None) => gradient.extend_from_slice(&ppo.gradients[t * p..(t + 1) * p]),
        }
        let update = row.steps_per_update.map_or(1, |steps| 1 + t as u64 / steps);
        let when = When { progress: t as f64 / reference.steps as f64, update };
        optimizer.step(&mut params, &gradient, when).map_err(|e| format!("step {}: {e}", t + 1))?;
        let Some(i) = recorded.iter().position(|&at| at == t + 1) else { continue };
        worst = worst.max(distance(&values(&params), &theirs[i]));
        if let Some(evaluation) = &evaluation {
            let ours = optimizer.evaluation(&params).map_err(|e| e.to_string())?;
            worst = worst.max(distance(&ours.ok_or("no evaluation parameters")?, &evaluation[i]));
        }
    }
    Ok(worst)
}

#[test]
fn every_optimizer_follows_its_reference_for_200_steps() {
    let reference = reference();
    let bytes = std::fs::read("tests/reference/ppo_gradients.safetensors").expect("recorded gradients");
    let run = SafeTensors::deserialize(&bytes).expect("tensors");
    let recorded = std::fs::read("tests/reference/optimizers_ppo.safetensors").expect("recorded parameters");
    let ppo = Ppo {
        start: tensor(&run, "start").expect("a start"),
        gradients: tensor(&run, "gradients").expect("gradients"),
        recorded: SafeTensors::deserialize(&recorded).expect("tensors"),
    };
    let mut far = Vec::new();
    for row in &reference.rows {
        let name = format!("{} on {} ({})", row.spec, row.problem, row.source);
        match follow(row, &reference, &ppo) {
            Ok(distance) if distance <= TOLERANCE => {}
            Ok(distance) => far.push(format!("{distance:.1e}  {name}")),
            Err(problem) => far.push(format!("{problem}  {name}")),
        }
    }
    assert!(far.is_empty(), "{} of {} rows:\n{}", far.len(), reference.rows.len(), far.join("\n"));
}

#[test]
fn every_recipe_has_a_reference_on_each_problem() {
    let rows = reference().rows;
    let specs: Vec<(Spec, &str)> =
        rows.iter().map(|row| (row.spec.parse().expect("a spec"), row.problem.as_str())).collect();
    for recipe in Registry::default().recipes() {
        for problem in ["quadratic", "rosenbrock", "ppo"] {
            let found =
                specs.iter().any(|(Spec(links), on)| *on == problem && links.iter().any(|l| l.name == recipe.name));
            assert!(found, "{} was never held against a reference on {problem}", recipe.name);
        }
    }
}

/// Whether a word stands somewhere in a spec.
fn says(Spec(links): &Spec, word: &str) -> bool {
    let within =
        |link: &Word| link.args.iter().any(|(_, value)| matches!(value, Value::Spec(spec) if says(spec, word)));
    links.iter().any(|link| link.name == word || within(link))
}

#[test]
fn every_link_has_a_reference_or_is_part_of_a_recipe_that_has() {
    let specs: Vec<Spec> = reference().rows.iter().map(|row| row.spec.parse().expect("a spec")).collect();
    // What is random has no numbers to be held against; its distribution is tested.
    let random = ["add_noise", "shrink_and_perturb"];
    // And this is clip_by_global_norm on each part, which tests/optim/properties.rs shows.
    let by_part = ["clip_by_part_norm"];
    let registry = Registry::default();
    for row in registry.rows().iter().filter(|row| !matches!(row.make, Make::Schedule(_))) {
        if random.contains(&row.name) || by_part.contains(&row.name) || specs.iter().any(|spec| says(spec, row.name)) {
            continue;
        }
        // Else it is the direction of a recipe, as its summary says, and takes the very same steps.
        let recipe = row.summary.split_once("'s direction").map(|(recipe, _)| recipe);
        let recipe = registry.recipes().find(|other| recipe == Some(other.name));
        let recipe = recipe.unwrap_or_else(|| panic!("{} was never held against a reference", row.name));
        let decay = if recipe.param("weight_decay").is_some() { ", weight_decay=0" } else { "" };
        let own_rate = row.param("lr").is_some();
        let link = if own_rate {
            format!("{}(lr=0.01)", row.name)
        } else {
            format!("{} | scale_by_learning_rate(0.01)", row.name)
        };
        let moved = |spec: &str| {
            // A matrix, because what Muon does with the rest is not its link's.
            let (mut optimizer, mut params) = (optimizer(spec), params(&[("w", &[3, 4])], &crate::numbers(12, 30)));
            for step in 0..7 {
                optimizer.step(&mut params, &crate::numbers(12, 31 + step), crate::at(step)).expect("a step");
            }
            values(&params)
        };
        assert_eq!(moved(&link), moved(&format!("{}(lr=0.01{decay})", recipe.name)), "{}", row.name);
    }
}

#[test]
fn the_two_adafactors_differ_on_a_64_unit_network() {
    let blocks: &[(&str, &[usize])] = &[("hidden.weight", &[64, 64])];
    let moved = |spec: &str| {
        let (mut optimizer, mut params) = (optimizer(spec), params(blocks, &[0.5; 64 * 64]));
        for step in 0..3 {
            optimizer.step(&mut params, &crate::numbers(64 * 64, step), crate::at(step)).expect("a step");
        }
        values(&params)
    };
    let (torch, optax) = (moved("adafactor(form=torch, lr=0.01)"), moved("adafactor(form=optax, lr=0.01)"));
    let optax: Vec<f64> = optax.into_iter().map(f64::from).collect();
    assert!(distance(&torch, &optax) > 1e-4, "they should not agree: torch factors every matrix, optax none below 128");
}
