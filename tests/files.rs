//! Folders and files that other people have a hand in: what is not ours is left alone or refused by name, what is written
//! stays in its folder, and what others do to our files is noticed and undone.
#![cfg(feature = "pictures")]
#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use uphill::benchmark::{Benchmark, Grid, write_report};
use uphill::plot::{self, PlotOptions};
use uphill::{Config, Keep, Metrics, Policy, RunFolder, Threads, Trainer};

fn config() -> Config {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    Config { env: "GridWorld-4x4-v0".into(), steps: 400, envs: 2, hidden: vec![4], ..a2c }
}

/// Some updates of a run, each saved, and what the run has said of its folder.
fn train(mut run: RunFolder, trainer: &mut Trainer, updates: usize) -> Vec<String> {
    run = run.with_keep(Keep { every: Duration::ZERO, ..Keep::default() });
    let mut notes = Vec::new();
    for _ in 0..updates {
        run.log(&trainer.step().expect("an update").expect("not over")).expect("a row");
        run.save(trainer).expect("a checkpoint");
        notes.extend(run.take_notes());
    }
    notes
}

/// A run of five updates that was broken off.
fn begun(folder: &Path) {
    let run = RunFolder::create(folder, &config(), false).expect("a run");
    train(run, &mut Trainer::new(&config()).expect("a trainer"), 5);
}

fn resumed(folder: &Path) -> (RunFolder, Trainer, Vec<String>) {
    RunFolder::resume(folder, Trainer::new).expect("the run goes on")
}

