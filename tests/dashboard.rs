//! `--tui` on a terminal that `script` makes: keys end a run as signals do, training is what it is without, and the terminal is
//! given back.
#![cfg(target_os = "linux")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

mod programs;

/// Some hundred updates.
const LONG: &str =
    "--env CartPole-v1 --steps 60000 --envs 4 --n-steps 32 --hidden 8 --eval-every 4096 --eval-episodes 4";

/// What takes the terminal, and what gives it back.
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn plain(home: &Path, arguments: &str) -> Output {
    programs::example("uphill").current_dir(home).args(arguments.split_whitespace()).output().expect("it runs")
}

/// A program on a terminal.
struct OnTerminal(Child);

impl OnTerminal {
    /// None where there is no `script`: nothing can be seen there.
    fn new(home: &Path, arguments: &str) -> Option<Self> {
        let program = programs::example("uphill").get_program().to_string_lossy().into_owned();
        let line = format!("stty cols 90 rows 30; '{program}' {arguments}");
        let mut script = Command::new("script");
        script.current_dir(home).env("TERM", "xterm").args(["-qec", &line, "/dev/null"]);
        let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        script.ok().map(Self)
    }

    fn press(&mut self, keys: &str) {
        let keyboard = self.0.stdin.as_mut().expect("a keyboard");
        keyboard.write_all(keys.as_bytes()).and_then(|()| keyboard.flush()).expect("a key");
    }

    /// What was on the terminal, and what the program ended with.
    fn end(mut self) -> (String, Option<i32>) {
        let mut seen = Vec::new();
        self.0.stdout.take().expect("a pipe").read_to_end(&mut seen).expect("what was shown");
        (text(&seen), self.0.wait().expect("it ends").code())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Waits until so many rows are written.
fn wait_for_rows(run: &Path, count: usize) {
    let begun = Instant::now();
    while fs::read_to_string(run.join("metrics.csv")).map_or(0, |rows| rows.lines().count()) <= count {
        assert!(begun.elapsed() < Duration::from_secs(120), "two minutes later there are no {count} rows");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The rows without the last column, which the clock decides.
fn rows(run: &Path) -> Vec<String> {
    let rows = fs::read_to_string(run.join("metrics.csv")).expect("rows");
    rows.lines().map(|row| row.rsplit_once(',').expect("columns").0.to_string()).collect()
}

#[test]
fn keys_end_a_run_that_goes_on_with_the_same_bits_as_without_a_dashboard() {
    let home = tempfile::tempdir().expect("a folder");
    assert!(plain(home.path(), &format!("train {LONG} --quiet --out plain")).status.success());
    for (name, key) in [("q", "q"), ("c", "\u{3}")] {
        let run = home.path().join(name);
        let Some(mut shown) = OnTerminal::new(home.path(), &format!("train {LONG} --tui --out {name}")) else { return };
        wait_for_rows(&run, 5);
        shown.press(key);
        let (seen, code) = shown.end();
        assert_eq!(code, Some(130), "{seen}");
        let (before, after) = seen.split_once(LEAVE).expect("given back");
        assert!(before.contains(ENTER) && before.contains("steps/s") && before.contains("CartPole-v1"), "{seen}");
        assert!(before.contains('▀'), "the agent plays: {seen}");
        assert!(after.contains(&format!("resume {name}` goes on with it")) && !after.contains(ENTER), "{after}");
        assert!(rows(&run).len() < rows(&home.path().join("plain")).len(), "it was ended");
        // On a terminal again, to the end.
        let (seen, code) = OnTerminal::new(home.path(), &format!("resume {name} --tui")).expect("a terminal").end();
        assert_eq!(code, Some(0), "{seen}");
        assert!(seen.contains("trained  60032 steps"), "{seen}");
        assert_eq!(rows(&run), rows(&home.path().join("plain")));
        for file in ["policy.safetensors", "evaluations.csv", "best.safetensors"] {
            let bytes = |folder: &str| fs::read(home.path().join(folder).join(file)).expect("a file");
            assert!(bytes(name) == bytes("plain"), "{file} is another");
        }
    }
}

#[test]
fn the_terminal_is_given_back_before_an_error_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    // Rewards that f32 cannot square end training.
    fs::write(home.path().join("w.toml"), "map = 'S.G'\nmax_episode_steps = 20\ngoal_reward = 1e30\n").expect("a file");
    let Some(shown) = OnTerminal::new(home.path(), "train --env w.toml --steps 20000 --tui --out r") else { return };
    let (seen, code) = shown.end();
    let (_, after) = seen.split_once(LEAVE).expect("given back");
    assert!(code == Some(1) && after.contains("error: update"), "{seen}");
}

#[test]
fn where_nothing_can_be_drawn_it_is_refused_before_there_is_a_folder() {
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, code, said) in [
        ("train --steps 100 --tui --out r", 1, "error: --tui draws on standard error, and that is no terminal"),
        ("train --steps 100 --tui --quiet --out r", 2, "'--tui' cannot be used with '--quiet'"),
        ("train --steps 100 --tui --seeds 2 --out r", 2, "'--tui' cannot be used with '--seeds <SEEDS>'"),
        ("resume r --tui", 1, "error: --tui draws on standard error, and that is no terminal"),
    ] {
        let output = plain(home.path(), arguments);
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(code) && error.contains(said), "{arguments}: {error}");
        assert!(!home.path().join("r").exists());
    }
}
