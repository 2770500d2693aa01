//! The program `train` from end to end: what it prints, what it leaves, and what it says to a mistake.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use uphill::optim::{Make, Registry, Row};
use uphill::{Config, algo, envs};

mod programs;

fn train() -> Command {
    programs::example("train")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Runs the program in a folder; arguments are separated by spaces.
fn run(folder: &Path, arguments: &str) -> Output {
    train().current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

fn succeeds(folder: &Path, arguments: &str) -> Output {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    output
}

const SHORT: &str = "--env GridWorld-4x4-v0 --steps 1500 --hidden 8 --n-steps 64";

#[test]
fn list_prints_the_names_there_are_one_a_line() {
    let home = tempfile::tempdir().expect("a folder");
    let listed = |what: &str| text(&succeeds(home.path(), &format!("--list {what}")).stdout);
    let lines = |names: Vec<&str>| names.into_iter().map(|name| format!("{name}\n")).collect::<String>();
    let catalogue = uphill::Catalogue::default();
    assert_eq!(listed("envs"), lines(catalogue.envs().iter().map(|row| row.name).collect()));
    assert!(envs::ids().all(|id| catalogue.env(id).is_ok()));
    assert_eq!(listed("algos"), lines(algo::ROWS.iter().map(|algo| algo.name).collect()));
    let registry = Registry::default();
    let is_schedule = |row: &&Row| matches!(row.make, Make::Schedule(_));
    let of_kind = |kind: &str| -> Vec<&Row> {
        match kind {
            "optimizers" => registry.recipes().collect(),
            "schedules" => registry.rows().iter().filter(is_schedule).collect(),
            _ => registry.rows().iter().filter(|row| !row.is_recipe() && !is_schedule(row)).collect(),
        }
    };
    for kind in ["optimizers", "links", "schedules"] {
        let (list, rows) = (listed(kind), of_kind(kind));
        for (line, row) in list.lines().zip(&rows) {
            let parts = line.split_once(' ').map(|(name, summary)| (name, summary.trim()));
            assert_eq!(parts, Some((row.name, row.summary)));
        }
        assert_eq!(list.lines().count(), rows.len());
    }
    assert!(listed("algos").contains("\nppo\n"));
    assert!(std::fs::read_dir(home.path()).expect("a folder").next().is_none(), "asking leaves nothing behind");
}

#[test]
fn help_names_every_setting_its_meaning_and_its_default() {
    let home = tempfile::tempdir().expect("a folder");
    let help = text(&succeeds(home.path(), "--help").stdout);
    let all = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, meaning) in Config::SETTINGS {
        let flag = format!("--{} <X>", name.replace('_', "-"));
        assert!(all.contains(&flag), "{flag} is missing");
        let first: Vec<&str> = meaning.split_whitespace().take(4).collect();
        assert!(all.contains(&first.join(" ")), "the meaning of {flag}: {meaning}");
    }
    for flag in ["--config <FILE>", "--out <FOLDER>", "--force", "--quiet", "--list <WHAT>"] {
        assert!(all.contains(flag), "{flag} is missing");
    }
    assert!(all.contains("[default: CartPole-v1]") && all.contains("a2c 0.0007, ppo 0.00025"), "{all}");
}

#[test]
fn a_quiet_run_prints_nothing_and_leaves_everything_where_it_belongs() {
    let home = tempfile::tempdir().expect("a folder");
    let output = succeeds(home.path(), &format!("{SHORT} --seed 7 --quiet"));
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    let run = home.path().join("runs/GridWorld-4x4-v0-ppo-adam-s7");
    let files = std::fs::read_dir(run).expect("the run").map(|file| file.expect("a file").file_name());
    let files: BTreeSet<String> = files.map(|name| name.into_string().expect("a name")).collect();
    let expected =
        [".uphill", "checkpoints", "config.toml", "metrics.csv", "policy.safetensors", "reward.png", "summary.json"];
    assert_eq!(files, expected.map(String::from).into());
}

#[test]
fn without_a_terminal_progress_is_plain_lines() {
    let home = tempfile::tempdir().expect("a folder");
    let output = succeeds(home.path(), &format!("{SHORT} --out here"));
    let (results, progress) = (text(&output.stdout), text(&output.stderr));
    for line in progress.lines().chain(results.lines()) {
        assert!(!line.contains(['\u{1b}', '\r', '\u{8}']), "{line:?}");
    }
    let steps: Vec<u64> = progress
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(matches!(words[..], [_, "steps", _, "steps/s", "return", _]), "{line:?}");
            words[0].parse().expect("steps")
        })
        .collect();
    assert!((2..=10).contains(&steps.len()) && steps.is_sorted(), "{progress}");
    let firsts: Vec<&str> = results.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(firsts[..4], ["trained", "solved", "return", "curve"], "{results}");
    assert!(firsts[4..].iter().all(|first| *first == "look"), "{results}");
    assert!(results.contains("here/reward.png") || results.contains("here\\reward.png"), "{results}");
}

