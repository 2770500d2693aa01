//! Where a run's rows go: every sink has every row, once and in order, whatever happens to the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use uphill::{Config, Error, Evaluated, Metrics, Result, RunFolder, Sink, Summary, Trainer};

fn config() -> Config {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let optimizer = "zero_non_finite | trac(adam(3e-4))".parse().expect("a spec");
    Config { env: "GridWorld-4x4-v0".into(), steps: 3_000, hidden: vec![8], optimizer, ..ppo }
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("text")
}

/// So many updates, or as many as there are; whether a checkpoint is made after the last.
fn go_on(run: &mut RunFolder, trainer: &mut Trainer, updates: usize, saved: bool) {
    for _ in 0..updates {
        let Some(metrics) = trainer.step().expect("an update") else { break };
        run.log(&metrics).expect("a row");
    }
    if saved {
        run.save(trainer).expect("a checkpoint");
    }
}

/// The lines of `metrics.jsonl` without the clock's field, the last.
fn untimed(folder: &Path) -> Vec<String> {
    let cut = |line: &str| line.split_once(",\"steps_per_second\":").expect("the clock's field, last").0.to_string();
    text(folder.join("metrics.jsonl")).lines().map(cut).collect()
}

#[test]
fn the_lines_of_jsonl_are_the_rows_of_csv() {
    let home = home();
    let mut run = RunFolder::create(home.path(), &config(), false).expect("a run");
    run = run.with_sinks(["jsonl", "csv", "jsonl"]).expect("sinks, each once");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    let mut metrics: Metrics = trainer.step().expect("an update").expect("not over");
    run.log(&metrics).expect("a row");
    // What does not exist is an empty field there and null here; JSON has no NaN.
    (metrics.update, metrics.lr, metrics.grad_norm, metrics.others[1].1) = (2, None, f64::NAN, f64::INFINITY);
    run.log(&metrics).expect("a row");
    drop(run);

    let csv = text(home.path().join("metrics.csv"));
    let header: Vec<&str> = csv.lines().next().expect("a header").split(',').collect();
    let lines = text(home.path().join("metrics.jsonl"));
    assert_eq!(csv.lines().count(), 1 + lines.lines().count());
    for (row, line) in csv.lines().skip(1).zip(lines.lines()) {
        let object: Value = serde_json::from_str(line).expect("an object");
        assert_eq!(object.as_object().expect("an object").len(), header.len());
        let mut place = 0;
        for (&name, field) in header.iter().zip(row.split(',')) {
            let at = line.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} in {line}"));
            assert!(at >= place, "{name} stands where its column does");
            place = at;
            match object[name].as_f64() {
                Some(value) => assert_eq!(value, field.parse::<f64>().expect("a number"), "{name}"),
                None => assert!(object[name].is_null() && ["", "NaN", "inf"].contains(&field), "{name}: {field}"),
            }
        }
    }
    assert!(header.ends_with(&["non_finite_zeroed", "trac_scale", "steps_per_second"]), "{header:?}");
    assert!(lines.contains("\"grad_norm\":null") && lines.contains("\"trac_scale\":null"), "{lines}");
}

#[test]
fn a_run_that_was_killed_and_resumed_leaves_the_same_lines() {
    let home = home();
    let (whole, broken) = (home.path().join("whole"), home.path().join("broken"));
    let begin = |path: &PathBuf| RunFolder::create(path, &config(), false)?.with_sinks(["jsonl"]);
    let (mut run, mut trainer) = (begin(&whole).expect("a run"), Trainer::new(&config()).expect("a trainer"));
    go_on(&mut run, &mut trainer, 100, true);
    run.finish(trainer).expect("an end");
    assert_eq!(untimed(&whole).len(), 6);

    // Killed before the first checkpoint, then two updates after one, with half a line written.
    let (mut run, mut trainer) = (begin(&broken).expect("a run"), Trainer::new(&config()).expect("a trainer"));
    go_on(&mut run, &mut trainer, 1, false);
    drop(run);
    let (mut run, mut trainer, _) = RunFolder::resume(&broken, Trainer::new).expect("it begins again");
    go_on(&mut run, &mut trainer, 2, true);
    go_on(&mut run, &mut trainer, 2, false);
    drop(run);
    let path = broken.join("metrics.jsonl");
    fs::write(&path, text(&path) + "{\"update\":5,").expect("a write");
    let (mut run, mut trainer, notes) = RunFolder::resume(&broken, Trainer::new).expect("it goes on");
    assert_eq!(notes, [""; 0], "it has its sinks without being told again");
    assert_eq!(untimed(&broken).len(), 2, "what the checkpoint does not know of is made again");
    go_on(&mut run, &mut trainer, 100, true);
    run.finish(trainer).expect("an end");
    assert_eq!(untimed(&broken), untimed(&whole));
}

