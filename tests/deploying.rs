//! Policies come in and go out by the program: imported, judged, exported, and not trained on.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uphill")).current_dir(folder).args(arguments).output().expect("the program runs")
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn an_imported_policy_is_a_run_that_is_judged_and_exported_and_not_gone_on_with() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let file = |name: &str| fs::canonicalize(Path::new("tests/reference/policies").join(name)).expect("a file");
    let [policy, stats] = [file("sb3_a2c.zip"), file("sb3_a2c_stats.npz")];
    let [policy, stats] = [&policy, &stats].map(|path| path.to_str().expect("text"));
    let import = ["import", policy, "--env", "Pendulum-v1", "--out", "p", "--normaliser", stats];
    let said = succeeds(home, &import);
    assert!(said.ends_with("sb3_a2c.zip: a policy of Stable-Baselines3's, mlp, in p\n"), "{said}");
    let said = succeeds(home, &["evaluate", "p", "--episodes", "3"]);
    assert!(said.starts_with("p: return -") && said.contains("over 3 episodes"), "{said}");
    let formats = ["--onnx", "p.onnx", "--c", "p.h", "--rust", "p.rs", "--name", "pendulum"];
    let said = succeeds(home, &[&["export", "p"], &formats[..]].concat());
    let starts =
        ["p.onnx: ONNX of opset 17, ", "p.h: C, ", "p.rs: Rust, "].map(|rest| format!("the policy of p in {rest}"));
    assert_eq!(said.lines().count(), 3, "{said}");
    said.lines().zip(starts).for_each(|(line, start)| assert!(line.starts_with(&start), "{line}"));
    let header = fs::read_to_string(home.join("p.h")).expect("a file");
    assert!(header.contains("void pendulum_act(const float *observation, float *action)"), "{header}");
    // Neither is there a checkpoint to go on from, nor a curve to draw.
    for resume in [&["resume", "p"][..], &["train", "--resume", "p"]] {
        let said = fails(home, resume);
        assert!(said.contains("a policy and no checkpoint to go on from, as one that was imported"), "{said}");
    }
    assert!(fails(home, &["plot", "p"]).contains("metrics.csv: empty"));
    // What is there is not overwritten unasked.
    assert!(fails(home, &import).contains("already holds a run"));
    succeeds(home, &[&import[..], &["--force"]].concat());
}
