//! A run goes on from a checkpoint as if nothing had happened, and from nothing that is no whole checkpoint.

use std::time::{Duration, Instant};

use uphill::optim::Registry;
use uphill::{Checkpoint, Config, Error, Metrics, Trainer, algo, envs};

/// A small run of an algorithm.
fn config(algo: &str, optimizer: &str, env: &str) -> Config {
    let config = Config::new(algo, optimizer).expect("an algorithm with an optimizer");
    let lanes = if ["reinforce", "rloo"].contains(&algo) { 2 } else { 3 };
    let config = match algo {
        "reinforce" | "rloo" => Config { episodes: 2, ..config },
        "ppo" => Config { n_steps: 8, n_minibatches: 2, ..config },
        "npg" | "trpo" => Config { n_steps: 8, n_minibatches: 2, n_epochs: 2, ..config },
        // Of each of its steps there is one of the optimizer.
        "stream_ac" => Config { n_steps: 3, ..config },
        _ => Config { n_steps: 8, ..config },
    };
    let steps = if algo == "stream_ac" { 90 } else { 300 };
    Config { env: env.into(), envs: lanes, hidden: vec![8], steps, ..config }
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
    for algo in algo::ROWS {
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
        "decay_to_initial(0.1) | adam(lr=1e-3)",
        "adam(lr=plateau(1e-2, patience=0.1))",
        "partition(\"actor.*\", soap(lr=3e-4), \"*\", rmsprop(preset=tf, lr=1e-3))",
        "zero_non_finite | adam(lr=warmup(0.2, cosine(1e-3, 0)))",
    ] {
        breaks_change_nothing(&config("ppo", optimizer, "CartPole-v1"), &[1, 2, 5]);
    }
}

#[test]
fn every_environment_goes_on_bit_for_bit() {
    for env in envs::ids().filter(|id| !id.starts_with("gym-rs/")) {
        for algo in algo::ROWS {
            // Whole episodes, of which a policy that has learnt nothing ends few before their limit.
            let limit = envs::make(env).expect("an environment").spec().max_episode_steps.unwrap_or(0);
            if ["reinforce", "rloo"].contains(&algo.name) && !(1..=500).contains(&limit) && env != "Blackjack-v1" {
                // Those take long, or have no end.
                continue;
            }
            let steps = match algo.name {
                "reinforce" | "rloo" if limit >= 200 => 8 * u64::from(limit),
                "stream_ac" => 90,
                _ => 700,
            };
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

/// The bytes with another text of the same length in the header, and the checksum that they should have then.
fn forged(bytes: &[u8], text: &str, other: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let find =
        |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what).expect("a place");
    let mut forged = bytes.to_vec();
    let place = find(bytes, text.as_bytes());
    assert_eq!(text.len(), other.len());
    forged[place..place + other.len()].copy_from_slice(other.as_bytes());
    let sum = find(&forged, b"sha256") + r#"sha256\":\""#.len();
    forged[sum..sum + 64].fill(b'0');
    let hex: String = Sha256::digest(&forged).iter().map(|byte| format!("{byte:02x}")).collect();
    forged[sum..sum + 64].copy_from_slice(hex.as_bytes());
    forged
}

#[test]
fn what_is_whole_but_wrong_says_what_is_wrong() {
    let mut trainer = Trainer::new(&config("ppo", "adam", "GridWorld-4x4-v0")).expect("a trainer");
    trainer.step().expect("an update");
    let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
    let said = |text: &str, other: &str| {
        let read = Checkpoint::from_bytes(&forged(&bytes, text, other));
        read.and_then(|checkpoint| Trainer::resume(&checkpoint)).err().expect("an error").to_string()
    };
    for (text, other, expected) in [
        (
            r#"schema\":2"#,
            r#"schema\":7"#,
            "written by uphill 0.1.0 with schema 7; this is uphill 0.1.0, which reads schema 2",
        ),
        ("uphill.checkpoint", "uphill.cheque0000", "a safetensors file, but not a checkpoint of uphill"),
        ("shuffle_rng", "shuffle_rgn", "there is no array `shuffle_rng`"),
        (r#""shape":[8,16]"#, r#""shape":[16,8]"#, "array `params.actor.0.weight` has shape [16, 8], expected [8, 16]"),
        (r"hidden = [8]", r"hidden = [9]", "array `params.actor.0.weight` has shape [8, 16], expected [9, 16]"),
        (r"gamma = 0.99", r"gamma = 2.99", "its configuration: gamma = 2.99 is impossible: it must lie in [0, 1]"),
    ] {
        assert_eq!(said(text, other), expected);
    }
    // The forger's own tool forges nothing where nothing is changed.
    assert!(Checkpoint::from_bytes(&forged(&bytes, "shuffle_rng", "shuffle_rng")).is_ok());
}

#[test]
fn files_that_claim_more_than_they_are_take_neither_time_nor_memory() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("hostile.safetensors");
    let refused = |bytes: &[u8], len: Option<u64>| {
        std::fs::write(&path, bytes).expect("a file");
        if let Some(len) = len {
            // Without anything on the disk behind it.
            std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(len)).expect("a length");
        }
        let mut refused = None;
        let used = allocation_counter::measure(|| refused = Checkpoint::read(&path).err());
        assert!(used.bytes_max < 1 << 22, "{} bytes of memory", used.bytes_max);
        let refused = refused.expect("an error");
        assert!(matches!(refused, Error::File { .. }), "{refused}");
        refused.to_string()
    };
    let with_header = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    let tera = r#"{"params.x":{"dtype":"F32","shape":[274877906944],"data_offsets":[0,1099511627776]}}"#;
    let overflow = r#"{"params.x":{"dtype":"F32","shape":[18446744073709551615,9],"data_offsets":[0,36]}}"#;
    assert!(refused(b"", None).contains("cut off"));
    assert!(refused(b"1234567", None).contains("cut off"));
    assert!(refused(&u64::MAX.to_le_bytes(), None).contains("with a header of 18446744073709551615"));
    assert!(refused(&(1_u64 << 40).to_le_bytes(), Some(1 << 41)).contains("with a header of"));
    assert!(refused(&with_header(tera), None).contains("cut off"));
    assert!(refused(&with_header(tera), Some((1 << 40) + 8 + tera.len() as u64)).contains("more than the"));
    assert!(refused(&with_header(overflow), None).contains("its header"));
    assert!(refused(&with_header("{]"), None).contains("its header"));
    assert!(refused(&with_header(&"[".repeat(1 << 20)), None).contains("its header"));
}
