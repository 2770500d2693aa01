//! Runs that have ended and are trained for longer.

use std::fs;
use std::path::Path;

use evaluated::{NEVER, begun, config, ended, go_on, left, steps};
use uphill::{Catalogue, Config, Error, Policy, Result, RunFolder, StoppedBy, Trainer};

mod endless;
mod evaluated;

fn continued(path: &Path, more: u64) -> Result<(RunFolder, Trainer, Vec<String>)> {
    RunFolder::continue_with(path, &Catalogue::default(), more)
}

#[test]
fn a_run_that_is_continued_goes_by_the_share_of_all_its_steps_and_is_repeated_by_its_configuration() {
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name);
    let own = Config { steps: 1_000, ..config() };
    for name in ["whole", "broken"] {
        ended(&path(name), &own);
    }
    assert_eq!(left(&path("whole")), left(&path("broken")));

    let (mut run, mut trainer, notes) = continued(&path("whole"), 1_000).expect("it goes on");
    assert_eq!(notes, [""; 0]);
    assert!(!path("whole").join("summary.json").exists(), "it has not come to anything yet");
    assert_eq!((trainer.env_steps(), trainer.config().steps), (1_024, 2_024));
    assert_eq!(trainer.config().continued, [1_024, 1_000]);
    // The learning rate of ppo falls in a straight line to 0: half of it is back.
    let metrics = trainer.step().expect("an update").expect("more to do");
    assert!((metrics.lr.expect("a rate") - 2.5e-4 * (1.0 - 1_024.0 / 2_024.0)).abs() < 1e-12, "{:?}", metrics.lr);
    run.log(&metrics).expect("a row");
    steps(&mut run, &mut trainer, usize::MAX);
    assert_eq!(trainer.env_steps(), 2_048);
    run.save(&mut trainer).expect("a checkpoint");
    assert!(run.finish(trainer).expect("an end").finished);

    // Killed at once after the configuration was written, before a checkpoint, and after one.
    let (run, trainer, _) = continued(&path("broken"), 1_000).expect("it goes on");
    drop((run, trainer));
    let said = continued(&path("broken"), 1_000).err().expect("not over").to_string();
    assert!(said.contains("this run has not ended: 1000 steps are left"), "{said}");
    for updates in [1, 5] {
        let (mut run, mut trainer, _) = RunFolder::resume(path("broken"), Trainer::new).expect("it goes on");
        steps(&mut run, &mut trainer, updates);
        run.save(&mut trainer).expect("a checkpoint");
        steps(&mut run, &mut trainer, 2);
    }
    let (mut run, mut trainer, _) = RunFolder::resume(path("broken"), Trainer::new).expect("it goes on");
    steps(&mut run, &mut trainer, usize::MAX);
    run.finish(trainer).expect("an end");
    assert_eq!(left(&path("broken")), left(&path("whole")));

    // From its configuration alone, and from a checkpoint of before it was continued.
    let text = fs::read_to_string(path("whole").join("config.toml")).expect("a configuration");
    ended(&path("again"), &Config::from_toml(&text).expect("a configuration"));
    assert_eq!(left(&path("again")), left(&path("whole")));
    let mut first = Trainer::new(&own).expect("a trainer");
    go_on(&mut first, 7);
    let mut later = Trainer::new(&Config::from_toml(&text).expect("one")).expect("a trainer");
    later.restore(&first.checkpoint().expect("a state")).expect("the same run");
    go_on(&mut later, usize::MAX);
    let params = |path: &Path| Policy::load(path).expect("a policy").params().snapshot().expect("values");
    assert_eq!(later.params().snapshot().expect("values"), params(&path("whole")));

    // Twice.
    let (mut run, mut trainer, _) = continued(&path("whole"), 64).expect("it goes on");
    assert_eq!(trainer.config().continued, [1_024, 1_000, 2_048, 2_024]);
    steps(&mut run, &mut trainer, usize::MAX);
    assert_eq!(trainer.env_steps(), 2_112);
}

