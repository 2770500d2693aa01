//! What is computed on the host or in one fused operation against its twin in plain candle operations: losses and their
//! gradients, elementary functions, and products with the Fisher information.

use candle_core::{Device, Tensor, Var};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use rand::RngExt;
use uphill::algo::OnPolicy;
use uphill::envs::{Space, Spec};
use uphill::models::{Activation, ops};
use uphill::objective::{Objective, Report, RowSums, TensorBatch};
use uphill::rollout::{Estimate, Minibatch};
use uphill::{Config, Error, MlpConfig, MlpModel, Model, Params, Result, Rollout, Scratch, Seed, Stop, Threads};

const CPU: Device = Device::Cpu;

/// A network with weights away from their starts, twice: fused and plain.
fn twins(width: usize, actions: usize, config: &MlpConfig, seed: Seed) -> (Params, MlpModel, MlpModel) {
    let spec = Spec {
        id: "Test-v0".into(),
        observation: Space::uniform_box(width, -1.0, 1.0),
        action: Space::Discrete { n: actions },
        max_episode_steps: None,
        reward_threshold: None,
    };
    let make = || MlpModel::new(&spec, config, seed, &CPU).expect("a network");
    let ((mut params, fused), (_, plain)) = (make(), make());
    let mut rng = seed.stream("test", 0);
    let moved = params.snapshot().expect("values").into_iter().map(|v| v + 0.4 * rng.random::<f32>() - 0.2);
    params.set(&moved.collect::<Vec<_>>()).expect("the same length");
    (params, fused, plain.plain())
}