/// Another command of the program `uphill`.
fn uphill(folder: &Path, arguments: &str) -> Output {
    let mut program = programs::example("uphill");
    program.current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

#[test]
fn evaluations_are_lines_of_their_own_and_the_best_by_them_is_played() {
    let home = tempfile::tempdir().expect("a folder");
    let output = succeeds(home.path(), &format!("{SHORT} --eval-every 500 --eval-episodes 4 --out run"));
    let (results, progress) = (text(&output.stdout), text(&output.stderr));
    let lines: Vec<&str> = progress.lines().filter(|line| line.contains("evaluation")).collect();
    assert_eq!(lines.len(), 3, "{progress}");
    assert!(lines[0].contains("512 steps  evaluation ") && lines[0].ends_with("over 4 episodes, the best so far"));
    assert!(results.contains("\nbest     ") && results.contains(" by evaluation after update "), "{results}");
    let rows = std::fs::read_to_string(home.path().join("run/evaluations.csv")).expect("evaluations");
    assert_eq!(rows.lines().count(), 1 + 3, "{rows}");
    let judged = |arguments: &str| text(&uphill(home.path(), &format!("evaluate {arguments}")).stdout);
    assert!(judged("run --best --episodes 5").starts_with("run, the best by evaluation: return "));
    assert!(judged("run --best=evaluation --episodes 5").starts_with("run, the best by evaluation: return "));
    assert!(judged("run --episodes 5").starts_with("run: return "));
    // As where none of its evaluations had a mean return.
    std::fs::remove_file(home.path().join("run/best_by_eval.safetensors")).expect("removed");
    let said = text(&uphill(home.path(), "evaluate run --best").stderr);
    assert!(said.contains("there is no best.safetensors here"), "{said}");
    for (other, remedy) in [("either", "training"), ("evaluations", "evaluation")] {
        let said = text(&uphill(home.path(), &format!("evaluate run --best={other}")).stderr);
        assert!(said.contains(&format!("invalid value '{other}' for '--best")) && said.contains(remedy), "{said}");
    }
    // A run without evaluations, as all were before there were any.
    let short = "--env GridWorld-4x4-v0 --algo a2c --hidden 4 --steps 9000 --lr 0.02";
    succeeds(home.path(), &format!("{short} --out plain --quiet"));
    assert!(judged("plain --best --episodes 5").starts_with("plain, the best in training: return "));
    let said = text(&uphill(home.path(), "evaluate plain --best=evaluation").stderr);
    assert!(said.contains("there is no best_by_eval.safetensors here"), "{said}");
}

#[test]
fn a_run_that_an_evaluation_ended_says_why_and_is_continued() {
    let home = tempfile::tempdir().expect("a folder");
    let stops = "--eval-every 500 --eval-episodes 2 --stop-at-return -50";
    let results = text(&succeeds(home.path(), &format!("{SHORT} {stops} --out run")).stdout);
    assert!(results.contains("\nstopped  as an evaluation reached stop_at_return = -50\n"), "{results}");
    let summary = std::fs::read_to_string(home.path().join("run/summary.json")).expect("a summary");
    assert!(
        summary.contains("\"stopped_by\": \"stop_at_return\"") && summary.contains("\"env_steps\": 512"),
        "{summary}"
    );
    let said = text(&uphill(home.path(), "resume run").stdout);
    let why =
        "this run has ended already, at step 512, as an evaluation reached stop_at_return = -50: nothing is left to do";
    assert_eq!(said, format!("run: {why}; --continue-for STEPS trains it for longer\n"));
    let output = uphill(home.path(), "resume run --continue-for 1_000");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let config = std::fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
    assert!(config.contains("\nsteps = 1512\n") && config.contains("\ncontinued = [512, 1500]\n"), "{config}");
    // The next evaluation reaches it, too.
    let results = text(&output.stdout);
    assert!(results.starts_with("trained  1024 steps") && results.contains("stopped  as"), "{results}");
    // The same as a flag.
    succeeds(home.path(), "--resume run --continue-for 300 --quiet");
    assert_eq!(metrics(&home.path().join("run")).len(), 1 + 6);

    let stops = "--eval-every 500 --eval-episodes 2 --stop-without-improvement 1 --lr 0";
    let results = text(&succeeds(home.path(), &format!("{SHORT} {stops} --out patient")).stdout);
    let why = "evaluations were no better than the best, as many in a row as stop_without_improvement = 1";
    assert!(results.contains(&format!("\nstopped  as {why}\n")), "{results}");
    let said = text(&uphill(home.path(), "resume patient").stdout);
    assert!(
        said.starts_with(
            "patient: this run has ended already, at step 1024, as evaluations were no better than the best, as many "
        ),
        "{said}"
    );
}

/// `metrics.csv` without its last column, the only one that a clock decides.
fn metrics(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    assert!(text.lines().next().expect("a header").ends_with(",steps_per_second"));
    text.lines().map(|line| line.rsplit_once(',').expect("columns").0.to_string()).collect()
}

/// A grid world of one's own, slippery and without a limit.
const WORLD: &str = "map = '''\nS.x\n..G'''\nslip = 0.1\nmax_episode_steps = inf\n[cell_rewards]\nx = -0.3\n";

#[test]
fn an_optimizer_may_be_a_whole_chain() {
    let home = tempfile::tempdir().expect("a folder");
    let chain = "clip_by_global_norm(0.5) | adam(lr=cosine(3e-4, 0))";
    let output = train()
        .current_dir(home.path())
        .args(SHORT.split_whitespace())
        .args(["--quiet", "--optimizer", chain])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = Path::new("runs/GridWorld-4x4-v0-ppo-clip_by_global_norm-0.5-adam-lr-cosine-3e-4-0-s1");
    let config = std::fs::read_to_string(home.path().join(folder).join("config.toml")).expect("a configuration");
    assert!(config.contains(&format!("optimizer = \"{chain}\"")), "{config}");
    let rates: Vec<String> = metrics(&home.path().join(folder))
        .iter()
        .map(|row| row.rsplit_once(',').expect("columns").1.to_string())
        .collect();
    assert_eq!((&*rates[0], &*rates[1]), ("lr", "0.0003"));
    assert!(rates[2].parse::<f64>().expect("a number") < 3e-4, "{rates:?}");
    succeeds(home.path(), &format!("{SHORT} --quiet --out other --optimizer lamb(weight_decay=0.01) --lr 3e-3"));
    let config = std::fs::read_to_string(home.path().join("other/config.toml")).expect("a configuration");
    assert!(config.contains("lamb(weight_decay=0.01)") && config.contains("lr = 0.003"), "{config}");
}

#[test]
fn the_configuration_of_a_run_repeats_it() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("world.toml"), WORLD).expect("a file");
    for (i, arguments) in [
        &format!("{SHORT} --algo ppo --lr 1e-3 --seed 3"),
        "--algo a2c --optimizer adamw --steps 1000 --shared-trunk true --activation silu --target-kl inf",
        "--algo reinforce --env world.toml --steps 800 --hidden [] --init xavier",
    ]
    .into_iter()
    .enumerate()
    {
        let (first, second) = (format!("first{i}"), format!("second{i}"));
        succeeds(home.path(), &format!("{arguments} --out {first} --quiet"));
        succeeds(home.path(), &format!("--config {first}/config.toml --out {second} --quiet"));
        let (first, second) = (home.path().join(first), home.path().join(second));
        assert_eq!(metrics(&first), metrics(&second), "{arguments}");
        assert!(metrics(&first).len() > 3, "{arguments}");
        for file in ["policy.safetensors", "config.toml"] {
            let bytes = |run: &Path| std::fs::read(run.join(file)).expect("a file");
            assert_eq!(bytes(&first), bytes(&second), "{arguments}: {file}");
        }
    }
}