#[test]
fn a_run_that_was_stopped_is_continued_and_stops_again() {
    let home = tempfile::tempdir().expect("a folder");
    let own = Config { lr: 0.0, anneal_lr: false, env: "CartPole-v1".into(), eval_every: 64, steps: 6_400, ..config() };
    let own = Config { stop_without_improvement: 3, ..own };
    ended(home.path(), &own);
    let (mut run, mut trainer, _) = continued(home.path(), 6_400).expect("it goes on");
    let at = trainer.env_steps();
    assert!(!trainer.is_done() && trainer.stopped_by().is_none());
    assert_eq!((trainer.config().steps, &trainer.config().continued[..]), (at + 6_400, &[at, 6_400][..]));
    steps(&mut run, &mut trainer, usize::MAX);
    // As many as before are borne.
    assert!(trainer.env_steps() >= at + 3 * 64, "{} after {at}", trainer.env_steps());
    assert_eq!(trainer.stopped_by(), Some(StoppedBy::StopWithoutImprovement));
    assert!(trainer.env_steps() < trainer.config().steps, "{}", trainer.env_steps());
    let end = trainer.params().snapshot().expect("values");
    let mut again = Trainer::new(trainer.config()).expect("a trainer");
    go_on(&mut again, usize::MAX);
    assert_eq!((again.params().snapshot().expect("values"), again.env_steps()), (end, trainer.env_steps()));
    assert_eq!(again.stopped_by(), trainer.stopped_by());
    // A checkpoint of the middle is none of a run with another end.
    let mut middle = Trainer::new(&own).expect("a trainer");
    go_on(&mut middle, 1);
    let other = Config { steps: 7_000, ..own };
    let error =
        Trainer::new(&other).expect("a trainer").restore(&middle.checkpoint().expect("a state")).expect_err("other");
    assert_eq!(error.to_string(), "it is of a run with another setting steps");
    let ended_there = home.path().join("ended");
    ended(&ended_there, &Config { eval_every: 64, steps: 64, ..config() });
    for more in [0, u64::MAX] {
        let said = continued(&ended_there, more).err().expect("impossible").to_string();
        assert!(said.contains("more steps are impossible: it must be 1 to"), "{said}");
    }
}

#[test]
fn a_run_that_is_continued_says_what_was_removed_and_can_be_of_one_s_own_environments() {
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name);
    for removed in ["metrics.csv", "evaluations.csv", "metrics.jsonl"] {
        let own = Config { sinks: vec!["jsonl".into()], ..config() };
        ended(&path(removed), &own);
        fs::remove_file(path(removed).join(removed)).expect("removed");
        // An attempt that does nothing changes nothing of that.
        drop(RunFolder::resume(path(removed), Trainer::new).expect("an ended run"));
        let (mut run, mut trainer, notes) = continued(&path(removed), 640).expect("it goes on");
        assert_eq!(notes, [format!("{removed} has been removed: the rows that it had are not there any more")]);
        steps(&mut run, &mut trainer, usize::MAX);
        let rows = fs::read_to_string(path(removed).join(removed)).expect("rows");
        assert!(rows.contains("1216") && !rows.contains("640,"), "{removed}: {rows}");
    }

    // What cannot be is refused before anything is changed.
    ended(&path("refused"), &config());
    let before = left(&path("refused"));
    assert!(continued(&path("refused"), u64::MAX).is_err());
    let made = std::cell::Cell::new(0);
    let fails = |config: &Config| {
        made.set(made.get() + 1);
        if made.get() == 2 { Err(Error::Config("no".into())) } else { Trainer::new(config) }
    };
    assert!(RunFolder::continue_for(path("refused"), 640, fails).is_err());
    assert_eq!((left(&path("refused")), path("refused").join("summary.json").exists()), (before, true));

    let own = Config { steps: 40, ..endless::endless("a2c") };
    let make = |config: &Config| Trainer::with_envs(config, |lanes| endless::Endless::new(Some(10)).lanes(lanes));
    let mut run = RunFolder::create(path("own"), &own, false).expect("a folder");
    let mut trainer = make(&own).expect("a trainer");
    steps(&mut run, &mut trainer, usize::MAX);
    run.save(&mut trainer).expect("a checkpoint");
    drop((run, trainer));
    let (mut run, mut trainer, notes) = RunFolder::continue_for(path("own"), 20, make).expect("it goes on");
    assert_eq!(notes, [""; 0]);
    steps(&mut run, &mut trainer, usize::MAX);
    assert_eq!((trainer.env_steps(), &trainer.config().continued[..]), (60, &[40, 40][..]));
}

#[test]
fn a_run_whose_last_evaluation_is_due_is_not_continued_but_says_what_is_left() {
    let home = tempfile::tempdir().expect("a folder");
    let own = Config { eval_every: 64, steps: 128, ..config() };
    let (mut run, mut trainer) = begun(home.path(), &own, NEVER);
    steps(&mut run, &mut trainer, 2);
    run.save(&mut trainer).expect("a checkpoint");
    drop((run, trainer));
    let said = continued(home.path(), 64).err().expect("not over").to_string();
    assert!(
        said.contains("this run has not ended: its last evaluation is due; resume it without more steps"),
        "{said}"
    );
}
