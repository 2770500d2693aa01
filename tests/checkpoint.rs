//! A run goes on from a checkpoint as if nothing had happened, and from nothing that is no whole checkpoint.

use std::time::{Duration, Instant};

use uphill::optim::Registry;
use uphill::{Checkpoint, Config, Error, Metrics, Trainer, algo, envs};

/// A small run of an algorithm.
fn config(algo: &str, optimizer: &str, env: &str) -> Config {
    let config = Config::new(algo, optimizer).expect("an algorithm with an optimizer");
    let lanes = if algo == "reinforce" { 2 } else { 3 };
    Config {
        env: env.into(),
        envs: lanes,
        episodes: 2,
        n_steps: 8,
        n_minibatches: 1,
        hidden: vec![8],
        steps: 300,
        ..config
    }
}

/// A row without its clock.
fn untimed(mut metrics: Metrics) -> Metrics {
    metrics.steps_per_second = 0.0;
    metrics
}

/// What is left of a run: its rows, the parameters' bits, and its last state.
fn rest(mut trainer: Trainer) -> (Vec<Metrics>, Vec<u32>) {
    let mut rows = Vec::new();
    while let Some(metrics) = trainer.step().expect("an update") {
        rows.push(untimed(metrics));
    }
    (rows, trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect())
}

/// Runs once without a break, and once with one after each of these updates; both have to come to the same.
fn breaks_change_nothing(config: &Config, breaks: &[u64]) {
    let whole = rest(Trainer::new(config).expect("a trainer"));
    let mut rows = Vec::new();
    let mut trainer = Trainer::new(config).expect("a trainer");
    for &update in breaks {
        while rows.len() < update as usize {
            match trainer.step().expect("an update") {
                Some(metrics) => rows.push(untimed(metrics)),
                None => break,
            }
        }
        let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
        trainer = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("a trainer");
    }
    let (later, params) = rest(trainer);
    rows.extend(later);
    let (all, end) = whole;
    let what = format!("{} with {} on {}", config.algo, config.optimizer, config.env);
    assert!(all.len() >= 3, "{what}: {} updates", all.len());
    assert_eq!(rows, all, "{what}");
    assert_eq!(params, end, "{what}");
}

#[test]
fn every_algorithm_with_every_optimizer_goes_on_bit_for_bit() {
    for algo in algo::ALGOS {
        for recipe in Registry::default().recipes() {
            breaks_change_nothing(&config(algo.name, recipe.name, "GridWorld-4x4-v0"), &[0, 1, 2, 7]);
        }
    }
}

#[test]
fn chains_with_state_of_every_kind_go_on_bit_for_bit() {
    for optimizer in [
        "add_noise | adam",
        "lookahead(adam(lr=1e-3), k=3)",
        "accumulate(4, adam(lr=1e-3))",
        "trac(adam(lr=1e-3))",
        "adam(lr=1e-3) | ema",
        "adam(lr=1e-3) | shrink_and_perturb",
        "adam(lr=1e-3) | decay_to_initial(0.1)",
        "adam(lr=plateau(1e-2, patience=1))",
        "partition(\"actor.*\", soap(lr=3e-4), \"*\", rmsprop(preset=tf, lr=1e-3))",
        "zero_non_finite | adam(lr=warmup(0.2, cosine(1e-3, 0)))",
    ] {
        breaks_change_nothing(&config("ppo", optimizer, "CartPole-v1"), &[1, 2, 5]);
    }
}

#[test]
fn every_environment_goes_on_bit_for_bit() {
    for env in envs::ids().filter(|id| !id.starts_with("gym-rs/") && !id.starts_with("CliffWalking")) {
        for algo in algo::ALGOS {
            let steps = if algo.name == "reinforce" && env == "FourRooms-v0" { 4_000 } else { 700 };
            breaks_change_nothing(&Config { steps, ..config(algo.name, "adam", env) }, &[2, 3]);
        }
    }
}

#[test]
fn many_lanes_in_groups_go_on_whatever_the_number_of_threads() {
    let wide = Config { envs: 70, steps: 3_000, ..config("a2c", "rmsprop", "CartPole-v1") };
    breaks_change_nothing(&wide, &[1, 3]);
    let mut one = Trainer::new(&wide).expect("a trainer");
    one.step().expect("an update");
    let mut other = Trainer::new(&Config { threads: 1, ..wide }).expect("a trainer");
    other.restore(&one.checkpoint().expect("a state")).expect("the same run");
    assert_eq!(rest(one), rest(other));
}

#[test]
fn another_configuration_is_refused_by_the_name_of_the_setting() {
    let small = config("ppo", "adam", "CartPole-v1");
    let checkpoint = Trainer::new(&small).and_then(|mut trainer| trainer.checkpoint()).expect("a state");
    let restored = |config: Config| Trainer::new(&config).and_then(|mut trainer| trainer.restore(&checkpoint));
    for (name, other) in [
        ("gamma", Config { gamma: 0.5, ..small.clone() }),
        ("hidden", Config { hidden: vec![9], ..small.clone() }),
        ("optimizer", Config { optimizer: "sgd".parse().expect("a spec"), ..small.clone() }),
    ] {
        let refused = restored(other).expect_err("another run").to_string();
        assert!(refused.contains(name), "{refused}");
    }
    restored(small).expect("the same run");
}

#[test]
fn no_bit_of_a_file_can_change_and_no_end_of_it_be_missing() {
    let mut trainer = Trainer::new(&config("ppo", "adam", "GridWorld-4x4-v0")).expect("a trainer");
    trainer.step().expect("an update");
    let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
    let started = Instant::now();
    // Every byte of the header, and every 7th of the rest, in one of its bits.
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes")) as usize;
    for place in (0..header).chain((header..bytes.len()).step_by(7)) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        let refused = Checkpoint::from_bytes(&flipped);
        assert!(matches!(refused, Err(Error::Checkpoint(_))), "bit {} of byte {place}", place % 8);
    }
    for len in (0..header).step_by(3).chain((header..bytes.len()).step_by(97)) {
        assert!(matches!(Checkpoint::from_bytes(&bytes[..len]), Err(Error::Checkpoint(_))), "{len} bytes");
    }
    // A thousand and more of them: none takes anything like a second.
    assert!(started.elapsed() < Duration::from_secs(600));
    assert!(Checkpoint::from_bytes(&bytes).is_ok());
}
