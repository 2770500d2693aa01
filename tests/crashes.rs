//! Runs that are killed, interrupted, or lose their disk: nothing is lost, nothing is half written, nothing is silent.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;
use uphill::optim::Registry;
use uphill::{Checkpoint, Config, Seed, algo};

mod programs;
mod running;

use running::Running;

/// A run of some updates that takes a moment even unoptimised, with a checkpoint after each.
const SMALL: &str = "--env GridWorld-4x4-v0 --hidden 4 --envs 2 --steps 200 --threads 1 --quiet";

/// The size of its updates, by the algorithm.
fn small(algo: &str) -> String {
    let size = match algo {
        "reinforce" | "rloo" => "--episodes 2",
        "a2c" | "stream_ac" => "--n-steps 8",
        _ => "--n-steps 8 --n-epochs 1 --n-minibatches 2",
    };
    format!("{SMALL} --algo {algo} {size}")
}

fn train(folder: &Path, arguments: &str) -> Command {
    let mut command = programs::example("train");
    command.current_dir(folder).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn succeeds(folder: &Path, arguments: &str) {
    let output = train(folder, arguments).output().expect("the program runs");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a run that is evaluated leaves besides.
const EVALUATED: [&str; 2] = ["evaluations.csv", "best_by_eval.safetensors"];

/// What a run leaves, without what a clock decides: the metrics but their last column, the policy, and of a run that is evaluated
/// its evaluations and the policy that was the best by them.
fn left(run: &Path) -> (String, Vec<u8>, [Option<Vec<u8>>; 2]) {
    let metrics = std::fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    let untimed = metrics.lines().map(|row| row.rsplit_once(',').expect("columns").0);
    let policy = std::fs::read(run.join("policy.safetensors")).expect("a policy");
    let of_evaluations = EVALUATED.map(|name| std::fs::read(run.join(name)).ok());
    (untimed.collect::<Vec<_>>().join("\n"), policy, of_evaluations)
}

/// Whether every file under its final name is whole.
fn nothing_is_half_written(run: &Path) {
    for entry in std::fs::read_dir(run.join("checkpoints")).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            Checkpoint::read(&path).expect("a whole checkpoint");
        }
    }
    for name in ["config.toml", "summary.json"] {
        let Ok(text) = std::fs::read_to_string(run.join(name)) else { continue };
        match name {
            "config.toml" => drop(Config::from_toml(&text).expect("a whole configuration")),
            _ => drop(serde_json::from_str::<serde_json::Value>(&text).expect("a whole summary")),
        }
    }
}

/// Starts the program and kills it after a while; whether it was still running then.
fn killed(folder: &Path, arguments: &str, after: Duration) -> bool {
    let mut child = train(folder, arguments).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(after);
    let running = child.try_wait().expect("its state").is_none();
    child.kill().expect("a kill");
    child.wait().expect("its end");
    running
}

/// Kills a run at random moments until so many have hit, and resumes it each time; how many hit. The run is then what one is that
/// nobody killed, and `holds` of it.
fn killed_and_resumed(
    settings: &str,
    (stream, number): (&str, u64),
    kills: usize,
    holds: impl Fn(&Path) -> bool,
) -> usize {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let settings = format!("{settings} --checkpoint-every 0");
    let begun = Instant::now();
    succeeds(home, &format!("{settings} --out whole"));
    let whole = begun.elapsed().as_secs_f64();
    let mut rng = Seed(7).stream(stream, number);
    let mut moment = || Duration::from_secs_f64(whole * rng.random::<f64>());
    let mut hits = usize::from(killed(home, &format!("{settings} --out broken"), moment()));
    // One that came before there was anything, or after all was done, does not count.
    for _ in 0..20 {
        nothing_is_half_written(&home.join("broken"));
        if hits >= kills {
            break;
        }
        let arguments = match home.join("broken/config.toml").exists() {
            true => "--resume broken --quiet --checkpoint-every 0".to_string(),
            false => format!("{settings} --out broken"),
        };
        hits += usize::from(killed(home, &arguments, moment()));
    }
    let arguments = match home.join("broken/config.toml").exists() {
        true => "--resume broken --quiet".to_string(),
        false => format!("{settings} --out broken"),
    };
    succeeds(home, &arguments);
    let files = std::fs::read_dir(home.join("broken/checkpoints")).expect("checkpoints");
    assert!(files.count() <= 4, "the last 3 and the best stay, and nothing else");
    let mut names = std::fs::read_dir(home.join("broken")).expect("a run").map(|file| file.expect("a file").path());
    assert!(!names.any(|file| file.extension().is_some_and(|ending| ending == "tmp")), "nothing is left half written");
    assert!(left(&home.join("whole")) == left(&home.join("broken")), "{settings} after {hits} kills");
    assert!(holds(&home.join("broken")), "{settings} after {hits} kills");
    hits
}

