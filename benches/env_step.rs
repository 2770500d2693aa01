//! Environment steps per second on one thread, auto-reset, time limits and all checks included: each registered vector
//! beside the plain [`Lanes`] of the same single environments. A grid world has no other vector than those.
//!
//! Actions are uniformly random and drawn beforehand.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uphill::envs::{
    Actions, CartPole, End, GridWorld, GridWorldConfig, Lanes, NumpyRng, Space, TimeLimit, Transitions, VecEnv,
    make_vec,
};

/// Steps before the actions repeat.
const PERIOD: usize = 64;

/// Measures steps of all lanes of `env`.
fn steps(c: &mut Criterion, group: &str, name: &str, mut env: Box<dyn VecEnv>) {
    let (lanes, d) = (env.lanes(), env.spec().observation_len());
    let Space::Discrete { n } = env.spec().action else { panic!("extend this bench to continuous actions") };
    let mut rng = NumpyRng::new(1);
    let actions: Vec<u32> = (0..PERIOD * lanes).map(|_| (rng.random() * n as f64) as u32).collect();
    let active = vec![true; lanes];
    let (mut observation, mut final_observation) = (vec![0.0; lanes * d], vec![0.0; lanes * d]);
    let (mut reward, mut end) = (vec![0.0; lanes], vec![End::Not; lanes]);
    env.reset(Some(0), &mut observation).expect("a reset");
    let mut period = actions.chunks_exact(lanes).cycle();
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(lanes as u64));
    group.bench_function(BenchmarkId::new(name, lanes), |b| {
        b.iter(|| {
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut final_observation,
                reward: &mut reward,
                end: &mut end,
            };
            let actions = Actions::Discrete(period.next().unwrap_or_default());
            env.step(actions, &active, out).expect("a step");
            black_box(&observation);
        });
    });
    group.finish();
}

fn cart_pole(c: &mut Criterion) {
    for lanes in [1, 4, 64, 1024] {
        let singles = vec![TimeLimit::new(CartPole::new()); lanes];
        steps(c, "CartPole-v1", "lanes", Box::new(Lanes::new(singles).expect("lanes")));
        steps(c, "CartPole-v1", "columns", make_vec("CartPole-v1", lanes).expect("registered"));
    }
}

fn grid_worlds(c: &mut Criterion) {
    for lanes in [1, 64] {
        for config in
            [GridWorldConfig::four_by_four(), GridWorldConfig::four_rooms(), GridWorldConfig::cliff_walking_slippery()]
        {
            let id = config.id.clone();
            let world = GridWorld::new(config).expect("a registered configuration");
            steps(c, &id, "lanes", Box::new(Lanes::new(vec![TimeLimit::new(world); lanes]).expect("lanes")));
        }
    }
}

criterion_group!(benches, cart_pole, grid_worlds);
criterion_main!(benches);
