//! The optimizers against PyTorch's, step by step, and what they do with bad gradients.

use candle_core::Device;
use serde::Deserialize;
use std::collections::HashMap;
use uphill::optim::{self, OPTIMIZERS, Optimizer, OptimizerConfig, Schedule, When};
use uphill::{Error, Layout, Params};

/// What `tests/reference/optimizers.py` recorded in float64.
#[derive(Deserialize)]
struct Reference {
    recorded: Vec<usize>,
    start: HashMap<String, Vec<f32>>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    optimizer: String,
    problem: String,
    lr: f64,
    anneal: bool,
    arguments: HashMap<String, f64>,
    max_grad_norm: Option<f64>,
    max_grad_value: Option<f64>,
    /// `[STEPS][P]` where the gradients are given; else they are computed at our own parameters, so that errors add up.
    gradients: Option<Vec<Vec<f32>>>,
    /// `[recorded][P]`.
    parameters: Vec<Vec<f64>>,
}

const STEPS: usize = 100;

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/optimizers.json")).expect("the stored numbers")
}

/// Two blocks of equal length, as the script has them.
fn params(start: &[f32]) -> Params {
    let mut layout = Layout::default();
    layout.push("first", &[start.len() / 2]);
    layout.push("second", &[start.len() - start.len() / 2]);
    Params::new(layout, start.to_vec(), &Device::Cpu).expect("as many values as places")
}

/// The quadratic's gradient at the present parameters, computed in f64 and rounded once.
fn quadratic(x: &[f32]) -> Vec<f32> {
    let slope = |(i, &x): (usize, &f32)| (10f64.powf(-3.0 + 4.0 * i as f64 / 15.0) * f64::from(x)) as f32;
    x.iter().enumerate().map(slope).collect()
}

fn step(optimizer: &mut Optimizer, params: &mut Params, gradient: &[f32], progress: f64) -> uphill::Result<()> {
    optimizer.step(params, gradient, When { progress, update: 1 }).map(|_| ())
}

#[test]
fn every_optimizer_follows_pytorch_for_100_steps() {
    let reference = reference();
    for row in &reference.rows {
        let argument = |name: &str, default: f64| row.arguments.get(name).copied().unwrap_or(default);
        let config = OptimizerConfig {
            lr: match row.anneal {
                true => Schedule::Linear { start: row.lr, end: 0.0 },
                false => Schedule::Constant(row.lr),
            },
            momentum: argument("momentum", 0.0),
            alpha: argument("alpha", 0.99),
            eps: argument("eps", 1e-8),
            weight_decay: argument("weight_decay", 0.0),
            max_grad_norm: row.max_grad_norm.unwrap_or(f64::INFINITY),
            max_grad_value: row.max_grad_value.unwrap_or(f64::INFINITY),
            ..OptimizerConfig::new(row.lr)
        };
        let mut optimizer = Optimizer::new((optim::recipe(&row.optimizer).expect("a name").build)(&config));
        let mut params = params(&reference.start[&row.problem]);
        for t in 0..STEPS {
            let x = params.snapshot().expect("values");
            let progress = t as f64 / STEPS as f64;
            let gradient = row.gradients.as_ref().map_or_else(|| quadratic(&x), |given| given[t].clone());
            step(&mut optimizer, &mut params, &gradient, progress).expect("a step");
            let Some(i) = reference.recorded.iter().position(|&at| at == t + 1) else { continue };
            // The distance of the two parameter vectors, relative to the length of PyTorch's.
            let pairs: Vec<(f64, f64)> = params
                .snapshot()
                .expect("values")
                .into_iter()
                .map(f64::from)
                .zip(row.parameters[i].iter().copied())
                .collect();
            let distance = pairs.iter().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            let relative = distance / pairs.iter().map(|(_, b)| b * b).sum::<f64>().sqrt();
            assert!(
                relative <= 1e-6,
                "{} on {} {:?}, step {}: {relative:e}",
                row.optimizer,
                row.problem,
                row.arguments,
                t + 1
            );
        }
    }
}