#[test]
fn the_command_line_goes_over_the_file_and_the_file_over_the_defaults() {
    let home = tempfile::tempdir().expect("a folder");
    let mine = "algo = 'a2c'\nenvs = 3\nlr = 0.5\nenv = 'GridWorld-4x4-v0'\n";
    std::fs::write(home.path().join("mine.toml"), mine).expect("a file");
    succeeds(home.path(), "--config mine.toml --lr 0.25 --steps 1_00 --n_steps 7 --out here --quiet");
    let text = std::fs::read_to_string(home.path().join("here/config.toml")).expect("a configuration");
    let expected = Config {
        env: "GridWorld-4x4-v0".into(),
        envs: 3,
        lr: 0.25,
        steps: 100,
        n_steps: 7,
        ..Config::for_algo("a2c").expect("an algorithm")
    };
    assert_eq!(Config::from_toml(&text).expect("settings"), expected);
}

#[test]
fn no_hidden_layer_is_asked_for_in_words() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("linear.toml"), "hidden = []\n").expect("a file");
    for (i, arguments) in ["--hidden none", "--hidden []", "--config linear.toml"].iter().enumerate() {
        succeeds(home.path(), &format!("--steps 100 --quiet --out r{i} {arguments}"));
        let text = std::fs::read_to_string(home.path().join(format!("r{i}/config.toml"))).expect("a configuration");
        assert!(text.contains("hidden = []\n"), "{arguments}: {text}");
    }
    for nothing in ["", " ", ",", "[", "64,,64", "none,64"] {
        let output = train().current_dir(home.path()).args(["--steps", "100", "--hidden", nothing]).output();
        let said = text(&output.expect("the program runs").stderr);
        assert!(said.contains("whole numbers with commas between, such as 64,64, or none"), "`{nothing}`: {said}");
    }
}

