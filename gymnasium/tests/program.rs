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

/// Trains shortly in an environment, and returns the folder.
fn trained(home: &Path, env: &str) -> String {
    let out = home.join("run").to_str().expect("text").to_string();
    let (good, _, err) =
        run(&["train", "--env", env, "--steps", "64", "--envs", "2", "--out", &out, "--quiet", "--force"]);
    assert!(good, "{err}");
    out
}

#[test]
fn an_episode_is_seen_as_the_environment_paints_it() {
    let home = tempfile::tempdir().expect("a folder");
    // Training makes it without a render_mode, which evaluation tells by what it shows.
    let out = trained(home.path(), "gymnasium/odd:Painter-v0");
    let at = |name: &str| home.path().join(name).to_str().expect("text").to_string();
    let (gif, apng) = (at("it.gif"), at("it.png"));
    let (good, said, err) = run(&["evaluate", &out, "--episodes", "1", "--gif", &gif, "--apng", &apng]);
    assert!(good && said.contains("6 frames in"), "{said}{err}");
    assert!(std::fs::read(&gif).expect("a file").starts_with(b"GIF89a"));
    let mut reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&apng).expect("a file")))
        .read_info()
        .expect("a picture");
    assert_eq!((reader.info().width, reader.info().height), (600, 400));
    assert_eq!(reader.info().animation_control.map(|frames| frames.num_frames), Some(6));
    let mut pixels = vec![0; 600 * 400 * 3];
    reader.next_frame(&mut pixels).expect("a frame");
    // 5 of 30 columns are painted at the start, and 20 times as large.
    assert!(pixels.chunks(3 * 600).all(|row| row[..300] == [200, 100, 50].repeat(100) && row[300..] == [0; 1500]));
    let (good, said, err) = run(&["evaluate", &out, "--episodes", "1", "--watch", "--max-steps", "1", "--fps", "50"]);
    assert!(good && said.contains("\u{1b}[38;2;200;100;50m"), "{said}{err}");
    let card = at("card");
    let (good, _, err) = run(&["card", &out, "--episodes", "1", "--out", &card]);
    assert!(good && Path::new(&card).join("replay.gif").exists(), "{err}");
    let page = at("page.html");
    let (good, _, err) = run(&["report", &out, "--out", &page]);
    let page = std::fs::read_to_string(&page).expect("a page");
    assert!(good && page.matches("data:image/png;base64,").count() == 6, "{err}");
}

#[test]
fn what_cannot_be_seen_says_why() {
    let home = tempfile::tempdir().expect("a folder");
    let gif = home.path().join("it.gif").to_str().expect("text").to_string();
    for (env, reason) in [
        ("odd:Counter-v0", "has no picture to show: it renders in no mode, and pictures need rgb_array"),
        (
            "odd:Painter-v0(paints=numbers)",
            "to show: its render() returned float64 of shape (20, 30, 3), and an rgb_array is uint8",
        ),
        ("odd:Painter-v0(paints=grey)", "its render() returned uint8 of shape (20, 30), and"),
        ("odd:Painter-v0(paints=nothing)", "its render() returned NoneType, and an rgb_array"),
    ] {
        let out = trained(home.path(), &format!("gymnasium/{env}"));
        let (good, _, err) = run(&["evaluate", &out, "--episodes", "1", "--gif", &gif]);
        assert!(!good && err.contains(reason) && !Path::new(&gif).exists(), "{env}: {err}");
    }
    // A card does without.
    let out = trained(home.path(), "gymnasium/odd:Counter-v0");
    let card = home.path().join("card").to_str().expect("text").to_string();
    let (good, _, err) = run(&["card", &out, "--episodes", "1", "--out", &card]);
    assert!(good && err.contains("there is no replay.gif: ") && err.contains("it renders in no mode"), "{err}");
    let out = trained(home.path(), "gymnasium/odd:Painter-v0(paints=rarely)");
    let (good, _, err) = run(&["evaluate", &out, "--episodes", "1", "--gif", &gif]);
    assert!(
        !good && err.contains("raised RuntimeError: no paint is left\n") && err.contains("odd.py\", line "),
        "{err}"
    );
}

#[test]
fn what_paints_and_is_not_there_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run").to_str().expect("text").to_string();
    let train =
        ["train", "--env", "gymnasium/InvertedPendulum-v5", "--steps", "64", "--envs", "2", "--out", &out, "--quiet"];
    let (good, _, err) = run(&train);
    if !good && err.contains("gymnasium[mujoco]") {
        return eprintln!("skipped: this Python has no MuJoCo");
    }
    assert!(good, "{err}");
    // It needs a display, and there is none.
    let gif = home.path().join("it.gif");
    let mut evaluate = command(&["evaluate", &out, "--episodes", "1", "--gif", gif.to_str().expect("text")]);
    let evaluate = evaluate.env("MUJOCO_GL", "glfw").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let (good, _, err) = ended(&evaluate.output().expect("the program runs"));
    assert!(!good && err.contains("InvertedPendulum-v5 has no picture to show: "), "{err}");
    assert!(err.contains("MuJoCo paints by libEGL or libOSMesa") && err.len() < 1200, "{err}");
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
