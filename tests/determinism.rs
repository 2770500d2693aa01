//! Same seed, same bits on the CPU: run after run, and whatever the number of threads.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

use uphill::{Config, Metrics, MlpActorCritic, Seed, Trainer, algo};

fn config(algo: &str, env: &str, seed: u64) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    Config { env: env.into(), seed, steps: 2_000, ..defaults }
}

/// The parameters' bits after training, and every row of metrics without its clock.
fn train(config: &Config, plain: bool) -> (Vec<u32>, Vec<Metrics>) {
    let mut trainer = Trainer::with_network(config, |spec, device| {
        let (params, network) = MlpActorCritic::new(spec, &config.mlp(), Seed(config.seed), device)?;
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
    for algo in algo::ALGOS {
        for env in ["CartPole-v1", "GridWorld-4x4-v0"] {
            let first = train(&config(algo.name, env, 1), false);
            assert!(!first.1.is_empty());
            assert_eq!(first, train(&config(algo.name, env, 1), false), "{} on {env}", algo.name);
            assert_ne!(first.0, train(&config(algo.name, env, 2), false).0, "{} on {env}", algo.name);
        }
    }
}

const CHILD: &str = "UPHILL_TEST_PRINTS_BITS";

/// Run by itself this checks nothing; as a child of the test below it prints what its process computed.
#[test]
fn child_prints_its_bits() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    for plain in [false, true] {
        let (bits, rows) = train(&config("ppo", "CartPole-v1", 3), plain);
        let mut hasher = DefaultHasher::new();
        (bits, format!("{rows:?}")).hash(&mut hasher);
        println!("\nbits {plain} {:016x}", hasher.finish());
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let run = |threads: &str| {
        let program = std::env::current_exe().expect("this test");
        let output = Command::new(program)
            .args(["--exact", "child_prints_its_bits", "--nocapture"])
            .env(CHILD, "1")
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .expect("the child runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let lines: Vec<String> = text.lines().filter(|l| l.starts_with("bits ")).map(String::from).collect();
        assert_eq!(lines.len(), 2, "{text}");
        lines
    };
    assert_eq!(run("1"), run("2"));
}
