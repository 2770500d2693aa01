//! After its first updates, training allocates nothing: no step, no minibatch and no update does.

use allocation_counter::measure;
use uphill::{Config, Trainer, algo, optim};

/// Allocations of each of some updates after the first ones, which make room for all that follow.
fn allocations(config: &Config) -> Vec<u64> {
    let mut trainer = Trainer::new(config).expect("a trainer");
    for _ in 0..20 {
        trainer.step().expect("an update").expect("more to do");
    }
    let update = |_| {
        let counted = measure(|| {
            trainer.step().expect("an update").expect("more to do");
        });
        counted.count_total
    };
    (0..5).map(update).collect()
}

#[test]
fn updates_allocate_nothing_once_there_is_room() {
    for algo in algo::ALGOS {
        for env in ["CartPole-v1", "FourRooms-v0"] {
            // One thread: handing work to another allocates the task, once a minibatch.
            let config = Config { env: env.into(), steps: u64::MAX >> 2, threads: 1, ..(algo.defaults)() };
            let counts = allocations(&config);
            assert!(counts.iter().all(|&n| n == 0), "{} on {env}: {counts:?} allocations an update", algo.name);
        }
    }
}

#[test]
fn no_optimizer_allocates_once_there_is_room() {
    for recipe in optim::OPTIMIZERS {
        let base = Config::new("ppo", recipe.name).expect("an optimizer");
        let config = Config { steps: u64::MAX >> 2, threads: 1, lr: 1e-6, ..base };
        let counts = allocations(&config);
        assert!(counts.iter().all(|&n| n == 0), "{}: {counts:?} allocations an update", recipe.name);
    }
}

#[test]
fn a_step_more_is_no_allocation_more_on_several_threads() {
    let of = |n_steps: usize| {
        let config =
            Config { steps: u64::MAX >> 2, threads: 2, envs: 64, n_steps, ..Config::for_algo("a2c").expect("one") };
        allocations(&config).iter().sum::<u64>()
    };
    // What is left is a task or two an update, however long the rollout.
    let (short, long) = (of(10), of(80));
    assert!(long <= short + 40, "{short} allocations in 5 updates of 10 steps, {long} in 5 of 80");
}
