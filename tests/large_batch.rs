//! The driver of the study of large batches, `examples/large_batch`: what it runs, what wins, and that a kill loses nothing.
#![cfg(feature = "cli")]

#[path = "../examples/large_batch/noise.rs"]
mod noise;
#[path = "../examples/large_batch/record.rs"]
mod record;
#[path = "../examples/large_batch/report.rs"]
mod report;
#[path = "../examples/large_batch/runs.rs"]
mod runs;
#[path = "../examples/large_batch/study.rs"]
mod study;
#[path = "../examples/large_batch/tables.rs"]
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use record::Record;
use report::Found;
use runs::{Trial, winner};
use study::{Rule, Size, Study};
use uphill::stats::Reached;

const SMALL: &str = "
[settings]
env = 'CartPole-v1'
hidden = [4]
n_steps = 16
n_epochs = 2
n_minibatches = 1
anneal_lr = false
stop_at_return = 22.0
eval_episodes = 4
eval_deterministic = false

[tuning]
base_multiples = [1.0, 2.0]
multiples = [1.0, 4.0]
seeds = { first = 101, count = 1 }

[reported]
seeds = { first = 1, count = 3 }
replicates = 50

[noise]
runs = 1
at = [0.0, 1.0]
lanes = 24
lanes_of_batch = 2
warm_up = 8

[[optimizers]]
spec = 'adam'
lr = 0.01

[[optimizers]]
spec = 'muon(adam_lr=1e-3)'
lr = 0.1
scaled_too = ['adam_lr']

[[sizes]]
batch = 32
eval_every = 64
steps = 256

[[sizes]]
batch = 128
eval_every = 128
steps = 512
";

fn read(text: &str, folder: &Path) -> uphill::Result<Study> {
    let path = folder.join("study.toml");
    std::fs::write(&path, text).expect("a file");
    Study::read(&path)
}

/// The files of a folder with what is in them.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), std::fs::read(path).expect("bytes"))).collect()
}

#[test]
fn learning_rates_go_with_the_batch_as_the_rule_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = read(SMALL, folder.path()).expect("a study");
    assert_eq!(Rule::Sqrt.factor(2_048, 512), Some(2.0));
    assert_eq!(Rule::Linear.factor(2_048, 512), Some(4.0));
    assert_eq!(Rule::Tuned.factor(2_048, 512), None);
    let [small, large] = &study.sizes[..] else { panic!("two sizes") };
    assert_eq!((study.rules(small), study.rules(large)), (&[Rule::Tuned][..], &Rule::ALL[..]));
    assert_eq!(study.tried(small, None), [1.0, 2.0]);
    assert_eq!(study.tried(large, Some(2.0)), [2.0, 8.0], "multiples of what was best at the first size");
    let config = study.config(&study.optimizers[1], large, 4.0, 7).expect("settings");
    assert_eq!((config.envs, config.n_steps, config.steps, config.seed), (8, 16, 512, 7));
    assert_eq!((config.lr, config.optimizer.to_string().as_str()), (0.4, "muon(adam_lr=0.004)"));
    assert_eq!((study.runs(small), study.runs(large)), (2 * (2 + 3), 2 * (2 + 9)));
    // A run that does not get there ends with its rollout, and is counted for as long as it ran.
    let cut = Size { steps: 400, ..*large };
    assert_eq!((large.rollouts(), large.all_steps(), cut.rollouts(), cut.all_steps()), (4, 512, 4, 512));
}

#[test]
fn what_could_not_be_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused =
        |from: &str, to: &str| read(&SMALL.replace(from, to), folder.path()).expect_err("refused").to_string();
    assert!(refused("first = 101", "first = 3").contains("seed 3 is tuned on and reported"));
    assert!(refused("batch = 128", "batch = 120").contains("must be a multiple of n_steps = 16"));
    assert!(refused("batch = 128", "batch = 16").contains("sizes must rise"));
    assert!(refused("[1.0, 4.0]", "[4.0, 1.0]").contains("tuning.multiples must be numbers above 0 that rise"));
    assert!(refused("spec = 'adam'", "spec = 'adan'").contains("adan"));
    assert!(refused("[tuning]", "[tuned]").contains("tuned"));
}

