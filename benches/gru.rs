//! A GRU of 64 units behind 64 hidden ones, along lanes: a whole gradient through time (forward, loss, backward), and one step of
//! acting, on the host and in candle operations.
//!
//! ```text
//! cargo bench --bench gru
//! ```

use candle_core::Device;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::models::{GRU, RecurrentConfig, RecurrentModel};
use uphill::objective::RowSums;
use uphill::rollout::Minibatch;
use uphill::{Collector, Config, Horizon, Model, Params, Scratch, Seed, Stop, envs};

const CPU: Device = Device::Cpu;
const STEPS: usize = 128;
const LANES: [usize; 3] = [1, 4, 16];

fn network() -> (Params, RecurrentModel) {
    let spec = envs::make("CartPole-v1").expect("an environment").spec().clone();
    RecurrentModel::new(&GRU, &spec, &RecurrentConfig::default(), Seed(1), &CPU).expect("a network")
}

fn gradient(c: &mut Criterion) {
    let mut group = c.benchmark_group("gradient through time");
    let ((params, host), plain) = (network(), network().1.plain());
    let algo = Config::for_algo("ppo").expect("an algorithm").make_algo().expect("an algorithm");
    let algo = algo.into_on_policy().expect("a loss");
    for lanes in LANES {
        group.throughput(Throughput::Elements((STEPS * lanes) as u64));
        let env = envs::make_vec("CartPole-v1", lanes).expect("lanes");
        let mut collector = Collector::new(env, Seed(1)).expect("a collector");
        let (rollout, _) = collector.collect(&host, &params, Horizon::Steps(STEPS), true).expect("a rollout");
        let estimate = algo.estimator.estimate(rollout, 0.99);
        let places: Vec<usize> = rollout.valid_steps().collect();
        let batch = Minibatch {
            rollout,
            estimate: &estimate,
            places: &places,
            advantage: &estimate.advantage,
            stop: Stop::default(),
        };
        let (mut gradient, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
        for (name, network) in [("host", &host), ("tensors", &plain)] {
            group.bench_function(BenchmarkId::new(name, lanes), |b| {
                b.iter(|| {
                    algo.gradient(network, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient");
                });
            });
        }
    }
    group.finish();
}

fn acting(c: &mut Criterion) {
    let mut group = c.benchmark_group("acting");
    let ((params, host), plain) = (network(), network().1.plain());
    for lanes in LANES {
        group.throughput(Throughput::Elements(lanes as u64));
        let (x, mut memory) = (vec![0.3; 4 * lanes], vec![0.1; 64 * lanes]);
        let (mut room, mut outputs, mut values) = (Scratch::default(), Vec::new(), Vec::new());
        for (name, network) in [("host", &host), ("tensors", &plain)] {
            group.bench_function(BenchmarkId::new(name, lanes), |b| {
                b.iter(|| {
                    network
                        .answers_after(&params, &x, &mut memory, &mut room, &mut outputs, Some(&mut values))
                        .expect("outputs");
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, gradient, acting);
criterion_main!(benches);
