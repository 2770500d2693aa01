//! MinAtar's network on its 10 x 10 x 4 images, and that of Atari games on 84 x 84 x 4: a whole gradient of a minibatch (forward,
//! loss, backward) on one thread and on two, and outputs for some lanes, on the host.
//!
//! ```text
//! cargo bench --bench conv
//! ```

use candle_core::Device;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::envs::{Space, Spec};
use uphill::models::Site;
use uphill::objective::RowSums;
use uphill::rollout::{Estimate, Minibatch};
use uphill::words::{Args, Word};
use uphill::{Catalogue, Config, Model, Params, Rollout, Scratch, Seed, Stop, Threads};

const CPU: Device = Device::Cpu;
/// Networks, their images, and steps of a minibatch.
const CASES: [(&str, [usize; 3], u8, usize); 3] =
    [("minatar_cnn", [10, 10, 4], 1, 1024), ("nature_cnn", [84, 84, 4], 255, 64), ("impala_cnn", [64, 64, 3], 255, 16)];

fn spec([height, width, channels]: [usize; 3], max: u8) -> Spec {
    Spec {
        id: "Images-v0".into(),
        observation: Space::Image { height, width, channels, max },
        action: Space::Discrete { n: 6 },
        max_episode_steps: None,
        reward_threshold: None,
    }
}

fn network(name: &str, spec: &Spec, threads: usize) -> (Params, Box<dyn Model>) {
    let catalogue = Catalogue::default();
    let word = Word::parse("model", &format!("{name}(init=xavier)")).expect("a word");
    let row = catalogue.model(name).expect("a row");
    let threads = Threads::new(threads).expect("threads");
    let site = Site { device: &CPU, threads, ..Site::new(spec, Seed(1)) };
    (row.make.build)(&Args::new(row, &word).expect("arguments"), &site).expect("a network")
}

fn images(spec: &Spec, max: u8, rows: usize) -> Vec<u8> {
    let hash = |i: usize| (i as u64).wrapping_mul(2_654_435_761) >> 16 & 0xff;
    (0..rows * spec.observation_len()).map(|i| (hash(i) * u64::from(max) / 255) as u8).collect()
}

fn gradient(c: &mut Criterion) {
    let mut group = c.benchmark_group("gradient of images");
    let algo = Config::for_algo("ppo").expect("an algorithm").make_algo().expect("an algorithm");
    let algo = algo.into_on_policy().expect("a loss");
    for (name, image, max, rows) in CASES {
        group.throughput(Throughput::Elements(rows as u64));
        let spec = spec(image, max);
        let column: Vec<f32> = (0..rows).map(|i| (i % 7) as f32 / 7.0 - 0.4).collect();
        let rollout = Rollout {
            observation: images(&spec, max, rows).into(),
            action: (0..rows).map(|i| (i % 6) as u32).collect::<Vec<_>>().into(),
            log_prob: vec![-1.7; rows],
            value: column.clone(),
            ..Rollout::new(1, spec.observation_len())
        };
        let estimate = Estimate { advantage: column.clone(), target: column, ..Estimate::default() };
        let places: Vec<usize> = (0..rows).collect();
        let (advantage, stop) = (&estimate.advantage, Stop::default());
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage, stop };
        for threads in [1, 2] {
            let (params, network) = network(name, &spec, threads);
            let (mut gradient, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
            group.bench_function(BenchmarkId::new(name, format!("{threads} threads")), |b| {
                b.iter(|| {
                    algo.gradient(&*network, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient");
                });
            });
        }
    }
    group.finish();
}

fn acting(c: &mut Criterion) {
    let mut group = c.benchmark_group("outputs of images");
    for (name, image, max, _) in CASES {
        let spec = spec(image, max);
        let (params, network) = network(name, &spec, 1);
        let lanes = 8;
        group.throughput(Throughput::Elements(lanes as u64));
        let x: Vec<f32> = images(&spec, max, lanes).into_iter().map(f32::from).collect();
        let (mut room, mut outputs) = (Scratch::default(), Vec::new());
        group.bench_function(BenchmarkId::new(name, lanes), |b| {
            b.iter(|| network.outputs(&params, &x, &mut room, &mut outputs).expect("outputs"));
        });
    }
    group.finish();
}

criterion_group!(benches, gradient, acting);
criterion_main!(benches);