fn refused<T>(made: uphill::Result<T>) -> String {
    made.err().expect("refused").to_string()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("text")
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A policy, as a writer of a file that is small enough for a pipe.
fn policy(home: &Path) -> Policy {
    let run = RunFolder::create(home.join("policy"), &config(), false).expect("a run");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    trainer.step().expect("an update");
    run.finish(trainer).expect("a summary");
    Policy::load(home.join("policy")).expect("a policy")
}

#[test]
fn a_pipe_and_a_device_are_written_to_as_what_they_are() {
    let home = home();
    let policy = policy(home.path());
    let whole = home.path().join("whole");
    policy.save(&whole).expect("a file");

    let pipe = home.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut end = fs::File::options().read(true).write(true).open(&pipe).expect("both ends");
    policy.save(&pipe).expect("written");
    assert!(fs::metadata(&pipe).expect("there").file_type().is_fifo(), "it is a pipe still");
    let mut came = vec![0; 1 << 16];
    let n = end.read(&mut came).expect("bytes");
    assert_eq!(came[..n], fs::read(&whole).expect("bytes"));
    uphill::destination::check(&pipe, &["png"]).expect("a pipe takes what comes");

    // One of our own, where the system lets us make one: never the system's.
    let device = home.path().join("null");
    let made =
        Command::new("mknod").arg(&device).args(["c", "1", "3"]).output().is_ok_and(|made| made.status.success());
    if made && fs::File::options().write(true).open(&device).is_ok() {
        policy.save(&device).expect("written");
        assert!(fs::metadata(&device).expect("there").file_type().is_char_device(), "it is a device still");
    }
    assert!(!names(home.path()).iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn a_link_stays_and_its_file_is_replaced_but_a_link_to_nothing_and_a_folder_are_refused() {
    let home = home();
    let policy = policy(home.path());
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("far.png")).expect("a folder");
    fs::write(at("far.png/target"), "old").expect("a file");
    symlink("far.png/target", at("link")).expect("a link");
    policy.save(&at("link")).expect("written");
    assert!(at("link").is_symlink() && fs::read(at("far.png/target")).expect("bytes").len() > 100);
    assert_eq!(names(&at("far.png")), ["target"]);

    symlink("nowhere/at/all", at("dangling.png")).expect("a link");
    for (path, said) in
        [("dangling.png", "this is a link to nowhere/at/all, where there is nothing"), ("far.png", "this is a folder")]
    {
        let error = refused(policy.save(&at(path)));
        assert_eq!(error, format!("{}: {said}", at(path).display()));
        let early = uphill::destination::check(&at(path), &["png"]).expect_err("refused").to_string();
        assert!(early.contains(said), "{early}");
        let runs = [plot::RecordedRun::parse(
            "r",
            b"env='E'\nalgo='a'\noptimizer='o'\nseed=1",
            b"env_steps,m\n1,2\n2,3\n",
            "m",
        )
        .expect("a run")];
        let drawn = plot::reward_curve(&runs, &PlotOptions::default(), at(path)).expect_err("refused").to_string();
        assert!(drawn.contains(said), "{drawn}");
    }
    assert!(at("dangling.png").is_symlink() && !at("nowhere").exists());
    assert!(uphill::destination::check(&at("no/folder.png"), &["png"]).is_err());
    uphill::destination::check(&at("free.png"), &["png"]).expect("a free name");
    assert!(!at("free.png").exists(), "looking makes nothing");
}

#[test]
fn a_run_and_a_comparison_go_into_a_folder_and_nothing_else() {
    let home = home();
    let at = |name: &str| home.path().join(name);
    symlink("nowhere", at("dangling")).expect("a link");
    assert!(Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    fs::write(at("file"), "").expect("a file");
    let grid = Grid::from_toml(TINY).expect("a grid");
    for (name, said) in [
        ("dangling", "this is a link to nowhere, where there is nothing"),
        ("pipe", "this is a device or a pipe"),
        ("file", "this is a file"),
    ] {
        let expected = format!("{}: {said}: give --out a folder", at(name).display());
        assert_eq!(refused(RunFolder::create(at(name), &config(), false)), expected);
        assert_eq!(refused(Benchmark::open(grid.clone(), at(name), false)), expected);
        assert_eq!(refused(RunFolder::create(at(name).join("run"), &config(), false)), expected);
    }
}

#[test]
fn only_files_named_as_checkpoints_are_checkpoints() {
    let home = home();
    begun(home.path());
    let folder = home.path().join("checkpoints");
    let copies = ["before-lr-change.safetensors", "copy.safetensors", "0000000003 (1).safetensors", "zz.safetensors"];
    for copy in copies {
        fs::copy(folder.join("0000000003.safetensors"), folder.join(copy)).expect("a copy");
    }
    let (run, mut trainer, notes) = resumed(home.path());
    assert!(run.last_checkpoint().is_some_and(|last| last.ends_with("0000000005.safetensors")));
    assert_eq!(
        notes,
        [
            "checkpoints/0000000003 (1).safetensors, before-lr-change.safetensors, copy.safetensors and 1 more: left alone: \
          checkpoints of this run are named by the ten digits of their updates"
        ]
    );
    train(run, &mut trainer, 3);
    let mut expected: Vec<String> = copies.iter().map(ToString::to_string).collect();
    expected.extend([6, 7, 8].map(|update| format!("{update:010}.safetensors")));
    expected.sort();
    assert_eq!(names(&folder), expected);
    assert_eq!(text(home.path().join("metrics.csv")).lines().count(), 1 + 8, "no row is cut");
    // What is not ours is not removed with the rest, either.
    drop(RunFolder::create(home.path(), &config(), true).expect("a new run"));
    assert_eq!(names(&folder).len(), copies.len());
}

#[test]
fn a_copy_under_a_later_number_sends_the_run_nowhere_and_lets_new_checkpoints_stay() {
    let home = home();
    begun(home.path());
    let folder = home.path().join("checkpoints");
    for number in ["0000000900", "0000000901", "9999999999"] {
        fs::copy(folder.join("0000000003.safetensors"), folder.join(format!("{number}.safetensors"))).expect("a copy");
    }
    let (run, mut trainer, notes) = resumed(home.path());
    assert!(run.last_checkpoint().is_some_and(|last| last.ends_with("0000000005.safetensors")));
    assert_eq!(notes.len(), 3);
    assert!(notes.iter().all(|note| note.ends_with("this is a copy of the checkpoint of update 3")), "{notes:?}");
    train(run, &mut trainer, 2);
    let kept = [5, 6, 7].map(|update| format!("{update:010}.safetensors"));
    assert_eq!(names(&folder)[..3], kept);
}

#[test]
fn force_removes_what_a_run_made_and_nothing_else() {
    // A configuration that somebody else wrote.
    let home = home();
    let at = |name: &str| home.path().join(name);
    fs::write(at("config.toml"), "theme = 'dark'\n").expect("a file");
    for force in [false, true] {
        let error = refused(RunFolder::create(home.path(), &config(), force));
        assert!(
            error.starts_with(&format!("{}: no run of this version made this", at("config.toml").display())),
            "{error}"
        );
    }
    assert_eq!(names(home.path()), ["config.toml"]);
    assert_eq!(text(at("config.toml")), "theme = 'dark'\n");

    // Checkpoints behind a link.
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    begun(&at("run"));
    begun(&at("other"));
    fs::remove_dir_all(at("run/checkpoints")).expect("removed");
    symlink("../other/checkpoints", at("run/checkpoints")).expect("a link");
    let before = names(&at("other/checkpoints"));
    let error = refused(RunFolder::create(at("run"), &config(), true));
    assert!(error.contains("checkpoints: this is a link"), "{error}");
    assert!(refused(RunFolder::resume(at("run"), Trainer::new)).contains("checkpoints: this is a link"));
    assert_eq!(names(&at("other/checkpoints")), before);
    assert!(at("run/config.toml").exists(), "nothing is removed before all is looked at");
}

#[test]
fn links_in_a_run_s_folder_are_not_followed() {
    for name in ["metrics.csv", "policy.safetensors", "config.toml", ".uphill", "checkpoints/0000000005.safetensors"] {
        let home = home();
        let at = |name: &str| home.path().join(name);
        begun(&at("run"));
        let elsewhere = at("elsewhere");
        let path = at("run").join(name);
        match fs::rename(&path, &elsewhere) {
            Ok(()) => {}
            Err(_) => fs::write(&elsewhere, "somebody's").expect("a file"),
        }
        let before = fs::read(&elsewhere).expect("bytes");
        symlink(&elsewhere, &path).expect("a link");
        for made in [
            refused(RunFolder::resume(at("run"), Trainer::new)),
            refused(RunFolder::create(at("run"), &config(), true)),
        ] {
            assert!(made.contains(&format!("{name}: this is a link")), "{made}");
        }
        assert_eq!(fs::read(&elsewhere).expect("bytes"), before);
        assert!(path.is_symlink());
    }
}

#[test]
fn temporary_files_of_a_kill_are_cleared_away_and_no_others() {
    let home = home();
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("checkpoints")).expect("a folder");
    let left = [".config.toml.uphill-1.tmp", "checkpoints/.0000000001.safetensors.uphill-4194304.tmp"];
    let others = [".notes.swp.tmp", ".config.toml.1.tmp", ".x.uphill-1a.tmp", "checkpoints/.mine.tmp"];
    left.iter().chain(&others).for_each(|name| fs::write(at(name), "half").expect("a file"));
    drop(RunFolder::create(home.path(), &config(), false).expect("a run"));
    left.iter().for_each(|name| assert!(!at(name).exists(), "{name}"));
    others.iter().for_each(|name| assert!(at(name).exists(), "{name}"));
    left.iter().for_each(|name| fs::write(at(name), "half").expect("a file"));
    drop(resumed(home.path()));
    left.iter().for_each(|name| assert!(!at(name).exists(), "{name}"));
    others.iter().for_each(|name| assert!(at(name).exists(), "{name}"));

    // A picture's, of which no run knows, goes with the next picture of its name, unless somebody is at work on it.
    let policy = policy(home.path());
    let [dead, alive] = [at(".picture.uphill-1.tmp"), at(".picture.uphill-2.tmp")];
    fs::write(&dead, "half").expect("a file");
    let busy = fs::File::create(&alive).expect("a file");
    busy.lock().expect("a lock");
    policy.save(&at("picture")).expect("written");
    assert!(!dead.exists() && alive.exists());
}

#[test]
fn a_run_of_a_version_without_markers_goes_on_and_is_ours_from_then_on() {
    let home = home();
    begun(home.path());
    fs::remove_file(home.path().join(".uphill")).expect("a marker");
    drop(resumed(home.path()));
    assert!(text(home.path().join(".uphill")).contains("kind = \"run\""));
    drop(RunFolder::create(home.path(), &config(), true).expect("a new run"));
    let grid = Grid::from_toml(TINY).expect("a grid");
    let error = refused(Benchmark::open(grid, home.path(), true));
    assert!(error.ends_with(".uphill: this is the folder of a run: give --out another one"), "{error}");
}

/// As many rows as make a file of some hundred kilobytes; the rest of it is in memory.
const ROWS: usize = 6_000;

/// Rows before and after somebody has had a hand in the file: all are there, and it is said what has happened.
fn meddled(meddle: impl Fn(&Path)) -> (tempfile::TempDir, Vec<String>) {
    let home = home();
    let path = home.path().join("metrics.csv");
    let mut run = RunFolder::create(home.path(), &config(), false).expect("a run");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    let mut metrics: Metrics = trainer.step().expect("an update").expect("not over");
    let mut notes = Vec::new();
    for update in 1..=2 * ROWS {
        metrics.update = update as u64;
        run.log(&metrics).expect("a row");
        notes.extend(run.take_notes());
        if update == ROWS {
            assert_eq!(notes, [""; 0], "nothing has happened yet");
            meddle(&path);
        }
    }
    let rows = text(&path);
    let updates = rows.lines().skip(1).map(|row| row.split(',').next().and_then(|update| update.parse().ok()));
    assert!(updates.eq((1..=2 * ROWS).map(Some)), "every row, once, in order");
    // What is saved now can be gone on from, by nobody else yet.
    let taken = refused(RunFolder::resume(home.path(), Trainer::new));
    assert!(taken.contains("another process is training in this folder"), "{taken}");
    run.save(&mut trainer).expect("a checkpoint");
    drop(run);
    let (_, trainer, _) = resumed(home.path());
    assert_eq!(trainer.env_steps(), 10);
    assert!(text(&path) == rows);
    (home, notes)
}

fn edited(path: &Path) -> String {
    text(path).lines().take(ROWS / 2).map(|row| row.to_string() + "\n").collect()
}

#[test]
fn a_metrics_file_that_was_replaced_is_noticed_and_made_whole() {
    let put_aside = |home: &Path, notes: &[String], content: &dyn Fn(&Path) -> String| {
        let [note] = notes else { panic!("one note: {notes:?}") };
        let path = home.join("metrics.csv");
        let expected = format!(
            "{0} was changed by another program: it has all its rows again, and what was there is now {0}.replaced",
            path.display()
        );
        assert_eq!(note, &expected);
        assert!(text(home.join("metrics.csv.replaced")) == content(&path));
    };
    // As `sed -i` and most editors do it: another file under the same name.
    let (home, notes) = meddled(|path| {
        let other = path.with_extension("new");
        fs::write(&other, edited(path)).expect("a file");
        fs::rename(&other, path).expect("a name");
    });
    put_aside(home.path(), &notes, &edited);
    // As the other editors do it: in place.
    let (home, notes) = meddled(|path| fs::write(path, edited(path)).expect("a file"));
    put_aside(home.path(), &notes, &edited);
    // Cut off altogether.
    let (home, notes) = meddled(|path| fs::write(path, "").expect("a file"));
    put_aside(home.path(), &notes, &|_| String::new());
    // More than there was.
    let (home, notes) = meddled(|path| {
        let mut file = fs::File::options().append(true).open(path).expect("a file");
        file.write_all(b"a note\n").expect("a line");
    });
    assert!(text(home.path().join("metrics.csv.replaced")).ends_with("a note\n"));
    assert_eq!(notes.len(), 1);
    // A link in its place is not followed.
    let (home, notes) = meddled(|path| {
        fs::rename(path, path.with_file_name("elsewhere")).expect("a name");
        symlink("elsewhere", path).expect("a link");
    });
    assert!(home.path().join("metrics.csv.replaced").is_symlink());
    assert_eq!(text(home.path().join("elsewhere")).lines().count(), 1 + ROWS);
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_metrics_file_that_was_edited_while_nothing_ran_is_refused_and_one_that_was_removed_is_done_without() {
    let home = home();
    begun(home.path());
    let path = home.path().join("metrics.csv");
    let rows = text(&path);
    let with_crlf = rows.replace('\n', "\r\n");
    let one_digit = rows.replacen("\n2,", "\n3,", 1);
    let headless = rows.split_once('\n').expect("rows").1.to_string();
    assert!(one_digit != rows && one_digit.len() == rows.len());
    for edited in [with_crlf, one_digit, headless, rows[..rows.len() - 1].to_string()] {
        fs::write(&path, &edited).expect("a file");
        let said = refused(RunFolder::resume(home.path(), Trainer::new));
        assert!(said.contains("metrics.csv: it is not what the run has written"), "{said}");
        assert!(text(&path) == edited, "what is refused stays as it was");
    }
    // What the checkpoint does not know of is dropped, as after a kill.
    fs::write(&path, format!("{rows}6,")).expect("a file");
    drop(resumed(home.path()));
    assert!(text(&path) == rows);

    // A file without a byte is as good as none, and none is left where none was and nothing was trained.
    fs::write(&path, "").expect("emptied");
    for is_there in [true, false, false] {
        let (_, _, notes) = resumed(home.path());
        assert!(notes.iter().any(|note| note.contains("metrics.csv has been removed")), "{notes:?}");
        assert_eq!(path.exists(), is_there);
        let _ = fs::remove_file(&path);
    }
    let (run, mut trainer, _) = resumed(home.path());
    train(run, &mut trainer, 2);
    let (header, new) = (rows.lines().next().expect("a header"), text(&path));
    assert!(new.starts_with(header) && new.lines().nth(1).expect("a row").starts_with("6,"), "{new}");
}

#[test]
fn a_metrics_file_that_was_removed_is_there_again_and_one_that_was_touched_is_left() {
    let (home, notes) = meddled(|path| fs::remove_file(path).expect("removed"));
    let path = home.path().join("metrics.csv");
    assert_eq!(notes, [format!("{} was removed: it is there again with all its rows", path.display())]);
    let (home, notes) = meddled(|path| {
        std::thread::sleep(Duration::from_millis(20));
        fs::write(path, text(path)).expect("the same");
    });
    assert_eq!(notes, [""; 0]);
    assert!(!home.path().join("metrics.csv.replaced").exists());
}

/// A comparison of a moment.
const TINY: &str = "
    algos = ['a2c']
    optimizers = ['sgd']
    protocols = ['defaults']
    seeds = [3]
    curve_points = 5
    eval_episodes = 2
    settings = { steps = 200, hidden = [4] }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";

fn compare(text: &str, folder: &Path, force: bool) -> uphill::Result<()> {
    let benchmark = Benchmark::open(Grid::from_toml(text)?, folder, force)?;
    let results = benchmark.run(&Threads::new(1)?, true)?;
    write_report(&results, folder)
}

#[test]
fn a_comparison_leaves_alone_what_it_did_not_make() {
    let home = home();
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("pictures")).expect("a folder");
    let theirs = [
        "results.csv",
        "report.md",
        "report.html",
        ".lock",
        "pictures/holiday.png",
        "pictures/scores-defaults.png",
        ".mine.tmp",
    ];
    theirs.iter().for_each(|name| fs::write(at(name), "theirs").expect("a file"));
    let before = names(home.path());
    for force in [false, true] {
        let error = refused(compare(TINY, home.path(), force));
        assert!(error.contains("no comparison made this, as the folder has no .uphill"), "{error}");
        theirs.iter().for_each(|name| assert_eq!(text(at(name)), "theirs", "{name}"));
        assert_eq!(names(home.path()), before);
    }
    // Beside files of other names it may go where it is told to.
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    fs::write(at("notes.txt"), "theirs").expect("a file");
    assert!(refused(compare(TINY, home.path(), false)).contains("notes.txt: no comparison made this"));
    compare(TINY, home.path(), true).expect("beside it");
    // In its own folder it replaces what is its own.
    let theirs = ["notes.txt", "pictures/holiday.png", "pictures/.mine.tmp"];
    theirs.iter().for_each(|name| fs::write(at(name), "theirs").expect("a file"));
    let left = [".grid.toml.uphill-1.tmp", "cells/.half.uphill-1.tmp", "pictures/.scores-defaults.png.uphill-1.tmp"];
    left.iter().for_each(|name| fs::write(at(name), "half").expect("a file"));
    fs::write(at("pictures/curves-defaults-gone-a2c.png"), "of a task that is gone").expect("a file");
    compare(TINY, home.path(), false).expect("again");
    theirs.iter().for_each(|name| assert_eq!(text(at(name)), "theirs", "{name}"));
    left.iter().for_each(|name| assert!(!at(name).exists(), "{name}"));
    assert!(!at("pictures/curves-defaults-gone-a2c.png").exists());
    assert!(at("pictures/scores-defaults.png").exists());
    assert!(refused(RunFolder::create(home.path(), &config(), true)).contains("this is the folder of a comparison"));
    // Links out of it are not followed.
    for name in ["results.csv", ".lock", "pictures", "cells", "pictures/scores-defaults.png"] {
        let path = at(name);
        fs::rename(&path, at("aside")).expect("a name");
        let elsewhere: PathBuf = home.path().with_extension("elsewhere");
        fs::write(&elsewhere, "theirs").expect("a file");
        symlink(&elsewhere, &path).expect("a link");
        let error = refused(compare(TINY, home.path(), false));
        assert!(error.contains(&format!("{name}: this is a link")), "{error}");
        assert_eq!(text(&elsewhere), "theirs");
        fs::remove_file(&path).expect("a link");
        fs::remove_file(&elsewhere).expect("a file");
        fs::rename(at("aside"), &path).expect("a name");
    }
}

#[test]
fn a_report_shows_names_as_they_are() {
    let home = home();
    let name = "<img src=x onerror=alert(1)> [a](http://b) | `c` *d* _e_ &lt; $f$ ![g](h)\\nnext # line";
    let shown = "&lt;img src=x onerror=alert(1)&gt; \\[a\\](http\\://b) | \\`c\\` \\*d\\* \\_e\\_ &amp;lt; \\$f\\$ \\!\\[g\\](h) \
                 next \\# line";
    let grid = TINY
        .replace("algos", &format!("title = \"</details> ``` {name}\"\nalgos"))
        .replace("env = 'GridWorld-4x4-v0'", &format!("env = 'GridWorld-4x4-v0', name = \"{name}\""))
        .replace("['sgd']", "['sgd', \"partition('*', centralize | sgd(lr=0.2))\"]");
    compare(&grid, home.path(), false).expect("a comparison");
    let report = text(home.path().join("report.md"));
    assert!(report.starts_with(&format!("# &lt;/details&gt; \\`\\`\\` {shown}\n\n")), "{report:.400}");
    // Once within the block of code that repeats the grid, and nowhere else.
    let (before, code) = report.split_once("````toml\n").expect("a longer fence than the title has");
    assert!(code.contains("\n````\n\n</details>"));
    let raw = name.replace("\\n", "\n");
    for part in ["<img", "[a](http", "![g]", "`c`", "&lt; $f", "\nnext"] {
        assert!(raw.contains(part) && !before.contains(part), "{part}");
    }
    let cell = format!("| {} a2c |", shown.replace('|', "\\|"));
    assert!(before.contains(&cell), "{before:.3000}");
    // Every row of a table has as many cells as its header.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = before.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|'))) {
        assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:?}");
    }
}

