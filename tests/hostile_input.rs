//! Input from outside never panics, hangs or fills the memory: the fuzz targets' properties on their corpora and on random
//! texts made of the words that each format knows, and what fuzzing and reading the code found, each by name.
#![cfg(feature = "pictures")]

use std::path::Path;

use allocation_counter::measure;
use proptest::prelude::*;
use safetensors::SafeTensors;
use uphill::envs::{GridWorld, GridWorldConfig, MdpError};
use uphill::optim::Registry;
use uphill::plot::{PlotOptions, RecordedRun, reward_curve};
use uphill::words::Spec;
use uphill::{Checkpoint, Config, Trainer};

#[path = "../fuzz/properties.rs"]
mod properties;

#[test]
fn the_corpora_hold_what_is_promised() {
    for (target, property) in [
        ("optimizer_spec", properties::optimizer_spec as fn(&[u8])),
        ("config", properties::config),
        ("gridworld", properties::gridworld),
        ("metrics", properties::metrics),
        ("checkpoint", properties::checkpoint),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> = folder.read_dir().expect("a corpus").map(|file| file.expect("a file").path()).collect();
        assert!(files.len() >= 8, "{target} has {} seeds", files.len());
        for file in files {
            property(&std::fs::read(&file).expect("a seed"));
        }
    }
}

/// A run as small as there is one, of which fuzzing changes bytes.
fn tiny(algo: &str, optimizer: &str) -> Config {
    let defaults = Config::new(algo, optimizer).expect("an algorithm with an optimizer");
    let defaults = match algo {
        "reinforce" => Config { episodes: 1, ..defaults },
        _ => Config { n_steps: 8, n_epochs: 1, n_minibatches: 1, ..defaults },
    };
    Config { env: "GridWorld-4x4-v0".into(), envs: 1, hidden: vec![1], steps: 16, threads: 1, ..defaults }
}

#[test]
fn the_corpus_of_checkpoints_is_of_this_version() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/checkpoint");
    for file in folder.read_dir().expect("a corpus").map(|file| file.expect("a file").path()) {
        if file.extension().is_some() {
            let checkpoint = Checkpoint::read(&file).expect("a checkpoint: make the corpus again with the test below");
            Trainer::resume(&checkpoint).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        }
    }
}

#[test]
#[ignore = "writes into fuzz/corpus: for when the layout of checkpoints has changed"]
fn the_corpus_of_checkpoints_is_made_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/checkpoint");
    let mut of_one_lane = Vec::new();
    for (algo, optimizer) in [
        ("a2c", "adafactor"),
        ("a2c", "rmsprop"),
        ("ppo", "adam"),
        ("ppo", "muon"),
        ("ppo", "schedule_free_adamw"),
        ("ppo", "sgd"),
        ("ppo", "soap"),
        ("reinforce", "momentum"),
    ] {
        let mut trainer = Trainer::new(&tiny(algo, optimizer)).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        let checkpoint = trainer.checkpoint().expect("a state");
        checkpoint.write(&folder.join(format!("{algo}-{optimizer}.safetensors"))).expect("a file");
        of_one_lane = checkpoint.to_bytes().expect("bytes");
    }
    // What fuzzing has found: a NaN as the only number of an array.
    let (header, metadata) = SafeTensors::read_metadata(&of_one_lane).expect("a header");
    let (from, to) = metadata.info("lanes.episode_return").expect("an array").data_offsets;
    of_one_lane[8 + header + from..8 + header + to].copy_from_slice(&f64::NAN.to_le_bytes());
    std::fs::write(folder.join("not-a-number-of-one-lane"), of_one_lane).expect("a file");
}

