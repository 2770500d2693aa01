//! Comparisons over the ranks that an MPI has started. Where there is no `mpirun` these tests say so and do no more.
#![cfg(feature = "mpi")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use jobs::{Job, alone, fails, succeeds, text, until, uphill};

mod jobs;
mod programs;

/// Both protocols and a sweep on a small world, one learning rate of which diverges.
const TINY: &str = "
    title = 'Tiny'
    algos = ['a2c']
    optimizers = ['sgd', 'adam(lr=2e-3, eps=1e-5)']
    seeds = [3, 4]
    curve_points = 10
    eval_episodes = 3
    sweep = { values = [0.1, 1e38] }
    settings = { steps = 400, hidden = [8], max_grad_norm = inf }
    tuning = { trials = 2, seeds = [7], lr = { multiples = [1.0, 3.0] } }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";

/// Runs that take some tenths of a second each (`mpirun` gives them another after Ctrl-C), two of which depend on what the others come to.
const SLOW: &str = "
    algos = ['a2c']
    optimizers = ['sgd']
    protocols = ['tuned']
    seeds = [3, 4]
    curve_points = 10
    eval_episodes = 3
    settings = { steps = 200_000, hidden = [8] }
    tuning = { trials = 4, seeds = [5, 6, 7, 8], lr = { multiples = [0.3, 1.0, 3.0, 10.0] } }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";

fn folder(grid: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("grid.toml"), grid).expect("written");
    home
}

fn arguments(out: &str) -> String {
    format!("compare --config grid.toml --threads 1 --out {out}")
}

/// The comparison in one process, without `mpirun`.
fn in_one_process(home: &Path, out: &str) -> Command {
    let mut command = programs::example("uphill");
    command.current_dir(home).args(arguments(out).split_whitespace());
    command
}

fn over_ranks(home: &Path, ranks: usize, out: &str) -> Option<Command> {
    uphill(home, ranks, &arguments(out))
}

fn cells(comparison: &Path) -> BTreeMap<PathBuf, String> {
    let entries = fs::read_dir(comparison.join("cells")).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
    files.map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// All that a comparison left and no clock decides, by its name.
fn came_to(comparison: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut left = BTreeMap::new();
    for name in ["results.csv", "curves.csv", "statistics.csv", "grid.toml"] {
        left.insert(name.to_string(), fs::read(comparison.join(name)).expect("a table"));
    }
    for entry in fs::read_dir(comparison.join("pictures")).expect("pictures").flatten() {
        let name = entry.file_name().into_string().expect("text");
        if !name.starts_with("cost") {
            left.insert(name, fs::read(entry.path()).expect("a picture"));
        }
    }
    let report = fs::read_to_string(comparison.join("report.md")).expect("a report");
    let (before, after) = report.split_once("## Costs").expect("costs");
    let after = after.split_once("\n## ").map_or("", |(_, after)| after);
    // How many cores the machine has depends on where `mpirun` lets a rank run.
    let report: Vec<&str> = before.lines().chain(after.lines()).filter(|line| !line.starts_with("Made by ")).collect();
    left.insert("report.md".into(), report.join("\n").into_bytes());
    for (path, text) in cells(comparison) {
        // All but the checksum and the seconds.
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("# fnv1a = ") && !line.starts_with("seconds = ")).collect();
        assert_eq!(lines.len() + 2, text.lines().count(), "{text}");
        left.insert(path.file_name().expect("a name").to_string_lossy().into_owned(), lines.join("\n").into_bytes());
    }
    left
}

fn same(one: &Path, other: &Path) {
    let (one, other) = (came_to(one), came_to(other));
    assert!(one.keys().eq(other.keys()), "{:?}\n{:?}", one.keys(), other.keys());
    let differ: Vec<&String> = one.keys().filter(|name| one[*name] != other[*name]).collect();
    let reports = [&one, &other].map(|left| text(&left["report.md"]));
    assert!(differ.is_empty(), "{differ:?}: {reports:?}");
}

/// Waits until so many runs are done.
fn done(comparison: &Path, count: usize, job: &mut Job) -> BTreeMap<PathBuf, String> {
    until("finished runs", || {
        assert!(job.0.try_wait().expect("a status").is_none(), "the job has ended: {}", job.said());
        Some(cells(comparison)).filter(|cells| cells.len() >= count)
    })
}

#[test]
fn ranks_leave_what_one_process_leaves() {
    let _alone = alone();
    let home = folder(TINY);
    succeeds(in_one_process(home.path(), "one"));
    let table = fs::read_to_string(home.path().join("one/results.csv")).expect("a table");
    assert_eq!(table.lines().count(), 1 + 2 * (2 + 4 + 2 + 2));
    assert!(table.contains(",diverged,") && table.contains(",finished,"), "{table}");
    for ranks in [1, 2, 4] {
        let out = format!("of{ranks}");
        let Some(command) = over_ranks(home.path(), ranks, &out) else { return };
        let output = succeeds(command);
        assert_eq!(text(&output.stdout).matches("20 runs: ").count(), 1, "one speaks: {}", text(&output.stdout));
        same(&home.path().join("one"), &home.path().join(out));
    }
    // What is there already is not done again.
    let before = cells(&home.path().join("of4"));
    succeeds(over_ranks(home.path(), 2, "of4").expect("mpirun"));
    assert_eq!(cells(&home.path().join("of4")), before);
}