#[test]
fn what_others_do_to_a_sink_s_file_is_noticed_as_for_metrics_csv() {
    let home = home();
    let path = home.path().join("metrics.jsonl");
    let mut run = RunFolder::create(home.path(), &config(), false).expect("a run");
    run = run.with_sinks(["jsonl"]).expect("a sink");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    go_on(&mut run, &mut trainer, 2, true);
    // While it runs.
    fs::remove_file(&path).expect("removed");
    go_on(&mut run, &mut trainer, 1, true);
    assert_eq!(run.take_notes(), [format!("{} was removed: it is there again with all its rows", path.display())]);
    assert_eq!(untimed(home.path()).len(), 3);
    drop(run);
    // While nothing runs.
    let rows = text(&path);
    fs::write(&path, rows.replacen("\"update\":2", "\"update\":3", 1)).expect("a write");
    let refused = RunFolder::resume(home.path(), Trainer::new).err().expect("changed").to_string();
    assert!(refused.contains("metrics.jsonl: it is not what the run has written"), "{refused}");
    fs::remove_file(&path).expect("removed");
    let (mut run, mut trainer, notes) = RunFolder::resume(home.path(), Trainer::new).expect("it goes on");
    assert_eq!(notes, ["metrics.jsonl has been removed: the rows that it had are not there any more"]);
    go_on(&mut run, &mut trainer, 1, true);
    assert!(text(&path).starts_with("{\"update\":4,"));
    // It counts as a file of the run.
    drop(run);
    drop(RunFolder::create(home.path(), &config(), true).expect("a new run"));
    assert!(!path.exists());
}

