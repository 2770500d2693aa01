//! The program `uphill`: every command works from an empty folder, and does what the example of its name does.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rayon::prelude::*;
use uphill::optim::Registry;
use uphill::{Config, RunFolder, Trainer, algo, envs};

mod programs;

const SHORT: &str = "--env GridWorld-4x4-v0 --steps 1500 --hidden 8 --n-steps 64";

/// The commands that are examples, too, and what these are called.
const EXAMPLES: [(&str, &str); 7] = [
    ("train", "train"),
    ("evaluate", "evaluate"),
    ("plot", "plot"),
    ("compare", "compare_optimizers"),
    ("gradient", "gradient_quality"),
    ("landscape", "landscape"),
    ("descent", "descent"),
];
const OTHERS: [&str; 12] =
    ["resume", "export", "import", "card", "report", "watch", "tune", "new", "check", "list", "completions", "man"];

/// Short work for each of them, after a run in `r`, and what it leaves.
const WORK: [(&str, &str, &[&str]); 8] = [
    (
        "train",
        "--env GridWorld-4x4-v0 --steps 512 --hidden 8 --quiet --out t",
        &["t/config.toml", "t/policy.safetensors"],
    ),
    ("evaluate", "r --episodes 3 --gif e.gif --apng e.png --max-steps 3", &["e.gif", "e.png"]),
    ("plot", "r --out p.png", &["p.png"]),
    (
        "compare",
        "--tasks GridWorld-4x4-v0 --algos a2c --optimizers sgd adam --seeds 2 --protocols defaults --list-cells",
        &[],
    ),
    (
        "compare",
        "--tasks GridWorld-4x4-v0 --algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --quiet --out c",
        &["c/grid.toml", "c/results.csv"],
    ),
    ("gradient", "--steps 0 --batches 10 --episodes 1 --hidden 2 --n-steps 1 --gae-lambdas 0 --out g.png", &["g.png"]),
    ("landscape", "--steps 256 --optimizers sgd --hidden 2 --resolution 3 --directions random --out l.png", &["l.png"]),
    ("descent", "--steps 5 --optimizers sgd(lr=1e-3) --no-gif --scale 0.5 --out d.png", &["d.png"]),
];