#[test]
fn every_recipe_has_a_reference() {
    let rows = reference().rows;
    for recipe in OPTIMIZERS {
        assert!(rows.iter().any(|row| row.optimizer == recipe.name), "{} was never held against PyTorch", recipe.name);
    }
}

#[test]
fn a_bad_gradient_is_named_and_changes_nothing() {
    for recipe in OPTIMIZERS {
        let run = |bad: Option<f32>| {
            let mut optimizer = Optimizer::new((recipe.build)(&OptimizerConfig::new(0.1)));
            let mut params = params(&[1.0, 2.0, 3.0, 4.0]);
            step(&mut optimizer, &mut params, &[1.0, -1.0, 0.5, 2.0], 0.0).expect("a step");
            if let Some(bad) = bad {
                let error = step(&mut optimizer, &mut params, &[1.0, 1.0, 1.0, bad], 0.0).expect_err("not finite");
                assert!(matches!(&error, Error::NotFinite { what } if what.contains("second")), "{error}");
            }
            step(&mut optimizer, &mut params, &[1.0, -2.0, 0.5, 2.0], 0.0).expect("a step");
            params.snapshot().expect("values")
        };
        let expected = run(None);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(run(Some(bad)), expected, "{} after {bad}", recipe.name);
        }
    }
}

#[test]
fn an_update_that_overflows_is_named_and_never_reaches_the_parameters() {
    let mut optimizer = Optimizer::new(optim::sgd(&OptimizerConfig::new(1e30)));
    let mut params = params(&[1.0, 2.0, 3.0, 4.0]);
    let error = step(&mut optimizer, &mut params, &[0.0, 0.0, 0.0, 1e30], 0.0).expect_err("too far");
    assert!(matches!(&error, Error::NotFinite { what } if what == "the update of second"), "{error}");
    assert_eq!(params.snapshot().expect("values"), [1.0, 2.0, 3.0, 4.0]);
    let error = step(&mut optimizer, &mut params, &[0.0; 3], 0.0).expect_err("too short");
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}

#[test]
fn clipping_goes_over_all_blocks_and_leaves_small_gradients_alone() {
    let moved = |gradient: &[f32], config: &OptimizerConfig| {
        let mut optimizer = Optimizer::new(optim::sgd(config));
        let mut params = params(&[0.0; 4]);
        step(&mut optimizer, &mut params, gradient, 0.0).expect("a step");
        params.snapshot().expect("values")
    };
    let by_norm = OptimizerConfig { max_grad_norm: 1.0, ..OptimizerConfig::new(1.0) };
    // Norm 10 over both blocks; 6 and 8 in each.
    let clipped = moved(&[6.0, 0.0, 0.0, 8.0], &by_norm);
    for (got, expected) in clipped.iter().zip([-0.6, 0.0, 0.0, -0.8]) {
        assert!((got - expected).abs() < 1e-6, "{clipped:?}");
    }
    assert_eq!(moved(&[0.3, 0.0, 0.0, 0.4], &by_norm), [-0.3, 0.0, 0.0, -0.4]);
    let by_value = OptimizerConfig { max_grad_value: 0.5, ..OptimizerConfig::new(1.0) };
    assert_eq!(moved(&[6.0, -0.25, 0.0, -8.0], &by_value), [-0.5, 0.25, 0.0, 0.5]);
}

#[test]
fn a_zero_gradient_moves_nothing_without_decay() {
    for recipe in OPTIMIZERS {
        let mut optimizer = Optimizer::new((recipe.build)(&OptimizerConfig::new(0.1)));
        let mut params = params(&[1.0, 2.0, 3.0, 4.0]);
        step(&mut optimizer, &mut params, &[0.0; 4], 0.0).expect("a step");
        assert_eq!(params.snapshot().expect("values"), [1.0, 2.0, 3.0, 4.0], "{}", recipe.name);
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = optim::recipe("adamm").expect_err("no such optimizer").to_string();
    assert!(error.contains("did you mean `adam`"), "{error}");
}