#[test]
fn mistakes_are_answered_with_what_would_be_right() {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("typo.toml", "gama = 0.9\n"),
        ("occupied", "not a folder"),
        ("unknown_cell.toml", "map = '''\nS..\n.?.\n..G'''\n"),
        ("ragged.toml", "map = '''\nS..\n..\n..G'''\n"),
        ("no_goal.toml", "map = 'S..'\n"),
        ("no_way.toml", "map = 'S#G'\n"),
        ("world_typo.toml", "map = 'S.G'\nslipp = 0.1\n"),
        ("world_type.toml", "map = 'S.G'\nmax_episode_steps = 1.5\n"),
    ] {
        std::fs::write(home.path().join(name), text).expect("a file");
    }
    for (arguments, expected) in [
        ("--algo pppo", &["`pppo`", "did you mean `ppo`?"][..]),
        ("--env CartPole-v0", &["`CartPole-v0`", "did you mean `CartPole-v1`?"]),
        ("--optimizer adan", &["`adan`", "did you mean `adam`? adam(lr = 1e-3, beta1 = 0.9"]),
        ("--optimizer adam(beta=0.5)", &["adam has no argument `beta`; did you mean `beta1`? adam(lr = 1e-3"]),
        ("--optimizer adam(lr=-1)", &["adam: lr = -1 is impossible", "not negative"]),
        ("--optimizer adam(lr", &["expected `,` or `)` at column 8"]),
        ("--lr -1", &["lr = -1 is impossible", "not negative"]),
        ("--lr fast", &["--lr fast", "a number, such as 2.5e-4"]),
        ("--gamma 2", &["gamma = 2 is impossible", "[0, 1]"]),
        ("--device gpu", &["`gpu` is no device", "use cpu, cuda"]),
        ("--seed -1", &["seed = -1"]),
        ("--seed 1.5", &["--seed 1.5", "a whole number"]),
        ("--steps 1e6", &["--steps 1e6", "a whole number, such as 500_000"]),
        ("--envs 0", &["envs = 0 is impossible", "at least 1"]),
        ("--envs 1000000000000", &["envs = 1000000000000 is impossible", "at most 65536"]),
        ("--hidden a,b", &["--hidden a,b", "whole numbers with commas between, such as 64,64"]),
        ("--hidden 64,0", &["hidden = [64, 0] is impossible", "from 1 to 65536"]),
        ("--activation swish", &["activation", "tanh", "relu", "silu"]),
        ("--anneal-lr yes", &["--anneal-lr yes", "true or false"]),
        ("--algo reinforce --episodes 5", &["episodes = 5 is impossible", "a multiple of envs, which is 4"]),
        (
            "--n-minibatches 1000",
            &["n_minibatches = 1000 is impossible", "what it splits is envs * n_steps = 512 steps"],
        ),
        ("--config absent.toml", &["absent.toml", "No such file"]),
        ("--config typo.toml", &["no setting `gama`", "did you mean `gamma`?"]),
        ("--env unknown_cell.toml", &["line 2, column 2", "'?'", "known are"]),
        ("--env ragged.toml", &["line 2 of the map has 2 cells, most rows have 3"]),
        ("--env no_goal.toml", &["no goal", "mark at least one cell with `G`"]),
        ("--env no_way.toml", &["no goal can be reached from the start at line 1, column 1"]),
        ("--env world_typo.toml", &["slipp", "slip"]),
        ("--env world_type.toml", &["max_episode_steps"]),
        ("--env absent.toml", &["absent.toml", "No such file"]),
        ("--out occupied/here", &["occupied: this is a file"]),
    ] {
        // Were the mistake overlooked, the run should at least be short.
        let steps = if arguments.contains("--steps") { "" } else { "--steps 100" };
        let output = run(home.path(), &format!("{arguments} {steps}"));
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {message}");
        assert!(message.starts_with("error: ") && output.stdout.is_empty(), "{arguments}: {message}");
        for expected in expected {
            assert!(message.contains(expected), "{arguments}: {message}, expected {expected}");
        }
        // A world's own text is shown where one of its keys is wrong, which takes a few lines.
        if !arguments.contains("world_") {
            assert_eq!(message.trim_end().lines().count(), 1, "{arguments}: {message}");
        }
        assert!(!home.path().join("runs").exists(), "{arguments} left a folder behind");
    }
}