/// The largest distance, relative to the largest expected number or to `floor`.
fn distance(got: &[f32], expected: &[f32], floor: f32) -> f32 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(floor, |m, e| m.max(e.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale).fold(0.0, f32::max)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

/// A rollout of one lane with anything in it, ratios on both sides of the clip and some far from 1 among it.
fn anything(rows: usize, width: usize, actions: usize, seed: Seed) -> (Rollout, Estimate) {
    let mut rng = seed.stream("rollout", 0);
    let mut numbers = |n: usize| (0..n).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect::<Vec<f32>>();
    let rollout = Rollout {
        observation: numbers(width * rows).into(),
        action: (0..rows).map(|i| (i % actions) as u32).collect::<Vec<_>>().into(),
        log_prob: numbers(rows).iter().map(|x| -1.4 + 0.5 * x).collect(),
        value: numbers(rows),
        ..Rollout::new(1, width)
    };
    (rollout, Estimate { advantage: numbers(rows), target: numbers(rows), ..Estimate::default() })
}

/// Loss, gradient and reports through plain candle operations and nothing else.
fn through_graph(
    algo: &OnPolicy,
    plain: &MlpModel,
    params: &Params,
    b: Minibatch<'_>,
) -> (f32, Vec<f32>, Vec<(&'static str, f64)>) {
    let tensors = TensorBatch::new(b.rollout, b.estimate, b.places, b.advantage, &CPU).expect("tensors");
    let output = plain.answer(params, &tensors.observation).expect("outputs");
    let mut report = Report::default();
    let loss = algo.objective.loss(&tensors, &output, &mut report).expect("a loss");
    let gradient = numbers(&params.gradient(&loss).expect("a gradient"));
    (loss.to_scalar().expect("a number"), gradient, report.read().expect("numbers"))
}

fn losses() -> impl Strategy<Value = (usize, usize, usize, &'static str, bool, Activation, Vec<usize>, u64)> {
    let rows = prop::sample::select(vec![1usize, 3, 64, 129, 257, 700]);
    let algo = prop::sample::select(vec!["ppo", "a2c", "reinforce"]);
    let activation = prop::sample::select(vec![
        Activation::Tanh,
        Activation::Relu,
        Activation::Silu,
        Activation::Gelu,
        Activation::LeakyRelu,
    ]);
    let hidden = prop::collection::vec(prop::sample::select(vec![1usize, 5, 16, 33]), 0..=3);
    (rows, 1usize..20, 2usize..7, algo, any::<bool>(), activation, hidden, any::<u64>())
}

proptest! {
    #![proptest_config(Runner { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Runner::default() })]

    /// Training takes the gradient on the host where the network has one, and the fused loss where it has none. Both are
    /// the gradient through plain operations, with the same reports.
    #[test]
    fn gradients_on_the_host_and_of_the_fused_loss_are_those_through_the_graph(
        (rows, width, actions, algo, shared_trunk, activation, hidden, seed) in losses()
    ) {
        let config = MlpConfig { hidden, activation, shared_trunk, layer_norm: seed % 2 == 1, ..MlpConfig::default() };
        let (params, fused, plain) = twins(width, actions, &config, Seed(seed));
        let fused = fused.on(Threads::new(2).expect("threads"));
        let (rollout, estimate) = anything(rows, width, actions, Seed(seed));
        let places: Vec<usize> = (0..rows).rev().collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop: Stop::default() };
        let algo = Config { ent_coef: 0.1.into(), ..Config::for_algo(algo).expect("an algorithm") }.make_algo().expect("one").into_on_policy().expect("a loss");
        let (_, expected, reports) = through_graph(&algo, &plain, &params, batch);
        for network in [&fused, &plain] {
            let (mut gradient, mut sums) = (Vec::new(), RowSums::default());
            algo.gradient(network, &params, batch, &mut Scratch::default(), &mut gradient, &mut sums).expect("a gradient");
            let error = distance(&gradient, &expected, 1.0);
            prop_assert!(error <= 2e-5, "{rows} rows: {error:e}");
            prop_assert_eq!(sums.entries().len(), reports.len());
            for ((name, sum), (same, mean)) in sums.entries().iter().zip(&reports) {
                prop_assert_eq!(name, same);
                let mean = mean * rows as f64;
                prop_assert!((sum - mean).abs() <= 1e-5 * rows as f64, "{} {} {}", name, sum, mean);
            }
        }
    }
}

type Unary = (&'static str, fn(&Tensor) -> uphill::Result<Tensor>, fn(f64) -> f64, fn(f64) -> f64);

#[test]
fn elementary_operations_are_the_functions_and_their_slopes() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let functions: [Unary; 4] = [
        ("exp", ops::exp, f64::exp, f64::exp),
        ("log1p", ops::log1p, f64::ln_1p, |x| 1.0 / (1.0 + x)),
        ("sigmoid", ops::sigmoid, sigmoid, |x| 1.0 / (2.0 + x.exp() + (-x).exp())),
        ("tanh", ops::tanh, f64::tanh, |x| x.cosh().powi(-2)),
    ];
    let x: Vec<f32> = (0..60).map(|i| -0.99 + i as f32 * 0.07).collect();
    let whole = Var::from_slice(&x, (6, 10), &CPU).expect("a tensor");
    for (name, op, function, slope) in functions {
        for view in [0, 1, 2] {
            let t = match view {
                0 => whole.as_tensor().clone(),
                1 => whole.narrow(1, 3, 5).expect("columns"),
                _ => whole.t().expect("transposed"),
            };
            let y = op(&t).expect(name);
            assert_eq!(y.dims(), t.dims());
            let exact: Vec<f32> = numbers(&t).iter().map(|&x| function(f64::from(x)) as f32).collect();
            assert!(distance(&numbers(&y), &exact, 0.0) <= 3e-7, "{name}, view {view}");
            let gradients = y.sum_all().and_then(|sum| sum.backward()).expect("a gradient");
            let gradient = numbers(gradients.get(whole.as_tensor()).expect("of x"));
            for (i, (&x, &g)) in x.iter().zip(&gradient).enumerate() {
                let inside = view != 1 || (3..8).contains(&(i % 10));
                let exact = if inside { slope(f64::from(x)) as f32 } else { 0.0 };
                assert!((g - exact).abs() <= 4e-7 * exact.abs().max(1.0), "{name}, view {view}, {x}: {g} {exact}");
            }
        }
        // What is not f32 on the CPU goes candle's own way.
        let double = Tensor::new(&[0.5f64, -0.5], &CPU).expect("a tensor");
        let y: Vec<f64> = op(&double).expect(name).to_vec1().expect("numbers");
        assert!((y[0] - function(0.5)).abs() < 1e-12, "{name}");
        let empty = op(&Tensor::zeros((0, 3), candle_core::DType::F32, &CPU).expect("nothing")).expect(name);
        assert_eq!(empty.dims(), [0, 3]);
    }
}

/// `Σₐ π·∇log π·(∇log π·v)`, averaged over observations, from gradients through plain operations.
fn explicit_fisher(plain: &MlpModel, params: &Params, x: &[f32], width: usize, v: &[f32]) -> Vec<f32> {
    let mut product = vec![0.0f64; v.len()];
    let rows = x.len() / width;
    for row in x.chunks_exact(width) {
        let observation = Tensor::from_slice(row, (1, width), &CPU).expect("a tensor");
        let output = plain.answer(params, &observation).expect("outputs");
        let log_probs = output.policy.described().expect("log-probabilities");
        for (a, log_prob) in numbers(&log_probs).into_iter().enumerate() {
            let one = log_probs.narrow(1, a, 1).and_then(|l| l.sum_all()).expect("one");
            let score = numbers(&params.gradient(&one).expect("a gradient"));
            let along: f64 = score.iter().zip(v).map(|(s, v)| f64::from(*s) * f64::from(*v)).sum();
            let weight = f64::from(log_prob).exp() * along / rows as f64;
            product.iter_mut().zip(&score).for_each(|(p, s)| *p += weight * f64::from(*s));
        }
    }
    product.into_iter().map(|p| p as f32).collect()
}

/// `F·v` over observations alone.
fn fisher(network: &MlpModel, params: &Params, x: &[f32], v: &[f32], product: &mut Vec<f32>) -> Result<()> {
    let rows = x.len() / 4;
    let rollout = Rollout { observation: x.to_vec().into(), ..anything(rows, 4, 2, Seed(1)).0 };
    let (estimate, places) =
        (Estimate { target: vec![0.0; rows], ..Estimate::default() }, (0..rows).collect::<Vec<_>>());
    let (advantage, stop) = (vec![0.0; rows], Stop::default());
    let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
    network.fisher_vector_product(params, batch, v, &mut Scratch::default(), product)
}

#[test]
fn fisher_vector_products_are_those_of_the_explicit_matrix() {
    for (case, (hidden, activation, shared_trunk)) in [
        (vec![], Activation::Tanh, false),
        (vec![7], Activation::Silu, true),
        (vec![64, 64], Activation::Tanh, false),
        (vec![9, 5, 3], Activation::Relu, true),
    ]
    .into_iter()
    .enumerate()
    {
        let seed = Seed(case as u64);
        let config = MlpConfig { hidden, activation, shared_trunk, layer_norm: case % 2 == 1, ..MlpConfig::default() };
        let (params, fused, plain) = twins(4, 3, &config, seed);
        let mut rng = seed.stream("numbers", 0);
        let mut draw = |n: usize| (0..n).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect::<Vec<f32>>();
        let (x, v, w) = (draw(4 * 19), draw(params.layout().len()), draw(params.layout().len()));
        let (mut product, mut other) = (Vec::new(), Vec::new());
        fisher(&fused, &params, &x, &v, &mut product).expect("a product");
        let expected = explicit_fisher(&plain, &params, &x, 4, &v);
        assert!(expected.iter().any(|p| p.abs() > 1e-3), "not trivially zero");
        let error = distance(&product, &expected, 0.0);
        assert!(error <= 5e-6, "{config:?}: {error:e}");

        // The matrix is symmetric and has no negative eigenvalue.
        fisher(&fused, &params, &x, &w, &mut other).expect("a product");
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (left, right) = (dot(&w, &product), dot(&v, &other));
        assert!((left - right).abs() <= 1e-5 * left.abs().max(0.1), "{left} {right}");
        assert!(dot(&v, &product) > 0.0);
    }
}

#[test]
fn a_fisher_product_of_many_rows_is_the_mean_of_its_parts_and_wrong_shapes_are_errors() {
    let (params, fused, _) = twins(4, 2, &MlpConfig::default(), Seed(9));
    let mut rng = Seed(9).stream("numbers", 0);
    let mut draw = |n: usize| (0..n).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect::<Vec<f32>>();
    let (x, v) = (draw(4 * 600), draw(params.layout().len()));
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    fisher(&fused, &params, &x, &v, &mut whole).expect("a product");
    let mut mean = vec![0.0; v.len()];
    for x in x.chunks_exact(4 * 200) {
        fisher(&fused, &params, x, &v, &mut part).expect("a product");
        mean.iter_mut().zip(&part).for_each(|(m, p)| *m += p / 3.0);
    }
    assert!(distance(&whole, &mean, 0.0) <= 5e-6);
    for (x, v) in [(&x[..7], &v[..]), (&x[..], &v[1..])] {
        let answer = fisher(&fused, &params, x, v, &mut part);
        assert!(matches!(answer, Err(Error::Shape { .. })), "{answer:?}");
    }
}
