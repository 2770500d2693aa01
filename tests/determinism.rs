//! Same seed, same bits on the CPU: run after run, and whatever the number of threads.

mod children;

use uphill::{Collector, Config, Horizon, Metrics, MlpConfig, MlpModel, Seed, Threads, Trainer, algo};

use children::{is_child, tell, told};

fn config(algo: &str, env: &str, seed: u64) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    Config { env: env.into(), seed, steps: 2_000, ..defaults }
}

/// The parameters' bits after training, and every row of metrics without its clock.
fn train(config: &Config, plain: bool) -> (Vec<u32>, Vec<Metrics>) {
    let mut trainer = Trainer::with_network(config, |spec, device| {
        let (params, network) = MlpModel::new(spec, &config.mlp(), Seed(config.seed), device)?;
        let network = if plain { network.plain() } else { network };
        Ok((params, Box::new(network)))
    })
    .expect("a trainer");
    let mut rows = Vec::new();
    while let Some(metrics) = trainer.step().expect("an update") {
        rows.push(Metrics { steps_per_second: 0.0, ..metrics });
    }
    (trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect(), rows)
}

#[test]
fn the_same_configuration_gives_the_same_bits_and_another_seed_does_not() {
    for algo in algo::ROWS {
        for env in ["CartPole-v1", "GridWorld-4x4-v0"] {
            let first = train(&config(algo.name, env, 1), false);
            assert!(!first.1.is_empty());
            assert_eq!(first, train(&config(algo.name, env, 1), false), "{} on {env}", algo.name);
            assert_ne!(first.0, train(&config(algo.name, env, 2), false).0, "{} on {env}", algo.name);
        }
    }
}

/// Enough lanes for several groups and enough steps for several shares of a minibatch; and so few that one thread takes the actor
/// and another the critic.
#[test]
fn the_number_of_our_own_threads_changes_no_bit() {
    for algo in algo::ROWS {
        for (envs, n_steps) in [(70, 40), (128, 16), (4, 64)] {
            let trained = |threads: usize| {
                let steps = 60 * envs as u64;
                let wide = Config { envs, threads, steps, ..config(algo.name, "CartPole-v1", 5) };
                let wide = match algo.name {
                    "reinforce" | "rloo" => Config { episodes: 2 * envs, ..wide },
                    "ppo" => Config { n_steps, n_minibatches: 2, ..wide },
                    "npg" | "trpo" => Config {
                        algo: format!("{}(cg_iterations=3)", algo.name).as_str().into(),
                        n_steps,
                        n_epochs: 1,
                        n_minibatches: 2,
                        steps: (envs * n_steps) as u64,
                        ..wide
                    },
                    _ => Config { n_steps, ..wide },
                };
                let mut trainer = Trainer::new(&wide).expect("a trainer");
                let mut rows = Vec::new();
                while let Some(metrics) = trainer.step().expect("an update") {
                    rows.push(Metrics { steps_per_second: 0.0, ..metrics });
                }
                let bits: Vec<u32> =
                    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
                (bits, rows)
            };
            let alone = trained(1);
            for threads in [2, 3, 8] {
                assert_eq!(trained(threads), alone, "{} with {envs} lanes on {threads} threads", algo.name);
            }
        }
    }
}

/// What a lane does has nothing to do with how many others there are, or with the groups they are in.
#[test]
fn groups_of_lanes_play_what_one_group_plays() {
    let make = |lanes| uphill::envs::make_vec("CartPole-v1", lanes).expect("an environment");
    let mut one = Collector::new(make(40), Seed(3)).expect("a reset");
    let groups = vec![make(7), make(1), make(32)];
    let mut several = Collector::grouped(groups, Seed(3), Threads::new(2).expect("threads")).expect("a reset");
    let spec = one.spec().clone();
    let (params, network) =
        MlpModel::new(&spec, &MlpConfig::default(), Seed(3), &candle_core::Device::Cpu).expect("a network");
    for horizon in [Horizon::Steps(150), Horizon::Episodes(2), Horizon::Steps(3)] {
        let (rollout, episodes) = one.collect(&network, &params, horizon, true).expect("a rollout");
        let (other, same) = several.collect(&network, &params, horizon, true).expect("a rollout");
        assert!(episodes.len() >= 40 || horizon == Horizon::Steps(3));
        assert!(episodes == same);
        // Groups whose episodes end sooner are filled up with places that are not valid, where nothing is meant.
        assert!(rollout.valid == other.valid);
        for i in rollout.valid_steps() {
            assert!(rollout.observation_at(i) == other.observation_at(i), "place {i}");
            assert_eq!(rollout.action.indices()[i], other.action.indices()[i], "place {i}");
            assert_eq!(rollout.end[i], other.end[i], "place {i}");
            for (one, several) in [
                (&rollout.reward, &other.reward),
                (&rollout.log_prob, &other.log_prob),
                (&rollout.value, &other.value),
                (&rollout.next_value, &other.next_value),
            ] {
                assert_eq!(one[i].to_bits(), several[i].to_bits(), "place {i}");
            }
        }
    }
}

#[test]
fn filters_of_actor_and_critic_learn_the_same_on_any_number_of_threads() {
    let trained = |threads: usize| {
        let apart = "minatar_cnn(shared_trunk=false)".into();
        let defaults = config("ppo", "MinAtar/Breakout-v1", 5);
        let short =
            Config { model: apart, envs: 4, n_steps: 8, n_epochs: 2, n_minibatches: 2, steps: 96, threads, ..defaults };
        let mut trainer = Trainer::new(&short).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = trained(1);
    assert!(one == trained(2) && one == trained(3));
}

/// Run by itself this checks nothing; as a child of the test below it prints what its process computed.
#[test]
fn child_prints_its_bits() {
    if !is_child() {
        return;
    }
    for plain in [false, true] {
        let (bits, rows) = train(&config("ppo", "CartPole-v1", 3), plain);
        tell(plain, (bits, format!("{rows:?}")));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let one = told("1");
    assert_eq!(one.len(), 2, "{one:?}");
    assert_eq!(one, told("2"));
}
