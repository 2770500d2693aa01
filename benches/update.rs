//! A whole update (a rollout and the learning from it) of each algorithm with its defaults on CartPole-v1, in
//! environment steps per second.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use uphill::{Config, Trainer, algo};

fn update(c: &mut Criterion) {
    let mut group = c.benchmark_group("update");
    for algo in algo::ROWS {
        let config =
            Config { algo: algo.name.into(), steps: 1 << 40, ..Config::for_algo(algo.name).expect("an algorithm") };
        let warm = || {
            let mut trainer = Trainer::new(&config).expect("the defaults are valid");
            trainer.step().expect("the first update");
            trainer
        };
        let steps = {
            let mut trainer = warm();
            let before = trainer.env_steps();
            trainer.step().expect("the second update");
            trainer.env_steps() - before
        };
        // The second update of each fresh trainer: the same work every time, also where episodes decide how much.
        group.throughput(Throughput::Elements(steps));
        group.bench_function(algo.name, |b| {
            b.iter_batched_ref(warm, |trainer| trainer.step().expect("an update"), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, update);
criterion_main!(benches);
