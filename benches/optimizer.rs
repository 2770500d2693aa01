//! Optimizer steps: against candle's AdamW, against a plain copy of the same bytes, and each recipe against the others.
//!
//! ```text
//! cargo bench --bench optimizer -- small      # 9,000 parameters: Adam with clipping, ours and candle's
//! cargo bench --bench optimizer -- large      # 10 million parameters: Adam with clipping, and a copy
//! cargo bench --bench optimizer -- recipes    # each recipe on the network of the examples
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer as _, ParamsAdamW};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use uphill::optim::{Chain, Optimizer, Registry, When};
use uphill::{Layout, Params};

/// Actor and critic of two layers of 64 units over 4 observations and 2 actions: 9,155 parameters.
const NETWORK: [(&str, &[usize]); 12] = [
    ("actor.0.weight", &[64, 4]),
    ("actor.0.bias", &[64]),
    ("actor.1.weight", &[64, 64]),
    ("actor.1.bias", &[64]),
    ("actor.head.weight", &[2, 64]),
    ("actor.head.bias", &[2]),
    ("critic.0.weight", &[64, 4]),
    ("critic.0.bias", &[64]),
    ("critic.1.weight", &[64, 64]),
    ("critic.1.bias", &[64]),
    ("critic.head.weight", &[1, 64]),
    ("critic.head.bias", &[1]),
];

const CLIPPED_ADAM: &str = "clip_by_global_norm(0.5) | adam(lr=2.5e-4)";

/// Numbers in ±1 without a pattern.
fn numbers(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}

/// Times steps of a spec on parameters of these blocks. As in training, the update takes the gradient's place; putting
/// the gradient back there is not timed.
fn steps(spec: &str, blocks: &[(&str, &[usize])]) -> impl FnMut(u64) -> Duration {
    let mut layout = Layout::default();
    for (name, shape) in blocks {
        layout.push(*name, shape);
    }
    let given = numbers(layout.len());
    let mut params = Params::new(layout, given.clone(), &Device::Cpu).expect("parameters");
    let mut optimizer = Optimizer::new(spec.parse::<Chain>().expect("a spec"));
    let mut gradient = given.clone();
    let mut step = move || {
        gradient.copy_from_slice(&given);
        let begun = Instant::now();
        optimizer.step_in_place(&mut params, black_box(&mut gradient), When::default()).expect("a step");
        begun.elapsed()
    };
    step();
    move |count| (0..count).map(|_| step()).sum()
}

/// The same with candle's optimizer: clipping by global norm over variables of the same shapes, then AdamW.
fn candle_step(blocks: &[(&str, &[usize])]) -> impl FnMut() {
    let cpu = Device::Cpu;
    let tensor = |shape: &[usize]| Tensor::from_vec(numbers(shape.iter().product()), shape, &cpu).expect("a tensor");
    let vars: Vec<Var> =
        blocks.iter().map(|(_, shape)| Var::from_tensor(&tensor(shape)).expect("a variable")).collect();
    // Σ g·θ has the gradient g, which is how candle is handed one.
    let loss =
        vars.iter().zip(blocks).map(|(var, (_, shape))| (var.as_tensor() * tensor(shape)).and_then(|x| x.sum_all()));
    let loss = loss.reduce(|a, b| a.and_then(|a| a + b?)).expect("blocks").expect("a loss");
    let mut gradients = loss.backward().expect("gradients");
    let settings = ParamsAdamW { lr: 2.5e-4, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(vars.clone(), settings).expect("an optimizer");
    let given: Vec<Tensor> = vars.iter().map(|var| gradients.get(var).expect("a gradient").clone()).collect();
    let mut step = move || {
        let squares = given.iter().map(|g| g.sqr()?.sum_all()?.to_scalar::<f32>());
        let norm = squares.sum::<candle_core::Result<f32>>().expect("a norm").sqrt();
        let factor = f64::from(0.5 / (norm + 1e-6)).min(1.0);
        for (var, g) in vars.iter().zip(&given) {
            gradients.insert(var, (g * factor).expect("a product"));
        }
        optimizer.step(&gradients).expect("a step");
    };
    step();
    step
}

fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("small");
    let count: usize = NETWORK.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("uphill", |b| b.iter_custom(steps(CLIPPED_ADAM, &NETWORK)));
    group.bench_function("candle", |b| b.iter(candle_step(&NETWORK)));
    group.finish();
}

/// Bytes a number that a step of Adam with clipping must read and write at least once: gradient in; parameters, mean and
/// square in and out.
const ADAM_BYTES: u64 = 4 * (1 + 2 * 3);

fn large(c: &mut Criterion) {
    const LEN: usize = 10_000_000;
    let mut group = c.benchmark_group("large");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(LEN as u64 * ADAM_BYTES));
    group.bench_function("uphill", |b| b.iter_custom(steps(CLIPPED_ADAM, &[("w", &[1000, 10_000])])));
    // A copy of half as many bytes reads them and writes them: as many bytes moved.
    let from = numbers(LEN * ADAM_BYTES as usize / 8);
    let mut to = vec![0.0f32; from.len()];
    group.bench_function("copy", |b| b.iter(|| to.copy_from_slice(black_box(&from))));
    group.finish();
}

fn recipes(c: &mut Criterion) {
    let mut group = c.benchmark_group("recipes");
    for row in Registry::default().recipes() {
        // The same gradient for ever leads far away: with short steps, not too far.
        let spec = format!("{}(lr=1e-9)", row.name);
        group.bench_function(row.name, |b| b.iter_custom(steps(&spec, &NETWORK)));
    }
    group.finish();
}

criterion_group!(benches, small, large, recipes);
criterion_main!(benches);
