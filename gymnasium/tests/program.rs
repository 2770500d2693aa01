//! The command line with Gymnasium's environments, and with environments as others might write them.

use std::path::Path;
use std::process::{Command, Output};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uphill-gymnasium"));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    command.env("PYTHONPATH", tests).env("PYTHONDONTWRITEBYTECODE", "1").args(arguments);
    command
}

fn run(arguments: &[&str]) -> (bool, String, String) {
    ended(&command(arguments).output().expect("the program runs"))
}

fn ended(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_kind_of_space_keeps_the_contract() {
    let keeps = |env: &str| {
        let (good, out, err) = run(&["check", env]);
        // It prints, whoever hears it.
        let said = out.replace("an environment may print\n", "");
        let err = err.replace("an environment may print\n", "");
        assert!(good && said.lines().count() == 1 && said.contains("unusual: it cannot be saved"), "{said}{err}");
    };
    for kind in ["start", "several", "switches", "matrix", "image", "grey"] {
        keeps(&format!("gymnasium/odd:Counter-v0(kind={kind})"));
    }
    keeps("gymnasium/odd:Counter-v0(kind=grey, processes=2)");
    keeps("gymnasium/odd:Brief-v0");
    let (good, err, _) = run(&["check", "gymnasium/odd:Counter-v0(wrappers=[\"odd:Unready\"])"]);
    assert!(
        !good
            && err.contains("Counter-v0 cannot be made: no wheels: ")
            && err.contains("-m pip install \"gymnasium[cars]\"`"),
        "{err}"
    );
    let (good, err, _) = run(&["check", "gymnasium/odd:Counter-v0(kind=words)"]);
    assert!(!good && err.contains("its observation space, Dict("), "{err}");
    let (good, err, _) = run(&["check", "gymnasium/odd:Counter-v0(kind=text)"]);
    assert!(!good && err.contains("its action space, Text("), "{err}");
    let (good, out, err) = run(&["list", "envs", "gymnasium/odd:odd/Counter-v0"]);
    assert!(good && out.contains("raises_after   0") && out.contains("10 to choose from"), "{out}{err}");
    let (_, out, _) = run(&["list", "envs"]);
    assert!(out.contains("gymnasium/ID"), "{out}");
}

#[test]
fn an_exception_arrives_with_its_traceback_lane_and_seed() {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run");
    let train = |env: &str| {
        let out = out.to_str().expect("text");
        run(&["train", "--env", env, "--steps", "64", "--envs", "3", "--seed", "5", "--out", out, "--quiet", "--force"])
    };
    for processes in ["", ", processes=2"] {
        let (good, _, err) = train(&format!("gymnasium/odd:Counter-v0(raises_after=3{processes})"));
        assert!(!good, "{err}");
        for said in [
            "gymnasium/odd:Counter-v0, lane 0, step 2 of its episode, seed ",
            "the environment raised RuntimeError: the wheel came off\n",
            "odd.py\", line ",
            "raise RuntimeError(\"the wheel came off\")",
        ] {
            assert!(err.contains(said), "{said}: {err}");
        }
    }
    let (good, _, err) = train("gymnasium/odd:Counter-v0(exits_after=2, processes=2)");
    assert!(!good && err.contains("its worker process ended (exit status: 7)"), "{err}");
    let (good, _, err) = train("gymnasium/odd:Counter-v0(kind=matrix, shape=\"(0, 3)\")");
    assert!(!good && err.contains("at least 1 number in an observation"), "{err}");
}

#[test]
fn a_run_is_trained_gone_on_with_and_judged() {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run");
    let out = out.to_str().expect("text");
    let env = "gymnasium/CartPole-v1(processes=2)";
    let (good, _, err) = run(&["train", "--env", env, "--steps", "4096", "--out", out, "--quiet"]);
    assert!(good, "{err}");
    let config = std::fs::read_to_string(Path::new(out).join("config.toml")).expect("a file");
    assert!(config.contains("env = \"gymnasium/CartPole-v1(processes=2)\"\n"), "{config}");
    let (good, said, err) = run(&["evaluate", out, "--episodes", "4"]);
    assert!(good && said.contains("4 episodes"), "{said}{err}");
    let (good, _, err) = run(&["resume", out, "--continue-for", "1024", "--quiet"]);
    assert!(good, "{err}");
}

#[test]
fn what_python_lacks_is_told_with_the_interpreter_that_is_used() {
    let home = tempfile::tempdir().expect("a folder");
    let python = home.path().join("bin/python3");
    std::fs::create_dir(home.path().join("bin")).expect("a folder");
    let told = |script: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(&python, format!("#!/bin/sh\n{script}\n")).expect("a file");
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).expect("a program");
        let output = command(&["list", "envs", "gymnasium/CartPole-v1"]).env("VIRTUAL_ENV", home.path()).output();
        let (good, _, err) = ended(&output.expect("the program runs"));
        assert!(!good, "{err}");
        err
    };
    let version = env!("UPHILL_PYTHON_VERSION");
    let err = told("echo '{\"version\": \"2.7\", \"executable\": \"/x/python\", \"path\": []}'");
    assert!(err.contains(&format!("is Python 2.7, and this program was built for {version}: activate")), "{err}");
    let err = told("echo no such thing >&2");
    assert!(err.contains("does not tell what it is: no such thing"), "{err}");
    // A Python that has its own library alone.
    let library = "import sys, json; print(json.dumps([p for p in sys.path if p and \"-packages\" not in p]))";
    let python3 = std::env::var_os("VIRTUAL_ENV").map_or("python3".into(), |home| Path::new(&home).join("bin/python3"));
    let own = Command::new(python3).args(["-c", library]).env_remove("PYTHONPATH").output().expect("Python");
    let path = String::from_utf8(own.stdout).expect("text");
    let said = format!("{{\"version\": \"{version}\", \"executable\": \"/x/python\", \"path\": {}}}", path.trim());
    let err = told(&format!("echo '{said}'"));
    assert!(err.contains("/x/python has no Gymnasium: `/x/python -m pip install gymnasium` installs it"), "{err}");
}
