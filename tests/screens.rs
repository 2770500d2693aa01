//! What programs do where their output cannot be shown, or is shown on something else than a terminal that can draw; what
//! they say of a run that needs no more; and what they take for an environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

mod programs;

const SHORT: &str = "--env GridWorld-4x4-v0 --steps 1500 --hidden 8 --n-steps 64";
/// A grid world with rewards between 0 and 1 in the third digit.
const WORLD: &str = "map = 'S.G'\nmax_episode_steps = 20\nstep_reward = -0.001\ngoal_reward = 0.996\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn run(folder: &Path, program: &str, arguments: &str) -> Output {
    let mut program = programs::example(program);
    program.current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

fn succeeds(folder: &Path, program: &str, arguments: &str) -> String {
    let output = run(folder, program, arguments);
    assert!(output.status.success(), "{program} {arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs a program by a shell, where `$P` is it and its arguments, and says what code the program had.
#[cfg(unix)]
fn by_shell(folder: &Path, program: &str, arguments: &str, line: &str) -> (i32, Output) {
    let path = programs::example(program).get_program().to_string_lossy().into_owned();
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let code = format!("code{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let line = line.replace("$P", &format!("'{path}' {arguments}")).replace(">code", &format!(">{code}"));
    let output = Command::new("sh").current_dir(folder).args(["-c", &line]).output().expect("a shell");
    let code = fs::read_to_string(folder.join(code)).expect("a code").trim().parse().expect("a number");
    (code, output)
}

/// Ways in which a stream is closed or full, and the code that a program with results has then.
#[cfg(unix)]
const STREAMS: &[(&str, i32)] = &[
    ("$P 2>/dev/full; echo $? >code", 0),
    ("$P 2>&-; echo $? >code", 0),
    ("$P >&-; echo $? >code", 0),
    ("$P >&- 2>&-; echo $? >code", 0),
    ("{ $P; echo $? >code; } | true", 0),
    ("{ $P 2>&1; echo $? >code; } | head -1", 0),
    ("$P >/dev/full; echo $? >code", 1),
    ("$P >/dev/full 2>/dev/full; echo $? >code", 1),
];

#[cfg(target_os = "linux")]
#[test]
fn a_run_is_whole_whatever_becomes_of_the_streams() {
    let home = tempfile::tempdir().expect("a folder");
    for (i, (line, expected)) in STREAMS.iter().enumerate() {
        // Long enough that the reader of the first line is gone before the second.
        let arguments = format!("{SHORT} --out {i}");
        let (code, output) = by_shell(home.path(), "train", &arguments, line);
        assert_eq!(code, *expected, "{line}: {}", text(&output.stderr));
        for file in ["policy.safetensors", "summary.json", "metrics.csv", "reward.png", "checkpoints"] {
            assert!(home.path().join(i.to_string()).join(file).exists(), "{line}: no {file}");
        }
        if line.starts_with("$P >/dev/full;") {
            let said = text(&output.stderr);
            assert!(said.contains("error: the results cannot be printed: standard output: No space left"), "{said}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_program_panics_where_a_stream_is_closed_or_full() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), "train", &format!("{SHORT} --out r --quiet"));
    let results = [
        ("evaluate", "r --episodes 2 --gif e.gif --max-steps 3"),
        ("evaluate", "r --episodes 2 --watch --fps 1000 --max-steps 3"),
        ("plot", "r --out p.png"),
        ("train", "--list optimizers"),
        ("train", "--help"),
        ("throughput", "--help"),
        ("uphill", ""),
        ("uphill", "--version"),
        ("uphill", "list optimizers"),
        ("uphill", "completions bash"),
        ("uphill", "man"),
        ("uphill", "man --out pages"),
        ("compare_optimizers", "--list-cells --tasks GridWorld-4x4-v0 --optimizers sgd --seeds 2 --protocols defaults"),
        ("gradient_quality", "--steps 0 --batches 10 --episodes 1 --hidden 2 --n-steps 1 --gae-lambdas 0 --out g.png"),
    ];
    results.par_iter().for_each(|(program, arguments)| {
        for (line, expected) in STREAMS {
            let (code, output) = by_shell(home.path(), program, arguments, line);
            assert_eq!(code, *expected, "{program} {arguments}: {line}: {}", text(&output.stderr));
        }
    });
    let mistakes = [
        ("train", "--gama 1", 2),
        ("train", "--gamma 2", 1),
        ("evaluate", "nowhere", 1),
        ("plot", "nowhere", 1),
        ("uphill", "tran", 2),
        ("uphill", "resume nowhere", 1),
        ("compare_optimizers", "--tasks nowhere", 1),
    ];
    mistakes.par_iter().for_each(|(program, arguments, expected)| {
        for (line, _) in STREAMS {
            let (code, _) = by_shell(home.path(), program, arguments, line);
            assert_eq!(code, *expected, "{program} {arguments}: {line}");
        }
    });
    assert!(home.path().join("e.gif").exists() && home.path().join("g.png").exists());
}

#[test]
fn a_run_that_has_ended_is_not_resumed_as_if_it_had_not() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), "train", &format!("{SHORT} --out r --quiet"));
    let files = ["config.toml", "metrics.csv", "policy.safetensors", "summary.json", "reward.png"];
    let bytes = || files.map(|name| fs::read(home.path().join("r").join(name)).expect("a file"));
    let before = bytes();
    let said = succeeds(home.path(), "train", "--resume r");
    let ended = "r: this run has ended already, at step 1536: nothing is left to do";
    assert_eq!(said, format!("{ended}; --continue-for STEPS trains it for longer\n"));
    assert_eq!(succeeds(home.path(), "train", "--resume r --quiet"), "");
    assert!(bytes() == before, "a file has changed");
    // What a kill at the very end leaves out is made up for.
    fs::remove_file(home.path().join("r/reward.png")).expect("a file");
    assert!(succeeds(home.path(), "train", "--resume r").contains("curve    r/reward.png"));
    assert!(bytes() != before, "the summary has another clock");
}

#[test]
fn a_curve_is_named_only_where_there_is_one() {
    let home = tempfile::tempdir().expect("a folder");
    let said = succeeds(home.path(), "train", "--steps 5 --envs 1 --n-steps 5 --n-minibatches 1 --out r");
    assert!(!home.path().join("r/reward.png").exists());
    assert!(said.contains("return   ") && !said.contains("curve"), "{said}");
}

#[test]
fn a_world_s_file_needs_no_ending_and_a_registered_name_wins() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join("maps")).expect("a folder");
    for name in ["maze", "maps/first.world", "w.toml", "CartPole-v1"] {
        fs::write(home.path().join(name), WORLD).expect("a file");
    }
    let env = |folder: &str| {
        let text = fs::read_to_string(home.path().join(folder).join("config.toml")).expect("a configuration");
        text.lines().next().expect("a line").to_string()
    };
    for (file, id) in [("maze", "maze"), ("maps/first.world", "first"), ("w.toml", "w"), ("CartPole-v1", "CartPole-v1")]
    {
        let arguments = format!("--env {file} --steps 200 --n-steps 32 --hidden 4 --quiet --force --out r");
        succeeds(home.path(), "train", &arguments);
        let kept = env("r");
        let right = match id {
            "CartPole-v1" => kept == "env = \"CartPole-v1\"",
            // Complete, so that the file is not needed again.
            id => kept.starts_with("env = 'GridWorld(map=[\"S.G\"]") && kept.contains(&format!("id=\"{id}\"")),
        };
        assert!(right, "{file}: {kept}");
    }
    let said = text(&run(home.path(), "train", "--env nowhere --steps 100").stderr);
    let both =
        "error: no environment is called `nowhere`, and there is no file of that name (all of them: CartPole-v1, ";
    assert!(said.starts_with(both), "{said}");
    let said = text(&run(home.path(), "train", "--env CartPole-v0 --steps 100").stderr);
    assert!(said.contains("`CartPole-v0`, and there is no file of that name; did you mean `CartPole-v1`?"), "{said}");
}

#[test]
fn every_program_takes_a_world_of_one_s_own() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("maze"), WORLD).expect("a file");
    fs::write(home.path().join("named.toml"), format!("id = 'Named'\n{WORLD}")).expect("a file");
    let grid = "--algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --quiet --out c";
    succeeds(home.path(), "compare_optimizers", &format!("--tasks maze named.toml {grid}"));
    let grid = fs::read_to_string(home.path().join("c/grid.toml")).expect("a grid");
    for part in ["name = \"maze\"", "id=\"maze\"", "id=\"Named\"", "map=[\"S.G\"]"] {
        assert!(grid.contains(part), "{part}: {grid}");
    }
    // The grid that it leaves repeats it.
    succeeds(home.path(), "compare_optimizers", "--config c/grid.toml --quiet --out again");
    let results = |folder: &str| fs::read_to_string(home.path().join(folder).join("results.csv")).expect("results");
    assert_eq!(results("c"), results("again"));

    let few = "--steps 0 --batches 10 --episodes 1 --hidden 2 --n-steps 1 --gae-lambdas 0 --out g.svg";
    let table = succeeds(home.path(), "gradient_quality", &format!("--env maze {few}"));
    let bias = table.lines().nth(1).expect("a row").split_whitespace().nth(1).expect("a bias");
    assert!(bias.parse::<f64>().is_ok(), "the world's model is known: {table}");
    let small = "--steps 256 --optimizers sgd --hidden 2 --resolution 3 --directions random --out l.png";
    succeeds(home.path(), "landscape", &format!("--env named.toml {small}"));
    assert!(home.path().join("l.png").exists());
}