#[test]
fn a_file_that_is_no_toml_is_named_with_line_and_column() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("bad.toml"), "algo = 'ppo'\nlr = \n").expect("a file");
    for arguments in ["--config bad.toml", "--env bad.toml"] {
        let output = run(home.path(), arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        let first = message.lines().next().expect("a line");
        for expected in ["error: ", "bad.toml", "line 2", "column"] {
            assert!(first.contains(expected), "{message}");
        }
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_the_build_lacks_is_an_error_and_auto_says_what_it_took() {
    let home = tempfile::tempdir().expect("a folder");
    let output = run(home.path(), "--device cuda");
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("no cuda:0 support") && message.contains("--features cuda"), "{message}");
    if cfg!(not(feature = "metal")) {
        let output = succeeds(home.path(), &format!("{SHORT} --device auto"));
        assert!(text(&output.stderr).starts_with("device auto: using cpu (this build has no cuda support"));
    }
}

#[test]
fn a_taken_folder_is_kept_unless_forced() {
    let home = tempfile::tempdir().expect("a folder");
    let taken = home.path().join("taken");
    succeeds(home.path(), &format!("{SHORT} --out taken --quiet"));
    let before = metrics(&taken);
    let output = run(home.path(), &format!("{SHORT} --out taken --seed 2"));
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("taken") && message.contains("--force") && message.contains("--out"), "{message}");
    assert_eq!(metrics(&taken), before);
    succeeds(home.path(), &format!("{SHORT} --out taken --seed 2 --force --quiet"));
    assert_ne!(metrics(&taken), before);
}

#[test]
fn flags_that_do_not_exist_are_answered_with_the_nearest() {
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, expected) in [
        ("--optimiser adam", "--optimizer"),
        ("--gama 0.9", "--gamma"),
        ("--list worlds", "envs"),
        ("--lr", "--lr <X>"),
    ] {
        let output = run(home.path(), arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.starts_with("error: ") && message.contains(expected), "{arguments}: {message}");
    }
}

#[cfg(feature = "pictures")]
#[test]
fn evaluations_are_plotted_beside_returns_and_beside_nothing_else() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), &format!("{SHORT} --eval-every 500 --eval-episodes 5 --out run"));
    let picture = |more: &str| {
        let mut plot = programs::example("plot");
        plot.current_dir(home.path()).args(format!("run --out a.svg {more}").split_whitespace());
        let output = plot.output().expect("the program runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::read_to_string(home.path().join("a.svg")).expect("a picture")
    };
    let all = || ["", "--metric entropy"].map(picture);
    let with = all();
    std::fs::remove_file(home.path().join("run/evaluations.csv")).expect("there is one");
    let without = all();
    assert!(with[0] != without[0] && with[0].len() > without[0].len());
    assert_eq!(with[1], without[1]);
}
