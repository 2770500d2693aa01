//! Whole updates (a rollout and the learning from it) of every algorithm at 4, 64 and 1,024 lanes, on one thread and on
//! two, in environment steps a second. `cargo run --release --example throughput` has the same as a table.
//!
//! ```text
//! cargo bench --bench end_to_end
//! ```

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::{Config, Trainer, algo};

fn end_to_end(c: &mut Criterion) {
    for algo in algo::ROWS {
        let mut group = c.benchmark_group(algo.name);
        group.sample_size(10);
        for lanes in [4, 64, 1_024] {
            for threads in [1, 2] {
                let defaults = Config::for_algo(algo.name).expect("an algorithm");
                let config = Config { envs: lanes, threads, steps: 1 << 40, ..defaults };
                let config = if algo.name == "reinforce" { Config { episodes: 2 * lanes, ..config } } else { config };
                let mut trainer = Trainer::new(&config).expect("the defaults are valid");
                let mut update = || trainer.step().expect("an update").expect("more to do").env_steps;
                let (before, after) = (update(), update());
                // Episodes of REINFORCE grow as it learns: its figure is a lower bound, the table's is exact.
                group.throughput(Throughput::Elements(after - before));
                group.bench_function(BenchmarkId::new(format!("{lanes} lanes"), format!("{threads} threads")), |b| {
                    b.iter(&mut update);
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