#[test]
fn text_is_no_number() {
    for number in ["inf", "nan", "-inf", "1e3"] {
        for toml in [
            format!("lr = '{number}'"),
            format!("max_grad_norm = '{number}'"),
            format!("target_kl = \"{number}\""),
            format!("optimizer = {{ name = 'adam', eps = '{number}' }}"),
            format!("optimizer = {{ name = 'adam', lr = '{number}' }}"),
            format!("optimizer = [{{ name = 'clip_by_global_norm', max_norm = '{number}' }}, 'adam']"),
            format!("optimizer = {{ name = '{number}' }}"),
            format!("gridworld = {{ map = 'S..G', max_episode_steps = '{number}' }}"),
            format!("gridworld = {{ map = 'S..G', reward_threshold = '{number}' }}"),
        ] {
            assert!(Config::from_toml(&toml).is_err(), "{toml}");
        }
    }
    // Where text may stand it stays text, written and read again.
    for text in ["inf", "nan", "1e3", "actor.*", "true"] {
        let toml = format!("optimizer = {{ name = 'masked', blocks = '{text}', chain = 'sgd' }}");
        let toml::Value::Table(table) = toml.parse::<toml::Table>().expect("TOML").into() else { panic!("a table") };
        let spec = uphill::words::Spec::try_from(&table["optimizer"]).expect("a spec");
        let again: uphill::words::Spec = spec.to_string().parse().expect("the same spec");
        assert_eq!(again, spec, "{spec}");
    }
    for text in ["inf", "inf(3)", "nan | adam", "masked(inf | adam, 'x')"] {
        assert!(text.parse::<uphill::words::Spec>().is_err(), "{text}");
    }
    // Numbers are numbers.
    Config::from_toml("max_grad_norm = inf\noptimizer = 'lamb(clamp=inf)'").expect("settings");
}

