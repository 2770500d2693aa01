//! What `uphill new` writes builds, passes its test and trains.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn uphill(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uphill")).current_dir(folder).args(arguments).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_new_crate_builds_passes_its_test_and_trains_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = tempfile::tempdir().expect("a folder");
    let text = |file: &str| fs::read_to_string(home.path().join(file)).expect("a file");
    // A name that the environment's own code has another meaning for.
    assert!(uphill(home.path(), &["new", "action"]).status.success());
    assert!(text("action/src/environment.rs").contains("struct ActionEnv {"), "and no Action beside the one it takes");
    let made = uphill(home.path(), &["new", "my-room_2", "--uphill", root.to_str().expect("text")]);
    assert!(made.status.success(), "{}", said(&made));
    let folder = home.path().join("my-room_2");
    // The versions that are built here already.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("a copy");
    let target = std::env::current_exe().expect("this test").ancestors().nth(3).expect("a target folder").to_path_buf();
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let output =
            cargo.current_dir(&folder).args(arguments).arg("--target-dir").arg(&target).output().expect("cargo");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    let tested = cargo(&["test", "--offline"]);
    assert!(tested.contains("2 passed") && !tested.contains("warning"), "{tested}");
    cargo(&["build", "--offline", "--quiet"]);
    let own = |arguments: &str| {
        let program = target.join("debug/my-room_2");
        let output = Command::new(program).current_dir(&folder).args(arguments.split(' ')).output().expect("it runs");
        assert!(output.status.success(), "{arguments}: {}", said(&output));
        said(&output)
    };
    own("train --config config.toml --steps 4096 --quiet --out runs/A");
    assert!(own("evaluate runs/A --episodes 5").contains("return"));
    assert!(own("list envs MyRoom2-v0").contains("frost"));
    assert_eq!(own("check MyRoom2-v0"), "MyRoom2-v0: keeps its contract\n");
    let compared = "compare --tasks MyRoom2-v0 --algos ppo a2c --optimizers adam sgd --seeds 2 --steps 600";
    own(&format!("{compared} --protocols defaults --out comparison"));
    // A look that is forgotten is told by its name: nothing else has written in its place.
    let (environment, look) = (text("my-room_2/src/environment.rs"), "self.show(observation);");
    assert_eq!(environment.matches(look).count(), 2, "of reset and step");
    fs::write(folder.join("src/environment.rs"), environment.replace(look, "")).expect("a file");
    cargo(&["build", "--offline", "--quiet"]);
    let blind = Command::new(target.join("debug/my-room_2")).args(["check", "MyRoom2-v0"]).output().expect("it runs");
    let told = "MyRoom2-v0: wrong: observation[0] was not written, after reset(Some(0));";
    assert!(said(&blind).starts_with(told), "{}", said(&blind));
    fs::write(folder.join("src/environment.rs"), environment).expect("a file");
    let readme = text("my-room_2/README.md");
    assert!(readme.starts_with("# my_room_2\n") && readme.contains("--tasks MyRoom2-v0"), "{readme}");
    for file in ["Cargo.toml", "README.md", "config.toml", "src/lib.rs", "src/main.rs", "src/environment.rs"] {
        let written = text(&format!("my-room_2/{file}"));
        let left = ["NAME", "TYPE", "CRATE", "PACKAGE", "UPHILL"].iter().find(|word| written.contains(*word));
        assert_eq!(left, None, "{file}");
    }
}

#[test]
fn what_is_no_name_or_there_already_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join("there")).expect("a folder");
    for (arguments, why) in [
        (
            &["new", "2fast"][..],
            "`2fast` is no name of a crate: it has up to 60 letters, digits, `-` and `_`, a letter first",
        ),
        (&["new", "my task"], "is no name of a crate"),
        (&["new", "a/.."], "is no name of a crate"),
        (&["new", "match"], "a crate cannot be called `match`: Rust or uphill has that name; my-match is one"),
        (&["new", "uphill"], "my-uphill is one"),
        (
            &["new", "t-maze"],
            "there is an environment TMaze-v0, and this crate's would be TMaze-v0: give the folder another name, such as my-t-maze",
        ),
        (&["new", "Grid_World"], "there is an environment GridWorld, and this crate's would be GridWorld-v0"),
        (&["new", "cartpole"], "there is an environment CartPole-v1, and this crate's would be Cartpole-v0"),
        (&["new", "minatar-breakout"], "there is an environment MinAtar/Breakout-v1,"),
        (&["new", "there"], "there is there already: give the folder another name"),
        (&["new", "fine", "--uphill", "nowhere"], "--uphill nowhere: there is no source of uphill"),
    ] {
        let output = uphill(home.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said(&output).contains(why), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 1, "nothing is written");
}