/// A run of a few updates.
fn trained(folder: &Path, out: &str) {
    succeeds(folder, "train", &format!("{SHORT} --out {out} --quiet"));
}

#[test]
fn one_of_something_is_no_plural() {
    let home = tempfile::tempdir().expect("a folder");
    trained(home.path(), "r");
    assert!(succeeds(home.path(), "evaluate", "r --episodes 1").ends_with(", over 1 episode\n"));
    let said = succeeds(home.path(), "evaluate", "r --episodes 2 --gif r.gif --max-steps 1");
    assert!(said.contains(", over 2 episodes\n") && said.ends_with("2 frames in r.gif\n"), "{said}");
    let one = "--env CartPole-v1 --steps 1 --envs 1 --n-steps 1 --n-minibatches 1 --hidden 2 --out one";
    let output = run(home.path(), "train", one);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("trained  1 step in ") && said.contains("        1 step "), "{said}");
    assert!(!said.contains(" 1 steps"), "{said}");
    let grid = "--tasks GridWorld-4x4-v0 --optimizers sgd --seeds 1 --protocols defaults --steps 200 --dry-run";
    assert!(succeeds(home.path(), "compare_optimizers", grid).starts_with("1 run: 1 defaults\n"));
}

#[test]
fn a_run_that_is_named_again_counts_once() {
    let home = tempfile::tempdir().expect("a folder");
    trained(home.path(), "a");
    succeeds(home.path(), "train", &format!("{SHORT} --seed 2 --out b --quiet"));
    fs::create_dir(home.path().join("copy")).expect("a folder");
    // Of a copy from the middle of training the last rows are missing.
    let rows = fs::read_to_string(home.path().join("a/metrics.csv")).expect("rows");
    let (early, _) = rows.trim_end().rsplit_once('\n').expect("rows");
    fs::write(home.path().join("copy/metrics.csv"), format!("{early}\n")).expect("a file");
    fs::copy(home.path().join("a/config.toml"), home.path().join("copy/config.toml")).expect("a copy");
    let mut folders = vec!["copy", "a", "a/", "./b/../a", "b"];
    if cfg!(unix) {
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", home.path().join("link")).expect("a link");
        folders.push("link");
    }
    let output = run(home.path(), "plot", &format!("{} --out all.svg", folders.join(" ")));
    assert_eq!(text(&output.stdout), "2 runs drawn to all.svg\n");
    let said = text(&output.stderr);
    assert!(said.starts_with("a is the same run as copy: it counts once\n"), "{said}");
    assert_eq!(said.lines().count(), folders.len() - 2, "{said}");
    succeeds(home.path(), "plot", "a b --out two.svg");
    let picture = |name: &str| fs::read(home.path().join(name)).expect("a picture");
    assert!(picture("all.svg") == picture("two.svg"), "the whole run is drawn, not the older copy");
    assert_eq!(succeeds(home.path(), "plot", "a a a --out one.png"), "1 run drawn to one.png\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_that_asks_for_room() {
    let home = tempfile::tempdir().expect("a folder");
    trained(home.path(), "r");
    for name in ["full.gif", "full.png", "full.svg"] {
        std::os::unix::fs::symlink("/dev/full", home.path().join(name)).expect("a link");
    }
    for (program, arguments) in [
        ("evaluate", "r --episodes 1 --gif full.gif"),
        ("plot", "r --out full.png"),
        ("plot", "r --out full.svg"),
        ("descent", "--steps 2 --optimizers sgd --out full.png"),
    ] {
        let output = run(home.path(), program, arguments);
        let file = arguments.rsplit(' ').next().expect("a file");
        let problem = "cannot be written (No space left on device (os error 28)); there must be room for it: make some, or \
                       give another place";
        // Some show how far they have come before.
        assert_eq!(text(&output.stderr).lines().last(), Some(&*format!("error: {file}: {problem}")));
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    }
    for (program, arguments) in [("evaluate", "r --gif /dev/full"), ("plot", "r --out /dev/full")] {
        let output = run(home.path(), program, arguments);
        assert!(text(&output.stderr).starts_with("error: /dev/full: the name of "), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_return_has_the_digits_that_the_task_needs() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("w.toml"), WORLD).expect("a file");
    let arguments = "--env w.toml --algo a2c --steps 4000 --lr 0.02 --hidden 8 --out r";
    let output = run(home.path(), "train", arguments);
    let (said, progress) = (text(&output.stdout), text(&output.stderr));
    assert!(said.contains("return   0.995 ± 0.000, lowest 0.995, over 100 episodes"), "{said}");
    let last = progress.lines().last().and_then(|line| line.split_whitespace().last()).expect("a line").to_string();
    assert!(last.split_once('.').is_some_and(|(_, decimals)| decimals.len() >= 3), "{progress}");
    let said = succeeds(home.path(), "evaluate", "r --episodes 10");
    assert_eq!(said, "r: return 0.995 ± 0.000, lowest 0.995, over 10 episodes\n");
}

#[test]
fn rewards_that_f32_cannot_square_are_named_instead_of_the_learning_rate() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("w.toml"), "map = 'S.G'\nmax_episode_steps = 20\ngoal_reward = 1e30\n").expect("a file");
    for algo in ["a2c", "ppo", "reinforce"] {
        let output = run(home.path(), "train", &format!("--env w.toml --algo {algo} --steps 20000 --out {algo}"));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("rewards reach 1e30, and f32 does not hold their squares: scale them down"), "{said}");
        assert!(!said.contains("smaller lr"), "{said}");
    }
}