#[test]
fn a_run_that_is_given_a_sink_later_overwrites_nobody_s_file() {
    let home = home();
    let path = home.path().join("metrics.jsonl");
    let mut run = RunFolder::create(home.path(), &config(), false).expect("a run");
    go_on(&mut run, &mut Trainer::new(&config()).expect("a trainer"), 2, false);
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    go_on(&mut run, &mut trainer, 0, true);
    drop(run);
    fs::write(&path, "mine\n").expect("a write");
    let (run, mut trainer, _) = RunFolder::resume(home.path(), Trainer::new).expect("it goes on");
    assert_eq!(text(&path), "mine\n", "it has no such sink");
    let mut run = run.with_sinks(["jsonl"]).expect("a sink");
    assert!(run.take_notes()[0].contains("what was there is now"));
    assert_eq!(text(home.path().join("metrics.jsonl.replaced")), "mine\n");
    go_on(&mut run, &mut trainer, 1, true);
    assert_eq!(untimed(home.path()).len(), 1);
    let run = run.with_sinks(["jsnol"]);
    let said = run.err().expect("unknown").to_string();
    assert!(said.contains("there is no sink `jsnol`; did you mean `jsonl`"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_sink_s_file_is_not_followed() {
    let home = home();
    fs::create_dir(home.path().join("run")).expect("a folder");
    fs::write(home.path().join("other"), "other").expect("a file");
    std::os::unix::fs::symlink("../other", home.path().join("run/metrics.jsonl")).expect("a link");
    let run = RunFolder::create(home.path().join("run"), &config(), true);
    assert!(run.err().expect("a link").to_string().contains("metrics.jsonl: this is a link"));
    assert_eq!(text(home.path().join("other")), "other");
}

/// Updates with one of the numbers that an optimizer reports, and what the run came to.
#[derive(Default, Clone)]
struct Scales {
    rows: Arc<Mutex<Vec<(u64, f64)>>>,
    end: Arc<Mutex<Option<u64>>>,
    full: Arc<Mutex<bool>>,
}

impl Sink for Scales {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        let scale = metrics.others.iter().find(|(name, _)| *name == "trac_scale").expect("trac reports it").1;
        self.rows.lock().unwrap().push((metrics.update, scale));
        self.sync().map(drop)
    }

    fn sync(&mut self) -> Result<String> {
        match *self.full.lock().unwrap() {
            true => Err(Error::Config("no room".into())),
            false => Ok(self.rows.lock().unwrap().len().to_string()),
        }
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.rows.lock().unwrap().truncate(mark.map_or(0, |mark| mark.parse().expect("its own mark")));
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> Result<()> {
        *self.end.lock().unwrap() = Some(summary.updates);
        Ok(())
    }
}

#[test]
fn a_sink_of_one_s_own_has_what_the_optimizer_reports_and_is_taken_back_to_the_checkpoint() {
    let home = home();
    let scales = Scales::default();
    let run = RunFolder::create(home.path(), &config(), false).expect("a run");
    let mut run = run.with_sink("scales", Box::new(scales.clone())).expect("a sink");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    go_on(&mut run, &mut trainer, 2, true);
    go_on(&mut run, &mut trainer, 2, false);
    let before = scales.rows.lock().unwrap().clone();
    assert_eq!(before.len(), 4);
    drop(run);
    let (run, mut trainer, _) = RunFolder::resume(home.path(), Trainer::new).expect("it goes on");
    let mut run = run.with_sink("scales", Box::new(scales.clone())).expect("a sink");
    assert_eq!(scales.rows.lock().unwrap().len(), 2);
    go_on(&mut run, &mut trainer, 2, false);
    assert_eq!(*scales.rows.lock().unwrap(), before);
    // One that fails is told of; the others have the row all the same, and there is no checkpoint that forgets it.
    *scales.full.lock().unwrap() = true;
    let metrics = trainer.step().expect("an update").expect("not over");
    assert_eq!(run.log(&metrics).expect_err("full").to_string(), "the sink `scales`: no room");
    assert_eq!(text(home.path().join("metrics.csv")).lines().count(), 1 + 5);
    assert_eq!(run.save(&mut trainer).expect_err("full").to_string(), "the sink `scales`: no room");
    *scales.full.lock().unwrap() = false;
    go_on(&mut run, &mut trainer, 100, true);
    run.finish(trainer).expect("an end");
    assert_eq!(scales.rows.lock().unwrap().iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(*scales.end.lock().unwrap(), Some(6));

    let (run, ..) = RunFolder::resume(home.path(), Trainer::new).expect("it goes on");
    let twice = run.with_sink("csv", Box::new(scales));
    let said = twice.err().expect("taken").to_string();
    assert_eq!(said, "two sinks are called `csv`: each is told apart by its name in the checkpoints of the run");
}

#[test]
fn a_row_of_a_sink_that_runs_have_of_themselves_is_refused() {
    let open: fn(&uphill::words::Args, &Path) -> Result<Box<dyn Sink>> = |_, _| Err(Error::Config("never".into()));
    for (name, whose) in [("csv", "every run"), ("evaluations", "every run with eval_every")] {
        let row =
            uphill::sink::Row { name, summary: "", params: &[], make: uphill::sink::Make { file: "a.csv", open } };
        let said = uphill::Catalogue::default().with(row).check().expect_err("refused").to_string();
        assert_eq!(said, format!("the row of `{name}`: {whose} has that sink: give it another name"));
    }
}

/// Its file is full.
struct Full;

impl Sink for Full {
    fn row(&mut self, _: &Metrics) -> Result<()> {
        Ok(())
    }

    fn evaluation(&mut self, _: &Evaluated) -> Result<()> {
        Err(Error::Config("full".into()))
    }

    fn sync(&mut self) -> Result<String> {
        Ok(String::new())
    }

    fn resume(&mut self, _: Option<&str>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_takes_no_evaluation_costs_a_run_no_policy() {
    let home = home();
    let config = Config { eval_every: 1_000, eval_episodes: 2, steps: 1_024, ..config() };
    let mut run = RunFolder::create(home.path(), &config, false).expect("a run");
    run = run.with_sink("full", Box::new(Full)).expect("a sink");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    go_on(&mut run, &mut trainer, 100, false);
    let said = run.finish(trainer).expect_err("full").to_string();
    assert!(said.contains("full"), "{said}");
    for file in ["policy.safetensors", "best_by_eval.safetensors", "evaluations.csv"] {
        assert!(home.path().join(file).metadata().is_ok_and(|file| file.len() > 0), "{file}");
    }
}
