//! One 4-64-64 perceptron with a policy's and a value's head, 4-64-64-3 in all: forward, and a whole gradient (forward,
//! loss, backward), on the host, as one candle operation, and in plain candle operations. The losses alone as well.
//!
//! ```text
//! cargo bench --bench mlp
//! ```
//!
//! Throughput is in floating-point operations: what criterion calls elements a second is FLOP/s.

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::algo::OnPolicy;
use uphill::models::ops;
use uphill::objective::{Objective, Report, RowSums, TensorBatch};
use uphill::rollout::{Estimate, Minibatch};
use uphill::{Config, MlpConfig, MlpModel, Model, Params, Rollout, Scratch, Seed, Stop, envs};

const ROWS: [usize; 6] = [1, 4, 64, 128, 512, 4_096];
/// Products and sums of a row forward.
const FLOPS: usize = 2 * (4 * 64 + 64 * 64 + 64 * 3);
const CPU: Device = Device::Cpu;

fn network() -> (Params, MlpModel) {
    let spec = envs::make("CartPole-v1").expect("an environment").spec().clone();
    let config = MlpConfig { shared_trunk: true, ..MlpConfig::default() };
    MlpModel::new(&spec, &config, Seed(1), &CPU).expect("a network")
}

fn algorithm() -> OnPolicy {
    Config::for_algo("ppo").expect("an algorithm").make_algo().expect("an algorithm").into_on_policy().expect("a loss")
}

/// Steps of a rollout with numbers that are not all alike.
fn steps(rows: usize) -> (Rollout, Estimate, Vec<usize>) {
    let number = |i: usize| (i * 37 % 101) as f32 / 50.5 - 1.0;
    let column: Vec<f32> = (0..rows).map(number).collect();
    let rollout = Rollout {
        observation: (0..4 * rows).map(number).collect::<Vec<_>>().into(),
        action: (0..rows).map(|i| (i % 2) as u32).collect::<Vec<_>>().into(),
        log_prob: vec![-0.7; rows],
        value: column.clone(),
        ..Rollout::new(1, 4)
    };
    (rollout, Estimate { advantage: column.clone(), target: column, ..Estimate::default() }, (0..rows).collect())
}

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    let ((params, fused), plain) = (network(), network().1.plain());
    for rows in ROWS {
        group.throughput(Throughput::Elements((rows * FLOPS) as u64));
        let (rollout, ..) = steps(rows);
        let observation = rollout.observation.all();
        let x = Tensor::from_slice(&observation, (rows, 4), &CPU).expect("a tensor");
        let (mut room, mut logits) = (Scratch::default(), Vec::new());
        group.bench_function(BenchmarkId::new("host", rows), |b| {
            b.iter(|| fused.outputs(&params, &observation, &mut room, &mut logits).expect("logits"));
        });
        for (name, network) in [("fused", &fused), ("plain", &plain)] {
            group.bench_function(BenchmarkId::new(name, rows), |b| {
                b.iter(|| network.forward(&params, &x).expect("outputs"));
            });
        }
    }
    group.finish();
}

fn gradient(c: &mut Criterion) {
    let mut group = c.benchmark_group("gradient");
    let ((params, host), plain) = (network(), network().1.plain());
    let algo = algorithm();
    for rows in ROWS {
        group.throughput(Throughput::Elements((3 * rows * FLOPS) as u64));
        let (rollout, estimate, places) = steps(rows);
        let advantage = &estimate.advantage;
        let batch =
            Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage, stop: Stop::default() };
        let (mut gradient, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
        group.bench_function(BenchmarkId::new("host", rows), |b| {
            b.iter(|| algo.gradient(&host, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient"));
        });
        group.bench_function(BenchmarkId::new("plain network, fused loss", rows), |b| {
            b.iter(|| algo.gradient(&plain, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient"));
        });
        for (name, network) in [("fused network, plain loss", &host), ("plain", &plain)] {
            group.bench_function(BenchmarkId::new(name, rows), |b| {
                b.iter(|| {
                    let batch = TensorBatch::new(&rollout, &estimate, &places, advantage, &CPU).expect("tensors");
                    let output = network.answer(&params, &batch.observation).expect("outputs");
                    let loss = algo.objective.loss(&batch, &output, &mut Report::default()).expect("a loss");
                    params.gradient(&loss).expect("a gradient")
                });
            });
        }
    }
    group.finish();
}

fn elementary(c: &mut Criterion) {
    let mut group = c.benchmark_group("tanh");
    let x = Tensor::from_iter((0..16_384).map(|i| (i % 97) as f32 / 20.0 - 2.4), &CPU).expect("a tensor");
    group.throughput(Throughput::Elements(16_384));
    group.bench_function("vectorised", |b| b.iter(|| ops::tanh(&x).expect("numbers")));
    group.bench_function("candle", |b| b.iter(|| x.tanh().expect("numbers")));
    group.finish();
}

criterion_group!(benches, forward, gradient, elementary);
criterion_main!(benches);
