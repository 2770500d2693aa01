//! A user's crate, outside of this repository: its own environment, network, objective, algorithm and optimizer have the whole
//! command line.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod programs;

/// The crate of tests/outside, copied to a folder of its own and built there, in this build's target folder: what both depend
/// on is built once.
fn built(home: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(home.join("src")).expect("a folder");
    for entry in fs::read_dir(root.join("tests/outside/src")).expect("the crate") {
        let file = entry.expect("a file").path();
        fs::copy(&file, home.join("src").join(file.file_name().expect("a name"))).expect("a copy");
    }
    let manifest = fs::read_to_string(root.join("tests/outside/Cargo.toml")).expect("a manifest");
    let here = format!("path = {:?}", root.to_str().expect("text"));
    fs::write(home.join("Cargo.toml"), manifest.replace("path = \"../..\"", &here)).expect("a manifest");
    fs::copy(root.join("Cargo.lock"), home.join("Cargo.lock")).expect("a copy");
    let target = std::env::current_exe().expect("this test").ancestors().nth(3).expect("a target folder").to_path_buf();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(home).args(["build", "--quiet", "--target-dir"]).arg(&target);
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug/outside")
}

struct Outside {
    program: PathBuf,
    home: PathBuf,
}

impl Outside {
    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.home).args(arguments.split_whitespace());
        command
    }

    /// What it prints.
    fn says(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().expect("the program runs");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What it says is wrong.
    fn refuses(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().expect("the program runs");
        assert!(!output.status.success(), "{arguments}");
        String::from_utf8(output.stderr).expect("text")
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.home.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    /// The rows of a run, without the clock's column.
    fn rows(&self, run: &str) -> Vec<String> {
        let text = String::from_utf8(self.bytes(&format!("{run}/metrics.csv"))).expect("text");
        text.lines().map(|line| line.rsplit_once(',').expect("columns").0.to_string()).collect()
    }
}

const OWN: &str = "--env Ferry-v0 --model gelu_trunk --algo calm --optimizer even --seed 3 --quiet";

#[test]
fn parts_of_one_s_own_have_the_whole_command_line() {
    let home = tempfile::tempdir().expect("a folder");
    let outside = Outside { program: built(home.path()), home: home.path().to_path_buf() };
    let said = |kind: &str, name: &str| outside.says(&format!("list {kind} {name}"));
    assert!(said("envs", "Ferry-v0").contains("current      0.2"), "{}", said("envs", "Ferry-v0"));
    assert!(said("algos", "calm").contains("calm_decay"));
    assert!(said("models", "gelu_trunk").contains("units"));
    assert!(said("optimizers", "even").contains("momentum"));

    // Killed and resumed, a run is the run that nobody killed. A step takes a while, so that there is time to.
    let slow = format!("train {OWN} --pause 0.0005 --steps 3072 --checkpoint-every 0 --sinks returns(digits=1)");
    outside.says(&format!("{slow} --out whole"));
    let config = String::from_utf8(outside.bytes("whole/config.toml")).expect("text");
    assert!(config.contains("gamma = 1.0"), "the run's, whatever an environment calls so: {config}");
    let mut killed = outside.command(&format!("{slow} --out killed")).stderr(Stdio::null()).spawn().expect("it runs");
    let patience = Instant::now() + Duration::from_secs(60);
    let checkpoint = home.path().join("killed/checkpoints");
    while fs::read_dir(&checkpoint).map_or(0, Iterator::count) < 3 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().expect("a kill");
    killed.wait().expect("an end");
    assert!(!home.path().join("killed/policy.safetensors").exists(), "killed before its end");
    outside.says("resume killed --quiet");
    assert_eq!(outside.bytes("whole/policy.safetensors"), outside.bytes("killed/policy.safetensors"));
    assert_eq!(outside.rows("whole"), outside.rows("killed"));
    assert_eq!(outside.bytes("whole/returns.txt"), outside.bytes("killed/returns.txt"));
    // What objective and algorithm report by names of their own is there.
    assert!(outside.rows("whole")[0].ends_with(",indifference,calm_coef"), "{}", outside.rows("whole")[0]);

    // Learnt to the optimum that the crate's own value iteration knows, and judged so by another process.
    outside.says(&format!("train {OWN} --steps 20000 --out long --sinks jsonl"));
    assert!(home.path().join("long/metrics.jsonl").exists());
    let optimum: f64 = outside.says("optimum").trim().parse().expect("a number");
    let judged = outside.says("evaluate long --episodes 2000");
    let mean = judged.split_whitespace().nth(2).and_then(|mean| mean.parse::<f64>().ok()).expect("a mean");
    assert!((mean - optimum).abs() < 0.02, "{mean}, at best {optimum}");

    // Around an environment of one's own, and around one of ours, a wrapper of one's own.
    assert!(said("wrappers", "late").contains("first  0  0 to 1000"), "{}", said("wrappers", "late"));
    assert_eq!(outside.says("check CartPole-v1|late|time_aware").matches("keeps its contract").count(), 1);
    outside.says(&format!("train {} --steps 512 --out late", OWN.replace("Ferry-v0", "Ferry-v0|late(first=1)")));
    let config = String::from_utf8(outside.bytes("late/config.toml")).expect("text");
    assert!(config.starts_with("env = \"Ferry-v0 | late(first=1)\"\n"), "{config}");
    outside.says("evaluate late --episodes 5");
    let refused = outside.refuses("train --env Ferry-v0|late(2)");
    assert!(refused.contains("late(first=2) cannot go around Ferry-v0: action 2 is outside"), "{refused}");

    outside.says("plot whole killed long --out curves.svg");
    outside.says(
        "compare --tasks Ferry-v0 --algos calm calm(calm_decay=0.5) --optimizers even sgd --seeds 1 --protocols defaults \
         --steps 512 --quiet --out grid",
    );
    let results = String::from_utf8(outside.bytes("grid/results.csv")).expect("text");
    assert!(results.contains(",calm(calm_decay=0.5),even,") && results.lines().count() == 5, "{results}");
    let small = "--env Ferry-v0 --model gelu_trunk --algo calm --steps 256";
    outside.says(&format!("gradient {small} --optimizer even --batches 10 --episodes 2 --out gradient.svg"));
    outside.says(&format!("landscape {small} --optimizers even sgd --resolution 3 --out landscape.png"));
    for picture in ["curves.svg", "gradient.svg", "landscape.png"] {
        assert!(home.path().join(picture).exists(), "{picture}");
    }

    // What a row does not have, is refused; and so is a run whose rows are not there.
    let refused = outside.refuses(&format!("train {OWN} --env Ferry-v0(curent=0.1)"));
    assert!(refused.contains("cannot be used multiple times"), "{refused}");
    let refused = outside.refuses("train --env Ferry-v0(curent=0.1)");
    assert!(refused.contains("Ferry-v0 has no argument `curent`; did you mean `current`?"), "{refused}");
    let refused = outside.refuses("train --algo ppo --calm-coef 1");
    assert!(refused.contains("calm_coef = 1 has no effect: it is an argument of calm"), "{refused}");
    let refused = outside.refuses("train --env Ferry-v0(pause=1) --pause 0");
    assert!(refused.contains("pause is given twice: as an argument of Ferry-v0"), "{refused}");
    let refused = outside.refuses("train --sinks returns returns(digits=1)");
    assert!(refused.contains("sinks: returns: it is there twice"), "{refused}");
    assert!(outside.says("completions bash").contains("_outside()"));
    for command in ["evaluate", "resume"] {
        let output = programs::example("uphill").current_dir(home.path()).args([command, "whole"]).output();
        let output = output.expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let lacking = "needs what is not known here: environment `Ferry-v0`, model `gelu_trunk`";
        assert!(!output.status.success() && said.contains(lacking), "{command}: {said}");
    }
}