/// Words of a format in any order, some of them cut.
fn soup(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = (proptest::sample::select(words), 0..40usize);
    let word = word.prop_map(|(word, cut)| word.chars().take(if cut < 3 { cut } else { 99 }).collect::<String>());
    proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

const SPEC: &[&str] = &[
    "adam",
    "sgd",
    "soap",
    "muon",
    "lamb",
    "warmup",
    "cosine",
    "piecewise",
    "partition",
    "masked",
    "lookahead",
    "lr=",
    "beta1=",
    "eps=",
    "(",
    "(",
    ")",
    ")",
    ",",
    " | ",
    "\"*\"",
    "'weights'",
    "1e-3",
    "0",
    "-1",
    "1e308",
    "inf",
    "nan",
    "é",
];
const TOML: &[&str] = &[
    "algo",
    "env",
    "envs",
    "n_steps",
    "hidden",
    "optimizer",
    "lr",
    "seed",
    "gridworld",
    "map",
    "slip",
    "cell_rewards",
    "=",
    " = ",
    "\n",
    "\n",
    "\n",
    "'ppo'",
    "'CartPole-v1 | time_aware'",
    "'GridWorld | hide([0])'",
    "'adam(1e-3)'",
    "'S.G'",
    "[",
    "]",
    "[[",
    "{",
    "}",
    ".",
    ",",
    "1",
    "64",
    "-1",
    "1e999",
    "nan",
    "inf",
    "true",
    "9223372036854775807",
    "'''",
    "\"\"\"",
    "#",
];
const MAP: &[&str] = &["S", "G", ".", ".", "#", "O", "C", "\n", "\n", "\r\n", " ", "x", "é", "S.G", "map = '", "'"];
const CSV: &[&str] = &[
    "env_steps",
    "episode_return_mean",
    "env_steps,episode_return_mean\n",
    "\n",
    "\n",
    ",",
    ",",
    "\"",
    "1",
    "2",
    "1e100",
    "-1e101",
    "nan",
    "18446744073709551615",
    " ",
    "\r\n",
    "\n---\n",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_optimizer(text in soup(SPEC)) {
        properties::optimizer_spec(text.as_bytes());
    }

    #[test]
    fn any_configuration(text in soup(TOML)) {
        properties::config(text.as_bytes());
    }

    #[test]
    fn any_world(text in soup(MAP)) {
        properties::gridworld(text.as_bytes());
    }

    #[test]
    fn any_metrics(text in soup(CSV)) {
        properties::metrics(format!("env_steps,episode_return_mean\n{text}").as_bytes());
        properties::metrics(text.as_bytes());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        properties::optimizer_spec(&bytes);
        properties::config(&bytes);
        properties::gridworld(&bytes);
        properties::metrics(&bytes);
    }
}

/// Numbers at the edges of what a run may hold.
fn edge() -> impl Strategy<Value = f64> {
    let edges = [0.0, -0.0, 1.0, -1.0, 1e100, -1e100, 5e-324, 1e-300, 0.1, 1e15, 123_456.789];
    prop_oneof![proptest::sample::select(edges.to_vec()), -1e3..1e3]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_can_be_read_can_be_drawn(
        steps in proptest::collection::vec(
            prop_oneof![0..10u64, any::<u64>(), Just(u64::MAX), (1u64 << 53)..(1 << 53) + 4], 1..6),
        values in proptest::collection::vec(edge(), 6),
        smooth in prop_oneof![Just(0.0), Just(0.02), Just(1.0)],
        name in "\\PC{0,60}",
    ) {
        let mut steps = steps;
        steps.sort_unstable();
        let rows: String = steps.iter().zip(&values).map(|(step, value)| format!("{step},{value}\n")).collect();
        let config = toml::Table::from_iter([
            ("env".to_string(), format!("e{name}").into()),
            ("algo".into(), "ppo".into()),
            ("optimizer".into(), format!("o{name}").into()),
            ("seed".into(), toml::Value::Integer(1)),
        ]);
        let table = format!("env_steps,episode_return_mean\n{rows}");
        let run = RecordedRun::parse("run", config.to_string().as_bytes(), table.as_bytes(), "episode_return_mean");
        let run = run.expect("a run");
        let home = tempfile::tempdir().expect("a folder");
        let options = PlotOptions { width: 240, height: 180, smooth, ..PlotOptions::default() };
        reward_curve(&[run.clone(), RecordedRun { algo: "a2c".into(), ..run }], &options, home.path().join("curve.png"))
            .expect("a picture");
    }
}

const DEEP: usize = 100_000;

#[test]
fn nesting_beyond_any_use_is_refused_and_exhausts_no_stack() {
    for text in [
        "a(".repeat(DEEP),
        "(".repeat(DEEP),
        format!("{}1{}", "warmup(0.1, ".repeat(DEEP), ")".repeat(DEEP)),
        format!("{}adam{}", "masked('*', ".repeat(DEEP), ")".repeat(DEEP)),
    ] {
        assert!(text.parse::<Spec>().is_err());
    }
    for text in [
        format!("hidden = {}", "[".repeat(DEEP)),
        format!("hidden = {}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        format!("hidden = {}1{}", "{a = ".repeat(DEEP), "}".repeat(DEEP)),
        format!("{}a = 1", "a.".repeat(DEEP)),
        format!("[{}a]\n", "a.".repeat(DEEP)),
        format!("optimizer = {{ {}a = 1 }}", "a.".repeat(DEEP)),
    ] {
        assert!(Config::from_toml(&text).is_err());
        assert!(toml::from_str::<GridWorldConfig>(&text).is_err());
        properties::metrics(format!("{text}\n---\n").as_bytes());
    }
}

#[test]
fn a_long_chain_takes_time_and_room_in_proportion() {
    let chain = format!("{}adam", "centralize | ".repeat(20_000));
    let spec: Spec = chain.parse().expect("a chain");
    let peak = measure(|| assert!(Registry::default().chain(&spec).is_err())).bytes_max;
    assert!(peak < 16 << 20, "{peak} bytes for {} of text", chain.len());
}

#[test]
fn metrics_take_room_in_proportion_to_their_points() {
    let rows = format!("env_steps,episode_return_mean\n{}", "1,2\n".repeat(200_000));
    let config = b"env = 'e'\nalgo = 'a'\noptimizer = 'o'\nseed = 1\n";
    let peak = measure(|| {
        let run = RecordedRun::parse("run", config, rows.as_bytes(), "episode_return_mean").expect("a run");
        assert_eq!(run.values.len(), 200_000);
    })
    .bytes_max;
    // 16 bytes a point, in vectors that double.
    assert!(peak < 10 << 20, "{peak} bytes for 200000 points");
}

#[test]
fn a_map_whose_every_cliff_leads_to_every_start_has_no_model_rather_than_one_of_a_gigabyte() {
    let map = format!("{}G\n{}\n", "S".repeat(63), "C".repeat(64)).repeat(32);
    let world = GridWorld::new(GridWorldConfig { map, slip: 0.5, ..GridWorldConfig::default() }).expect("a world");
    let too_large = || matches!(world.model(), Err(MdpError::TooLarge { most: 1_048_576 }));
    let peak = measure(|| assert!(too_large())).bytes_max;
    assert!(peak < 128 << 20, "{peak} bytes");
    // As many cliffs with one start are a model like any other.
    let map = format!("{}\n{}.\n", ".".repeat(64), "C".repeat(63)).repeat(32);
    let map = format!("S{}G{}", &map[1..63], &map[64..]);
    let world = GridWorld::new(GridWorldConfig { map, slip: 0.5, ..GridWorldConfig::default() }).expect("a world");
    assert!(world.model().is_ok());
}