/// Runs a program on a terminal that `script` makes, of this kind and size.
#[cfg(target_os = "linux")]
fn on_terminal(
    folder: &Path,
    term: &str,
    (columns, rows): (u32, u32),
    program: &str,
    arguments: &str,
) -> Option<String> {
    let path = programs::example(program).get_program().to_string_lossy().into_owned();
    let line = format!("stty cols {columns} rows {rows}; '{path}' {arguments}");
    let script =
        Command::new("script").current_dir(folder).env("TERM", term).args(["-qec", &line, "/dev/null"]).output();
    let output = script.ok()?;
    assert!(output.status.success(), "{}", text(&output.stdout));
    Some(text(&output.stdout))
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_cannot_draw_gets_lines_and_one_that_can_a_bar() {
    let home = tempfile::tempdir().expect("a folder");
    let dumb = on_terminal(home.path(), "dumb", (80, 24), "train", &format!("{SHORT} --out dumb"));
    // Where there is no `script`, nothing can be seen.
    let Some(dumb) = dumb else { return };
    let lines = dumb.lines().filter(|line| line.contains(" steps/s  return ")).count();
    assert!((2..=10).contains(&lines) && !dumb.contains('\u{1b}'), "{dumb}");
    let able =
        on_terminal(home.path(), "xterm", (80, 24), "train", &format!("{SHORT} --out able")).expect("a terminal");
    assert!(able.contains('\u{1b}') && able.contains("━"), "{able}");
    let few = "--steps 64 --batches 10 --episodes 1 --hidden 2 --n-steps 1 --gae-lambdas 0 --out g.png";
    let dumb = on_terminal(home.path(), "dumb", (80, 24), "gradient_quality", few).expect("a terminal");
    assert!(dumb.contains(" 50%  playing batches") && !dumb.contains('\u{1b}'), "{dumb}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_episode_is_shown_as_large_as_the_terminal() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), "train", &format!("{SHORT} --out r --quiet"));
    for (columns, rows) in [(80, 24), (30, 12), (200, 60), (7, 5)] {
        let watch = "r --episodes 1 --watch --max-steps 2 --fps 1000";
        let Some(shown) = on_terminal(home.path(), "xterm", (columns, rows), "evaluate", watch) else { return };
        let frame = shown.split("\u{1b}[2J\u{1b}[H").nth(1).expect("a frame");
        let lines: Vec<usize> =
            frame.lines().map(|line| line.matches('▀').count()).filter(|&width| width > 0).collect();
        // A square world: as high as there is room above the cursor's line, or as wide as the terminal.
        let side = (rows as usize - 1).min(columns as usize / 2);
        assert!((side..=side + 1).contains(&lines.len()), "{columns} x {rows}: {} lines", lines.len());
        assert!(lines.iter().all(|&width| width <= columns as usize), "{columns} x {rows}: {lines:?}");
    }
}