#[test]
fn a_message_shows_no_number_of_hundreds_of_digits() {
    let of = |toml: &str| refused(Config::from_toml(toml));
    let grids = [
        ("algos", "sweep = { values = [-1e300] }\nalgos"),
        ("env = 'GridWorld-4x4-v0'", "env = 'GridWorld-4x4-v0', random_return = 1e300, optimal_return = -1e300"),
        ("steps = 200", "steps = 200, gamma = 1e300"),
    ];
    let mut said: Vec<String> = ["lr", "gamma", "gae_lambda", "vf_coef", "clip_range", "target_kl", "max_grad_norm"]
        .iter()
        .map(|name| of(&format!("{name} = -1e300")))
        .collect();
    said.extend(
        ["steps", "envs", "algo", "gridworld", "optimizer", "seed", "nothing"]
            .map(|name| of(&format!("{name} = 1e300"))),
    );
    said.push(of("optimizer = { name = 'adam', eps = -1e300 }"));
    said.push(of("gridworld = { map = 'S..G', slip = 1e300 }\nenv = 'GridWorld'\nsteps = 1e300"));
    said.push(refused(
        Config::from_toml("env = 'GridWorld'\ngridworld = { map = 'S..G', slip = 1e300 }")
            .and_then(|c| Trainer::new(&c)),
    ));
    said.extend(grids.map(|(from, to)| refused(Grid::from_toml(&TINY.replace(from, to)))));
    let options = [
        PlotOptions { scale: 1e300, ..PlotOptions::default() },
        PlotOptions { smooth: -1e300, ..PlotOptions::default() },
        PlotOptions { threshold: Some(1e300), ..PlotOptions::default() },
    ];
    let runs =
        [plot::RecordedRun::parse("r", b"env='E'\nalgo='a'\noptimizer='o'\nseed=1", b"env_steps,m\n1,2\n2,3\n", "m")
            .expect("a run")];
    said.extend(options.map(|options| plot::reward_curve(&runs, &options, "/never").expect_err("refused").to_string()));
    said.push(uphill::stats::Scale::new(1e300, 1e300).expect_err("refused").to_string());
    for said in said {
        assert!(said.len() < 600 && !said.contains("000000000"), "{said}");
    }
}

#[test]
fn a_run_without_a_row_leaves_no_file_of_its_own_and_that_of_others() {
    let home = home();
    let path = home.path().join("metrics.csv");
    drop(RunFolder::create(home.path(), &config(), false).expect("a run"));
    assert!(!path.exists());
    let run = RunFolder::create(home.path(), &config(), true).expect("a run");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, "").expect("another's");
    drop(run);
    assert!(path.exists());
}