#[test]
fn the_study_of_the_docs_is_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/studies/large-batch/study.toml");
    let study = Study::read(&path).expect("a study");
    assert!(study.reported.seeds.count() >= 10 && study.optimizers.len() == 7);
    assert_eq!(study.tuning.base_multiples.len(), study.tuning.multiples.len(), "an equal budget");
    assert_eq!(
        study.sizes.iter().map(|size| size.batch).collect::<Vec<_>>()[..],
        [512, 2_048, 8_192, 32_768, 131_072, 262_144]
    );
}

#[test]
fn what_takes_the_fewest_steps_wins_and_what_diverged_never_got_there() {
    let record = |reached, env_steps, diverged, last| Record {
        config: String::new(),
        reached,
        env_steps,
        rollouts: 1,
        diverged,
        evaluations: vec![(env_steps, last)],
        seconds: 0.0,
    };
    let trial = |records: &[&Record]| Trial { multiple: 1.0, records: records.iter().copied().cloned().collect() };
    let (fast, slow) = (record(true, 100, None, 30.0), record(true, 300, None, 30.0));
    let broken = record(false, 50, Some(3), 500.0);
    assert_eq!((fast.steps(900), broken.steps(900)), (Reached::At(100), Reached::NotBy(900)));
    assert_eq!((fast.last_return(), broken.last_return()), (Some(30.0), None));
    let tried = [trial(&[&broken, &fast]), trial(&[&slow, &slow]), trial(&[&slow, &fast])];
    assert_eq!(winner(&tried, 900), 2);
    assert_eq!(winner(&tried[..2], 900), 1, "a run that diverged counts all its steps");
    let never = |last| trial(&[&record(false, 900, None, last)]);
    assert_eq!(
        winner(&[never(20.0), never(40.0), never(40.0)], 900),
        1,
        "the larger return, then the smaller learning rate"
    );
}

#[test]
fn a_study_that_was_killed_comes_out_the_same_to_the_byte_and_repeats_no_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = read(SMALL, folder.path()).expect("a study");
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let make =
        |out: &Path, works| Found::of(&study, out, works).and_then(|found| found.write_tables(out).map(|()| found));
    make(&whole, true).and_then(|found| found.write_report(&whole)).expect("a study");
    let tables = ["results.csv", "statistics.csv", "noise.csv"];
    let results = std::fs::read_to_string(whole.join("results.csv")).expect("text");
    assert_eq!(results.lines().count(), 1 + 10 + 22, "a row a run under each rule");
    for picture in ["tuned-steps", "tuned-updates", "rules-steps", "rules-updates"] {
        assert!(whole.join(format!("pictures/{picture}.png")).is_file(), "{picture}");
    }

    // Killed after some runs, in the midst of writing one, and with one that a disk has damaged.
    let records = files(&whole.join("records"));
    std::fs::create_dir_all(killed.join("records")).expect("a folder");
    let there = |path: &Path| killed.join("records").join(path.file_name().expect("a name"));
    for (path, bytes) in records.iter().step_by(2) {
        std::fs::write(there(path), bytes).expect("a file");
    }
    let (damaged, bytes) = records.iter().nth(1).expect("a record");
    std::fs::write(there(damaged), &bytes[..bytes.len() / 2]).expect("a file");
    std::fs::write(there(damaged).with_extension("json.part"), b"{").expect("a file");
    let error = make(&killed, false).err().expect("nothing to report").to_string();
    assert!(error.contains("leave --report out"), "{error}");
    make(&killed, true).expect("a study");
    for table in tables {
        assert_eq!(std::fs::read(whole.join(table)).ok(), std::fs::read(killed.join(table)).ok(), "{table}");
    }
    for (path, bytes) in records.iter().step_by(2) {
        assert_eq!(&std::fs::read(there(path)).expect("bytes"), bytes, "done once: {}", path.display());
    }

    // Of what is not whole nothing is said but that it is missing.
    let last = records.keys().find(|path| path.to_string_lossy().contains("muon-128-x")).expect("a record");
    std::fs::remove_file(there(last)).expect("removed");
    let report = make(&killed, false).expect("a report").text();
    assert!(report.contains("of 3 of 4 pairs"), "{report}");

    // Other settings are another study.
    let other = read(&SMALL.replace("n_epochs = 2", "n_epochs = 3"), folder.path()).expect("a study");
    let error = Found::of(&other, &whole, true).err().expect("another study").to_string();
    assert!(error.contains("it is of a run of other settings"), "{error}");
}