#[test]
fn a_run_that_fails_ends_all_with_the_words_of_one_process() {
    let _alone = alone();
    // Trials of the second kind need more memory than they may have, which nobody knows before.
    let grid = TINY
        .replace("'sgd', 'adam(lr=2e-3, eps=1e-5)'", "'shampoo(max_dim=1)'")
        .replace(
            "trials = 2, seeds = [7],",
            "trials = 4, seeds = [7, 8], search.'shampoo(max_dim=1)'.max_dim = [1, 999],",
        )
        .replace("hidden = [8]", "hidden = [500], max_memory = 0.05");
    let home = folder(&grid);
    let errors =
        |said: &str| said.lines().filter(|line| line.contains("error: ")).map(str::to_string).collect::<Vec<_>>();
    let expected = errors(&fails(in_one_process(home.path(), "one")));
    assert!(
        expected.len() == 1 && expected[0].contains("max_dim-999") && expected[0].contains("max_memory"),
        "{expected:?}"
    );
    for ranks in [2, 4] {
        let out = format!("of{ranks}");
        let Some(command) = over_ranks(home.path(), ranks, &out) else { return };
        let said = fails(command);
        assert_eq!(errors(&said), expected, "{said}");
        assert!(!said.contains("MPI_ABORT"), "{said}");
        assert!(!cells(&home.path().join(out)).is_empty(), "what is finished stays");
    }
}

#[test]
fn what_is_not_done_when_a_rank_is_killed_or_ctrl_c_comes_is_done_by_the_same_command() {
    let _alone = alone();
    let home = folder(SLOW);
    succeeds(in_one_process(home.path(), "one"));
    let out = home.path().join("out");
    for killed in [Some(2), Some(0), None] {
        if out.exists() {
            fs::remove_dir_all(&out).expect("removed");
        }
        let Some(command) = over_ranks(home.path(), 4, "out") else { return };
        let mut job = Job::start(command);
        done(&out, 3, &mut job);
        match killed {
            Some(rank) => Job::signal(job.pid_of(rank), "-KILL"),
            None => Job::signal(job.0.id(), "-INT"),
        }
        let (code, said) = job.end();
        assert!(code != Some(0) && !said.contains("error: "), "{code:?}: {said}");
        assert!(killed.is_none() || said.contains("signal 9"), "{said}");
        let before = cells(&out);
        assert!(!out.join("results.csv").exists(), "it was ended in the midst");
        let output = succeeds(over_ranks(home.path(), 4, "out").expect("mpirun"));
        assert!(text(&output.stderr).contains(" there already"), "{}", text(&output.stderr));
        let after = cells(&out);
        // With their seconds: they were not done again.
        assert!(before.len() >= 3 && before.iter().all(|(path, text)| after[path] == *text));
        same(&home.path().join("one"), &out);
    }
}

#[test]
fn the_runs_of_a_rank_that_hangs_are_done_by_others() {
    let _alone = alone();
    let home = folder(SLOW);
    succeeds(in_one_process(home.path(), "one"));
    for comes_back in [false, true] {
        let (out, said) =
            (home.path().join(format!("out-{comes_back}")), home.path().join(format!("said-{comes_back}")));
        let Some(mut command) = over_ranks(home.path(), 3, &format!("out-{comes_back}")) else { return };
        command.env("UPHILL_PATIENCE", "10");
        let mut job = Job::start_telling(command, &said);
        done(&out, 2, &mut job);
        let (first, hanging) = (job.pid_of(0), job.pid_of(1));
        if comes_back {
            // It hangs while it says what it has done, and before it is answered.
            Job::signal(first, "-STOP");
            sleep(Duration::from_secs(3));
        }
        Job::signal(hanging, "-STOP");
        if comes_back {
            Job::signal(first, "-CONT");
        }
        let told = || fs::read_to_string(&said).expect("text");
        let lost = "rank 1 has not answered for 10 s: others do its part, and 1 run that it was given";
        until("the others to miss it", || {
            assert!(job.0.try_wait().expect("a status").is_none(), "the job has ended: {}", told());
            told().contains(lost).then_some(())
        });
        if comes_back {
            Job::signal(hanging, "-CONT");
        }
        let (code, _) = job.end();
        let told = told();
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(told.contains("rank 1 answers again"), comes_back, "{told}");
        assert_eq!(told.contains("the job ends without the ranks that do not answer"), !comes_back, "{told}");
        same(&home.path().join("one"), &out);
    }
}

#[test]
fn a_first_rank_that_hangs_is_named_and_the_same_command_goes_on() {
    let _alone = alone();
    let home = folder(SLOW);
    let out = home.path().join("out");
    let Some(mut command) = over_ranks(home.path(), 3, "out") else { return };
    command.env("UPHILL_PATIENCE", "4");
    let mut job = Job::start(command);
    done(&out, 2, &mut job);
    Job::signal(job.pid_of(0), "-STOP");
    let (code, said) = job.end();
    assert!(code != Some(0) && said.contains("rank 0 has not answered for 7 s"), "{code:?}: {said}");
    succeeds(over_ranks(home.path(), 2, "out").expect("mpirun"));
    succeeds(in_one_process(home.path(), "one"));
    same(&home.path().join("one"), &out);
}

#[test]
fn what_needs_one_rank_is_said_by_one() {
    let _alone = alone();
    let home = folder(TINY);
    for (command, said) in [("--list-cells", "defaults  GridWorld-4x4-v0-a2c-sgd-lr0.1-s3"), ("--dry-run", "20 runs: ")]
    {
        let Some(command) = uphill(home.path(), 3, &format!("compare --config grid.toml {command}")) else { return };
        let output = succeeds(command);
        assert_eq!(text(&output.stdout).matches(said).count(), 1, "{}", text(&output.stdout));
    }
    for (command, said) in [
        ("compare --optimizers adamm", "adamm"),
        ("compare --config nowhere.toml", "nowhere.toml"),
        ("tune", "a search for hyper-parameters is for one process, and these are 3 ranks"),
    ] {
        let Some(command) = uphill(home.path(), 3, command) else { return };
        let stderr = fails(command);
        assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 1, "nothing is left behind");
}