fn uphill() -> Command {
    Command::new(env!("CARGO_BIN_EXE_uphill"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Runs a program in a folder; arguments are separated by spaces.
fn run(mut program: Command, folder: &Path, arguments: &str) -> Output {
    program.current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

fn succeeds(program: Command, folder: &Path, arguments: &str) -> String {
    let output = run(program, folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn says(arguments: &str) -> String {
    succeeds(uphill(), &std::env::temp_dir(), arguments)
}

/// `metrics.csv` without its last column, the only one that a clock decides.
fn metrics(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    text.lines().map(|line| line.rsplit_once(',').expect("columns").0.to_string()).collect()
}

#[test]
fn a_command_and_the_example_of_its_name_do_the_same() {
    let (ours, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (ours, theirs) = (ours.path(), theirs.path());
    let arguments = format!("{SHORT} --quiet --out r");
    succeeds(uphill(), ours, &format!("train {arguments}"));
    succeeds(programs::example("train"), theirs, &arguments);
    assert_eq!(metrics(&ours.join("r")), metrics(&theirs.join("r")));
    WORK.par_iter().for_each(|(command, arguments, files)| {
        let example = EXAMPLES.iter().find(|(name, _)| name == command).expect("an example").1;
        let said = succeeds(uphill(), ours, &format!("{command} {arguments}"));
        assert_eq!(said, succeeds(programs::example(example), theirs, arguments), "{command}");
        for file in *files {
            let bytes = |folder: &Path| fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(bytes(ours) == bytes(theirs), "{file} differs");
        }
    });
    for (command, example) in EXAMPLES {
        assert!(WORK.iter().any(|(worked, ..)| *worked == command), "{command} has no work");
        let help = says(&format!("{command} --help"));
        let own = succeeds(programs::example(example), ours, "--help");
        assert_eq!(help.replace(&format!("Usage: uphill {command} "), &format!("Usage: {example} ")), own);
    }
}

#[test]
fn a_run_that_was_broken_off_is_resumed() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config {
        env: "GridWorld-4x4-v0".into(),
        steps: 1500,
        hidden: vec![8],
        n_steps: 64,
        ..Config::for_algo("ppo").expect("an algorithm")
    };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut broken = RunFolder::create(home.path().join("broken"), &config, false).expect("a run");
    for _ in 0..2 {
        broken.log(&trainer.step().expect("an update").expect("an update")).expect("a row");
    }
    broken.save(&mut trainer).expect("a checkpoint");
    drop(broken);
    let said = succeeds(uphill(), home.path(), "resume broken --checkpoint-every 60 --keep-checkpoints 1");
    assert!(said.starts_with("trained  1536 steps"), "{said}");
    succeeds(uphill(), home.path(), &format!("train {SHORT} --quiet --out whole"));
    let policy = |run: &str| fs::read(home.path().join(run).join("policy.safetensors")).expect("a policy");
    assert_eq!(metrics(&home.path().join("broken")), metrics(&home.path().join("whole")));
    assert!(policy("broken") == policy("whole"));
    for again in ["resume whole", "train --resume whole"] {
        let said = succeeds(uphill(), home.path(), again);
        assert_eq!(
            said,
            "whole: this run has ended already, at step 1536: nothing is left to do; --continue-for STEPS trains it for longer\n"
        );
    }
    // What a run began with is no flag.
    assert_eq!(run(uphill(), home.path(), "resume whole --lr 1").status.code(), Some(2));
}

#[test]
fn environments_are_checked_by_their_words() {
    let said = says("check CartPole-v1 GridWorld-4x4-v0(slip=0.1) Bandit-v0");
    let kept = |env: &str| format!("{env}: keeps its contract\n");
    assert_eq!(said, ["CartPole-v1", "GridWorld-4x4-v0(slip=0.1)", "Bandit-v0"].map(kept).concat());
    let said = says("check FrozenLake8x8-v1");
    assert!(said.starts_with("FrozenLake8x8-v1: unusual: no reward but 0 in 3000 steps"), "{said}");
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("small.toml"), "map = [\"S.G\"]\nmax_episode_steps = 20\n").expect("a file");
    let some = run(uphill(), home.path(), "check CartPole-v1|hide([4]) Bandit-v0 small.toml");
    let said = text(&some.stdout);
    assert_eq!((some.status.code(), said.lines().count()), (Some(1), 3), "each has its line: {said}");
    assert!(said.starts_with("CartPole-v1|hide([4]): wrong: it cannot be made: "), "{said}");
    assert!(said.ends_with(&[kept("Bandit-v0"), kept("small.toml")].concat()), "by the file's name: {said}");
    let refused = run(uphill(), &std::env::temp_dir(), "check CartPole-v1 CartPole-v7");
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()), "before the work");
    assert!(text(&refused.stderr).contains("did you mean `CartPole-v1`"));
}

#[test]
fn a_page_of_runs_is_written_where_it_belongs() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(uphill(), home.path(), &format!("train {SHORT} --quiet --out r"));
    let page = |name: &str| fs::read_to_string(home.path().join(name)).expect("a page");
    assert_eq!(succeeds(uphill(), home.path(), "report r"), "r/report.html\n");
    assert!(page("r/report.html").contains("class=\"replay\""));
    succeeds(uphill(), home.path(), &format!("train {SHORT} --quiet --seed 22 --out q"));
    assert_eq!(succeeds(uphill(), home.path(), "report r q --title Two --max-steps 0"), "report.html\n");
    let two = page("report.html");
    assert!(two.contains("<h1>Two</h1>") && !two.contains("class=\"replay\""), "no episode was asked for");
    let refused = run(uphill(), home.path(), "report r --out r.txt");
    let said = text(&refused.stderr);
    assert_eq!((refused.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("r.txt: the name of this file must end in .html"), "{said}");
}

#[test]
fn without_a_command_it_says_which_there_are() {
    let help = says("");
    assert_eq!(help, says("--help"));
    for name in EXAMPLES.iter().map(|(name, _)| *name).chain(OTHERS) {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "{name}: {help}");
        assert!(says(&format!("{name} --help")).contains(&format!("Usage: uphill {name}")), "{name}");
        assert_eq!(says(&format!("help {name}")), says(&format!("{name} --help")));
    }
    assert_eq!(says("--version"), concat!("uphill ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn list_tells_more_and_more() {
    let first = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().next().expect("a name").to_string()).collect()
    };
    let kinds = first(&says("list"));
    assert_eq!(
        kinds,
        ["envs", "wrappers", "models", "distributions", "algos", "optimizers", "links", "schedules", "sinks"]
    );
    for kind in &kinds {
        assert_eq!(first(&says(&format!("list {kind}"))), first(&says(&format!("train --list {kind}"))), "{kind}");
    }
    for id in envs::ids() {
        let one = says(&format!("list envs {id}"));
        assert!(one.starts_with(&format!("{id}: {}\n", envs::summary(id).expect("a summary"))), "{one}");
    }
    let lake = says("list envs FrozenLake-v1(is_slippery=false)|time_aware");
    let [named, around, sees, ..] = lake.lines().collect::<Vec<_>>()[..] else { panic!("{lake}") };
    assert!(
        named.ends_with("; `list envs FrozenLake-v1` has its arguments") && around.starts_with("| time_aware: "),
        "{lake}"
    );
    assert_eq!(sees.split_whitespace().collect::<Vec<_>>(), ["observation", "17", "numbers"], "{lake}");
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("maze.toml"), "map = 'S.G'\n").expect("a file");
    let world = says(&format!("list envs {}/maze.toml", home.path().display()));
    assert!(world.contains("maze.toml: a walk on a map of one's own; `list envs GridWorld`"), "{world}");
    for recipe in algo::ROWS {
        let one = says(&format!("list algos {}", recipe.name));
        let settings = first(&one);
        for own in recipe.params {
            assert!(settings.iter().any(|setting| setting == own.name), "{}: {one}", own.name);
        }
        assert_eq!(settings.iter().any(|setting| setting == "clip_range"), recipe.name == "ppo", "{one}");
    }
    let registry = Registry::default();
    registry.rows().par_iter().for_each(|row| {
        let kind = if row.is_recipe() {
            "optimizers"
        } else if row.place().is_some() {
            "links"
        } else {
            "schedules"
        };
        let one = says(&format!("list {kind} {}", row.name));
        assert_eq!(one.lines().count(), 1 + row.params.len(), "{one}");
        for (line, param) in one.lines().skip(1).zip(row.params) {
            let default = if param.default.is_empty() { "must be given" } else { param.default };
            assert!(line.starts_with(param.name) && line.contains(default) && line.ends_with(param.meaning), "{line}");
        }
    });
}

#[test]
fn shells_are_told_every_command_and_every_flag() {
    for (shell, flag) in [("bash", "--checkpoint-every"), ("zsh", "--checkpoint-every"), ("fish", "checkpoint-every")] {
        let script = says(&format!("completions {shell}"));
        for name in EXAMPLES.iter().map(|(name, _)| *name).chain(OTHERS).chain([flag, "gae-lambda"]) {
            assert!(script.contains(name), "{shell}: {name}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), script).expect("a script");
        // Where there is such a shell, it can read it.
        if let Ok(read) = Command::new(shell).arg("-n").arg(file.path()).output() {
            assert!(read.status.success(), "{shell}: {}", text(&read.stderr));
        }
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let home = tempfile::tempdir().expect("a folder");
    let written = succeeds(uphill(), home.path(), "man --out pages/man1");
    let names = EXAMPLES.iter().map(|(name, _)| *name).chain(OTHERS);
    let pages: Vec<String> = names.map(|name| format!("uphill-{name}")).chain(["uphill".into()]).collect();
    assert_eq!(written.lines().count(), pages.len());
    for name in pages {
        let page = fs::read_to_string(home.path().join(format!("pages/man1/{name}.1"))).expect("a page");
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
    }
    let page = says("man");
    assert!(page.contains(".TH uphill 1") && page.contains("uphill\\-train(1)"), "{page}");
}

#[test]
fn folders_of_comparisons_and_searches_say_what_they_are() {
    let home = tempfile::tempdir().expect("a folder");
    for (kind, what) in
        [("comparison", "of a comparison, and of no run"), ("search", "of a search for hyper-parameters")]
    {
        let folder = home.path().join(kind);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join(".uphill"), format!("kind = \"{kind}\"\nschema = 1\n")).expect("a marker");
        for command in ["evaluate", "report", "plot", "watch", "card", "train --resume"] {
            let refused = run(uphill(), home.path(), &format!("{command} {kind}"));
            let said = text(&refused.stderr);
            assert!(!refused.status.success() && said.contains(what), "{command}: {said}");
        }
    }
}

#[test]
fn a_run_without_an_episode_keeps_no_other_from_being_drawn() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(uphill(), home.path(), &format!("train {SHORT} --quiet --out r"));
    for (name, rows) in
        [("begun", "env_steps,episode_return_mean\n"), ("early", "env_steps,episode_return_mean\n128,\n")]
    {
        let folder = home.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        fs::copy(home.path().join("r/config.toml"), folder.join("config.toml")).expect("a copy");
        fs::write(folder.join("metrics.csv"), rows).expect("metrics");
    }
    let drawn = run(uphill(), home.path(), "plot begun r early");
    let said = text(&drawn.stderr);
    assert_eq!(text(&drawn.stdout), "1 run drawn to curves.png\n", "{said}");
    for name in ["begun", "early"] {
        assert!(said.contains(&format!("left out: {name}/metrics.csv: ")), "{said}");
    }
    assert!(!run(uphill(), home.path(), "plot begun early").status.success());
}
