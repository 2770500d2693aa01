//! The programs, `uphill` and the examples, run as a user runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The program `uphill`, where the feature `cli` is on, or an example, built as this test was. Cargo builds examples for `cargo test`, but not for `cargo test --test`, and tells a
/// test no path of them: so it is asked, which costs nothing where the example is there already.
pub(crate) fn example(name: &str) -> Command {
    if let (Some(path), "uphill") = (option_env!("CARGO_BIN_EXE_uphill"), name) {
        return Command::new(path);
    }
    static PROGRAMS: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    Command::new(programs.entry(name.into()).or_insert_with(|| build(name)))
}

fn build(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this test");
    let folder = this.ancestors().nth(2).and_then(Path::file_name).expect("target/<profile>/deps/<test>");
    let profile = if folder == "debug" { "dev".as_ref() } else { folder };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--example", name, "--message-format=json", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).arg("--profile").arg(profile);
    for (on, feature) in [
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "metal"), "metal"),
        (cfg!(feature = "gym-rs"), "gym-rs"),
        (cfg!(feature = "mpi"), "mpi"),
    ] {
        if on {
            cargo.args(["--features", feature]);
        }
    }
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).expect("json");
    let messages = messages.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("json"));
    let mut programs = messages.filter(|message| message["target"]["name"] == name);
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.expect("an executable")
}
