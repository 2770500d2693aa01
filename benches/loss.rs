//! PPO's loss and its derivatives by logits and values, on host slices and through plain candle operations.
//!
//! ```text
//! cargo bench --bench loss
//! ```

use candle_core::{Device, Var};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::distributions::{CategoricalRows, CategoricalTensor, DistributionRows};
use uphill::objective::Output;
use uphill::objective::{Objective, Report, RowGradients, RowSums, Rows, TensorBatch};
use uphill::rollout::Estimate;
use uphill::{Config, Rollout};

const CPU: Device = Device::Cpu;

fn loss(c: &mut Criterion) {
    let mut group = c.benchmark_group("loss");
    let objective = Config::for_algo("ppo")
        .expect("an algorithm")
        .make_algo()
        .expect("an algorithm")
        .into_on_policy()
        .expect("a loss")
        .objective;
    for rows in [4usize, 128, 4_096] {
        group.throughput(Throughput::Elements(rows as u64));
        let numbers = |n: usize| (0..n).map(|i| (i * 37 % 101) as f32 / 50.5 - 1.0).collect::<Vec<f32>>();
        let (logits, column, old) = (numbers(2 * rows), numbers(rows), vec![-0.7; rows]);

        let (mut policy, mut sums) = (CategoricalRows::new(2), RowSums::default());
        let (mut by_log_prob, mut by_entropy, mut by_value) = (old.clone(), old.clone(), old.clone());
        group.bench_function(BenchmarkId::new("host", rows), |b| {
            b.iter(|| {
                policy.set(&logits, 2);
                let now = Rows {
                    log_prob: &old,
                    entropy: &old,
                    value: &column,
                    old_log_prob: &old,
                    advantage: &column,
                    target: &column,
                    old_value: &column,
                };
                let mut out =
                    RowGradients { log_prob: &mut by_log_prob, entropy: &mut by_entropy, value: &mut by_value };
                sums.clear();
                objective.rows(&now, 1.0 / rows as f32, &mut out, &mut sums)
            });
        });

        let rollout = Rollout {
            action: vec![0; rows].into(),
            log_prob: old.clone(),
            value: column.clone(),
            ..Rollout::new(1, 0)
        };
        let estimate = Estimate { advantage: column.clone(), target: column.clone(), ..Estimate::default() };
        let places: Vec<usize> = (0..rows).collect();
        let batch = TensorBatch::new(&rollout, &estimate, &places, &column, &CPU).expect("tensors");
        let logits = Var::from_vec(logits, (rows, 2), &CPU).expect("logits");
        let value = Var::from_vec(column.clone(), rows, &CPU).expect("values");
        group.bench_function(BenchmarkId::new("plain", rows), |b| {
            b.iter(|| {
                let policy = CategoricalTensor::new(logits.as_tensor()).expect("a policy");
                let output = Output { policy: Box::new(policy), value: value.as_tensor().clone() };
                let loss = objective.loss(&batch, &output, &mut Report::default()).expect("a loss");
                loss.backward().expect("gradients")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, loss);
criterion_main!(benches);
