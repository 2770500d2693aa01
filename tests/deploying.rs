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
    let network = "mlp(hidden=[8], activation=tanh)";
    assert!(said.ends_with(&format!("sb3_a2c.zip: a policy of Stable-Baselines3's, {network}, in p\n")), "{said}");
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
    assert!(fails(home, &["plot", "p"]).contains("there is no metrics.csv here"));
    // What is there is not overwritten unasked.
    let said = fails(home, &import);
    assert!(said.contains("already holds a run: give --force to replace it, or --out another folder"), "{said}");
    succeeds(home, &[&import[..], &["--force"]].concat());
}

#[test]
fn an_import_says_what_it_took_and_leaves_what_is_anothers() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let policy = fs::canonicalize("tests/reference/policies/cleanrl_ppo.safetensors").expect("a file");
    let policy = policy.to_str().expect("text");
    let import = ["import", policy, "--env", "CartPole-v1", "--out"];
    let said = succeeds(home, &[&import[..], &["p"]].concat());
    assert!(said.contains("does not say what stands between its layers: tanh was taken, --activation"), "{said}");
    let said = succeeds(home, &[&import[..], &["q", "--activation", "relu"]].concat());
    assert_eq!(said.lines().count(), 1, "{said}");
    // A folder with anything of others stays as it is; an empty one will do.
    fs::create_dir(home.join("thesis")).expect("a folder");
    succeeds(home, &[&import[..], &["thesis"]].concat());
    fs::create_dir(home.join("notes")).expect("a folder");
    fs::write(home.join("notes/chapter.txt"), "much work").expect("a file");
    for force in [&[][..], &["--force"]] {
        let said = fails(home, &[&import[..], &["notes"], force].concat());
        assert!(said.contains("chapter.txt, and is no run's: give --out a new or an empty folder"), "{said}");
    }
    assert_eq!(fs::read_dir(home.join("notes")).expect("a folder").count(), 1);
}