/// Every algorithm with every optimizer, each killed at random moments and resumed until 200 kills have hit.
#[test]
fn a_run_that_was_killed_and_resumed_is_the_run_that_was_not() {
    let registry = Registry::default();
    let runs: Vec<(&str, &str)> =
        algo::ROWS.iter().flat_map(|algo| registry.recipes().map(|recipe| (algo.name, recipe.name))).collect();
    let (next, kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let each = 200_usize.div_ceil(runs.len());
    let work = || {
        while let Some((algo, optimizer)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let settings = format!("{} --optimizer {optimizer}", small(algo));
            let hits = killed_and_resumed(&settings, (algo, optimizer.len() as u64), each, |_| true);
            kills.fetch_add(hits, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let kills = kills.into_inner();
    eprintln!("{kills} kills over {} runs", runs.len());
    assert!(kills >= 200, "{kills} kills");
}

/// The same where more is to be gone on from than parameters and an optimizer: memories, masks, scales, images, held noise.
#[test]
fn so_is_one_that_remembers_or_scales_or_sees_only_what_is_legal() {
    const PPO: &str = "--algo ppo --n-steps 16 --n-epochs 2 --n-minibatches 2 --envs 4 --quiet";
    const SCALES: &str = "--normalize-observation true --normalize-reward true --normalize-value true";
    let runs = [
        format!("{PPO} --env PendulumNoVelocity-v0 --model gru --hidden 4 --units 5 {SCALES} --steps 640 --threads 2"),
        format!("{PPO} --env Pendulum-v1 --distribution gsde --sde-sample-freq 4 --hidden 4 --steps 640 --threads 2"),
        format!(
            "{PPO} --env GridWorld-4x4-v0(observation=image) --model minatar_cnn --filters 2 --hidden 4 --steps 640 --threads 2"
        ),
        format!("{PPO} --env Pendulum-v1 --rpo-alpha 0.5 --hidden 4 --steps 640 --threads 2"),
        format!(
            "{PPO} --env PendulumNoVelocity-v0 --model gru --hidden 4 --units 5 --recompute-advantages true --steps 640 --threads 2"
        ),
        format!("{PPO} --env CartPole-v1 --desired-kl 0.001 --hidden 4 --steps 640 --threads 1"),
        format!("{PPO} --env Taxi-v3 --model gru --hidden 4 --units 5 --steps 640 --threads 1"),
        format!("{PPO} --env RepeatPrevious-v0 --model lstm --hidden 4 --units 5 --steps 640 --threads 2"),
        format!(
            "{PPO} --env Pendulum-v1 --distribution squashed_diag_gaussian --hidden 4 {SCALES} --steps 640 --threads 1"
        ),
        "--algo a2c --n-steps 8 --envs 4 --env Taxi-v3 --hidden 4 --steps 320 --threads 2 --quiet".to_string(),
    ];
    let kills: usize =
        runs.iter().zip(0..).map(|(run, number)| killed_and_resumed(run, ("kinds", number), 4, |_| true)).sum();
    assert!(kills >= 10, "only {kills} kills hit");
}

/// The same where there are evaluations: in the middle of one, after it and before the checkpoint that knows of it, and where
/// one ends training.
#[test]
fn so_is_one_that_is_evaluated() {
    const PPO: &str = "--algo ppo --n-steps 16 --n-epochs 2 --n-minibatches 2 --envs 4 --hidden 4 --quiet";
    let runs = [
        format!("{PPO} --env GridWorld-4x4-v0 --steps 1280 --eval-every 64 --eval-episodes 20 --threads 2"),
        format!(
            "{PPO} --env PendulumNoVelocity-v0 --model gru --units 5 --normalize-observation true --steps 640 --eval-every 100 \
             --eval-episodes 3 --eval-deterministic false --threads 1"
        ),
        format!(
            "{PPO} --env CartPole-v1 --optimizer ema(0.9)|adam --steps 64000 --eval-every 128 --eval-episodes 5 --threads 1 \
             --stop-without-improvement 5 --stop-at-return reward_threshold"
        ),
    ];
    let kills = runs.iter().zip(0..).map(|(run, number)| {
        killed_and_resumed(run, ("evaluated", number), 8, |folder| {
            let summary = std::fs::read_to_string(folder.join("summary.json")).expect("a summary");
            let is_stopped = summary.contains("\"stopped_by\": \"stop_");
            EVALUATED.iter().all(|name| folder.join(name).is_file()) && is_stopped == run.contains("--stop-")
        })
    });
    let kills: usize = kills.sum();
    assert!(kills >= 10, "only {kills} kills hit");
}

/// Waits for something that takes a moment.
fn wait_for(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("a minute has passed without {what}");
}

/// What [`SMALL`] sets, for so long that it does not end by itself.
const LONG: &str = "--env GridWorld-4x4-v0 --hidden 4 --envs 2 --n-steps 8 --n-epochs 1 --n-minibatches 2 \
                    --steps 100000000 --threads 1 --quiet";

/// A long run, begun and seen to have saved something.
struct Begun {
    home: tempfile::TempDir,
    child: Running,
}

impl Begun {
    fn new(shell: &str, every: f64) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let program = train(home.path(), "");
        let mut command = Command::new("sh");
        command.current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.args([
            "-c",
            &format!("{shell} exec {} {LONG} --checkpoint-every {every} --out run", program.get_program().display()),
        ]);
        Self { child: Running(command.spawn().expect("the program starts")), home }
    }

    fn run(&self) -> PathBuf {
        self.home.path().join("run")
    }

    fn saved(&self) -> bool {
        std::fs::read_dir(self.run().join("checkpoints")).is_ok_and(|mut files| files.next().is_some())
    }

    fn interrupt(&self) {
        let id = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    }

    /// The exit code and what was said.
    fn end(self) -> (tempfile::TempDir, Option<i32>, String) {
        let Self { home, mut child } = self;
        let mut said = String::new();
        let errors = child.0.stderr.take().expect("a pipe");
        BufReader::new(errors).read_to_string(&mut said).expect("text");
        (home, child.0.wait().expect("its end").code(), said)
    }
}

fn rows(run: &Path) -> Vec<u64> {
    let metrics = std::fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    metrics.lines().skip(1).map(|row| row.split(',').next().expect("a column").parse().expect("a number")).collect()
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let run = Begun::new("", 0.1);
    wait_for("a checkpoint", || run.saved());
    run.interrupt();
    let (home, code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("--resume run"), "{said}");
    let run = home.path().join("run");
    let summary = std::fs::read_to_string(run.join("summary.json")).expect("a summary");
    assert!(summary.contains("\"finished\": false"), "{summary}");
    let before = rows(&run);
    // What was saved is all that was done: a second run goes on with the next row.
    let mut second = train(home.path(), "--resume run --checkpoint-every 0.1").spawn().expect("the program starts");
    let lines = || std::fs::read_to_string(run.join("metrics.csv")).map_or(0, |metrics| metrics.lines().count());
    wait_for("a row more", || lines() > before.len() + 2);
    second.kill().expect("a kill");
    second.wait().expect("its end");
    let after = rows(&run);
    assert_eq!(after, (1..=after.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_second_ctrl_c_leaves_at_once_with_the_last_checkpoint_whole() {
    // How long a run takes to end by itself hangs on the machine, so the second comes sooner or later after the first.
    let left_at_once = [1, 0, 2, 5, 10].into_iter().any(|milliseconds| {
        let run = Begun::new("", 0.1);
        wait_for("a checkpoint", || run.saved());
        run.interrupt();
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.interrupt();
        let (home, code, said) = run.end();
        assert_eq!(code, Some(130), "{said}");
        nothing_is_half_written(&home.path().join("run"));
        !home.path().join("run/summary.json").exists()
    });
    assert!(left_at_once, "each time it waited for the evaluation");
}

#[test]
fn a_removed_folder_is_made_again_with_all_that_was_in_it() {
    let run = Begun::new("", 0.1);
    wait_for("a checkpoint", || run.saved());
    std::fs::remove_dir_all(run.run()).expect("the folder goes");
    wait_for("another checkpoint", || run.saved());
    run.interrupt();
    let (home, code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    let rows = rows(&home.path().join("run"));
    assert_eq!(rows, (1..=rows.len() as u64).collect::<Vec<_>>(), "no row is lost");
    assert!(home.path().join("run/config.toml").exists());
    nothing_is_half_written(&home.path().join("run"));
}

#[test]
fn a_file_in_the_folder_s_place_is_told_of_and_training_goes_on_in_memory() {
    let run = Begun::new("", 0.1);
    wait_for("a checkpoint", || run.saved());
    // The folder may be made again in between, so more than one attempt may be needed.
    let aside = run.home.path().join("aside");
    wait_for("a file in its place", || {
        let _ = std::fs::remove_dir_all(run.run());
        std::fs::write(run.run(), "in the way").is_ok()
    });
    std::thread::sleep(Duration::from_millis(500));
    std::fs::rename(run.run(), &aside).expect("the file goes");
    wait_for("another checkpoint", || run.saved());
    run.interrupt();
    let (home, code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
    // The checkpoint that was seen may be the first, which the program does not know of yet when its folder goes.
    assert!(said.contains("nothing is lost yet") || said.contains("the run is in memory alone"), "{said}");
    let rows = rows(&home.path().join("run"));
    assert_eq!(rows, (1..=rows.len() as u64).collect::<Vec<_>>(), "no row is lost");
}

/// As a full disk would, a limit on files' sizes makes every write past it fail.
#[test]
fn a_full_disk_is_told_of_and_leaves_nothing_half_written() {
    let run = Begun::new("trap '' XFSZ; ulimit -f 8;", 0.0);
    wait_for("a row", || run.run().join("metrics.csv").metadata().is_ok_and(|file| file.len() > 0));
    std::thread::sleep(Duration::from_secs(1));
    run.interrupt();
    let (home, code, said) = run.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("File too large") && said.contains("no checkpoint could be written so far"), "{said}");
    assert!(!said.contains("nothing is lost"), "{said}");
    let run = home.path().join("run");
    nothing_is_half_written(&run);
    assert!(
        std::fs::read_dir(run.join("checkpoints")).expect("a folder").next().is_none(),
        "not even a temporary file"
    );
    let whole = std::fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    assert!(whole.ends_with('\n') && whole.len() <= 4096, "the rows that fit are whole");
}

#[test]
fn two_processes_do_not_train_in_one_folder() {
    let run = Begun::new("", 0.1);
    wait_for("a checkpoint", || run.saved());
    let half_written = run.run().join("checkpoints/.0000000001.safetensors.uphill-1.tmp");
    std::fs::write(&half_written, "").expect("a write");
    for arguments in ["--resume run", &format!("{LONG} --force --out run")] {
        let output = train(run.home.path(), arguments).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("another process is training"), "{said}");
    }
    assert!(half_written.exists(), "what a process is writing is left alone");
    run.interrupt();
    let (_home, code, said) = run.end();
    assert_eq!(code, Some(130), "{said}");
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before_and_told_of() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), &format!("{} --checkpoint-every 0 --out run", small("ppo")));
    let run = home.path().join("run");
    let whole = left(&run);
    let mut files: Vec<PathBuf> = std::fs::read_dir(run.join("checkpoints"))
        .expect("checkpoints")
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| !file.ends_with("best.safetensors"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 3, "the last three stay");
    let damage = |file: &Path| {
        let mut bytes = std::fs::read(file).expect("a checkpoint");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).expect("a write");
    };
    damage(&files[2]);
    // Rows that came after the checkpoint before it, and half of one.
    let metrics = run.join("metrics.csv");
    let more = std::fs::read_to_string(&metrics).expect("metrics") + "998,0,0\n999,";
    std::fs::write(&metrics, more).expect("a write");
    let output = train(home.path(), "--resume run --quiet").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("passed over: run/checkpoints/") && said.contains("damaged"), "{said}");
    assert!(left(&run) == whole, "the steps since are taken again");

    std::fs::read_dir(run.join("checkpoints")).expect("checkpoints").for_each(|entry| {
        damage(&entry.expect("an entry").path());
    });
    let output = train(home.path(), "--resume run --quiet").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.starts_with("error: run: the run cannot go on from any of its 3 checkpoints ("), "{said}");
    let places: Vec<usize> = files.iter().filter_map(|file| said.find(&*file.file_name()?.to_string_lossy())).collect();
    assert!(places.len() == 3 && places.is_sorted_by(|a, b| a > b), "each, the newest first: {said}");
    assert!(said.ends_with("begin again: --out this folder with --force\n"), "{said}");
    for file in &files[1..] {
        std::fs::remove_file(file).expect("a checkpoint");
    }
    let output = train(home.path(), "--resume run --quiet").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: run: the run cannot go on from its only checkpoint (run/checkpoints/"), "{said}");
    for more in 1..=5 {
        std::fs::write(run.join(format!("checkpoints/{more:010}.safetensors")), "not one").expect("a file");
    }
    let output = train(home.path(), "--resume run --quiet").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("any of its ") && said.contains("; and "), "{said}");
    assert_eq!(said.matches(".safetensors: ").count(), 3, "{said}");
}

#[test]
fn resuming_what_cannot_be_resumed_says_why() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), &format!("{} --out run", small("ppo")));
    std::fs::create_dir(home.path().join("empty")).expect("a folder");
    for (arguments, expected) in [
        ("--resume nowhere", "error: nowhere: there is no such folder"),
        ("--resume empty", "error: empty: this folder holds no run: it has no config.toml"),
        ("--resume run --lr 0.1", "error: --resume goes on with the settings that the run began with: leave out --lr"),
        (
            "--out run",
            "error: run: this folder already holds a run: give --resume to go on with it, --force to replace it, or --out another folder",
        ),
    ] {
        let output = train(home.path(), arguments).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert_eq!(said.trim_end(), expected);
    }
    // A run that is over is over: it is judged again, and nothing else.
    let before = left(&home.path().join("run"));
    succeeds(home.path(), "--resume run --quiet");
    assert!(left(&home.path().join("run")) == before);
}
