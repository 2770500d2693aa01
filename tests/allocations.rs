//! After its first updates, training makes no room any more: no step does, and no row of a minibatch.

use allocation_counter::measure;
use uphill::{Config, Trainer, algo};

/// Allocations of some updates after the first ones, which make room for all that follow.
fn allocations(config: &Config) -> u64 {
    let mut trainer = Trainer::new(config).expect("a trainer");
    let mut step = || {
        trainer.step().expect("an update").expect("more to do");
    };
    (0..30).for_each(|_| step());
    measure(|| (0..5).for_each(|_| step())).count_total
}

#[test]
fn acting_and_learning_allocate_nothing_once_there_is_room() {
    for algo in algo::ROWS {
        for env in ["CartPole-v1", "FourRooms-v0"] {
            let defaults = Config::for_algo(algo.name).expect("an algorithm");
            if ["reinforce", "rloo"].contains(&algo.name) && env == "CartPole-v1" {
                // Episodes there grow as the policy learns, and their rollouts with them.
                continue;
            }
            // One thread: handing work to another allocates the task, a small one a minibatch.
            let config = Config { env: env.into(), steps: 1 << 40, threads: 1, hidden: vec![16, 16], ..defaults };
            let config = match algo.name {
                "reinforce" | "rloo" => config,
                // Each step is an update's worth; of several the state before them is kept as well.
                "stream_ac" => Config { n_steps: 1, ..config },
                "npg" | "trpo" => Config { n_steps: 16, envs: 4, n_epochs: 2, n_minibatches: 4, ..config },
                _ => Config { n_steps: 16, ..config },
            };
            // What is left has nothing to do with the number of steps: candle makes one small list when it looks at the
            // parameters to be changed, once a gradient step, and an update's report is a few lists of names and numbers.
            let left = (config.n_epochs * config.n_minibatches + 16) as u64;
            let count = allocations(&config);
            assert!(count <= 5 * left, "{} on {env}: {count} allocations in 5 updates", algo.name);
            if algo.name == "stream_ac" {
                let [short, long] = [32, 64].map(|n_steps| allocations(&Config { n_steps, ..config.clone() }));
                assert!(
                    long <= short + 32 * count,
                    "{long} in updates of 64 steps, {short} in those of 32, {count} a step"
                );
            } else if !["reinforce", "rloo"].contains(&algo.name) {
                let longer = allocations(&Config { n_steps: 4 * config.n_steps, ..config.clone() });
                // A list of truncated steps may still grow once or twice.
                assert!(longer <= count + 5, "{} on {env}: {longer} for {count} in longer rollouts", algo.name);
            }
        }
    }
}

#[test]
fn longer_rollouts_allocate_no_more_on_several_threads() {
    let of = |n_steps: usize| {
        let a2c = Config::for_algo("a2c").expect("an algorithm");
        allocations(&Config { steps: 1 << 40, threads: 2, envs: 64, n_steps, ..a2c })
    };
    let (short, long) = (of(10), of(80));
    assert!(long <= short + 20, "{short} allocations in 5 updates of 10 steps, {long} in 5 of 80");
}

#[test]
fn longer_rollouts_of_wrapped_environments_allocate_no_more() {
    for env in [
        "Pendulum-v1 | time_limit(10) | rescale_action | clip_action | action_repeat(2) | sticky_actions | time_aware",
        "CartPole-v1 | hide([1]) | sticky_actions(0.5) | reward_scale(0.1) | frame_stack(3)",
        "GridWorld-4x4-v0(observation=image) | sticky_actions | flatten",
    ] {
        let of = |n_steps: usize| {
            let a2c = Config::for_algo("a2c").expect("an algorithm");
            allocations(&Config { env: env.into(), steps: 1 << 40, threads: 1, hidden: vec![4], n_steps, ..a2c })
        };
        let (short, long) = (of(5), of(40));
        assert!(long <= short + 5, "{env}: {short} allocations in 5 updates of 5 steps, {long} in 5 of 40");
    }
}

#[test]
fn longer_rollouts_of_images_allocate_no_more() {
    let of = |model: &str, n_steps: usize| {
        let text = format!("algo = 'a2c'\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = '{model}'\nthreads = 1");
        let config = Config::from_toml(&text).expect("a configuration");
        allocations(&Config { steps: 1 << 40, n_steps, envs: 4, ..config })
    };
    for model in ["minatar_cnn(filters=2, hidden=[4])", "impala_cnn(filters=[2], hidden=[], shared_trunk=false)"] {
        let (short, long) = (of(model, 4), of(model, 32));
        assert!(long <= short + 5, "{model}: {short} allocations in 5 updates of 4 steps, {long} in 5 of 32");
    }
}
