//! The best policy of a run is the best of all its updates, whenever a clock made it save.

use std::fs;
use std::path::Path;
use std::time::Duration;

use uphill::{Checkpoint, Config, Keep, Policy, RunFolder, Trainer};

fn config() -> Config {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    // A learning rate at which the mean return goes up and down again.
    Config { env: "GridWorld-4x4-v0".into(), steps: 12_000, hidden: vec![8], lr: 0.02, anneal_lr: false, ..a2c }
}

/// The highest mean of 100 episodes after any update, the update, and the parameters that played before it.
fn reference(config: &Config) -> (f64, u64, Vec<f32>) {
    let mut trainer = Trainer::new(config).expect("a trainer");
    let mut best = None::<(f64, u64, Vec<f32>)>;
    loop {
        let params = trainer.params().snapshot().expect("values");
        let Some(metrics) = trainer.step().expect("an update") else { break };
        let mean = trainer.history().return_mean_of_100();
        if let Some(mean) = mean.filter(|&mean| best.as_ref().is_none_or(|(best, ..)| mean > *best)) {
            assert_eq!(metrics.episode_return_mean, Some(mean));
            best = Some((mean, metrics.update, params));
        }
    }
    let found = trainer.best().expect("a best policy");
    let best = best.expect("100 episodes");
    assert_eq!((found.return_mean, found.update, &found.params), (best.0, best.1, &best.2));
    assert_ne!(best.2, trainer.params().snapshot().expect("values"), "it ends with another policy");
    best
}

/// Some updates, all of them without a number.
fn go_on(folder: &mut RunFolder, trainer: &mut Trainer, updates: Option<usize>) {
    for _ in 0..updates.unwrap_or(usize::MAX) {
        let Some(metrics) = trainer.step().expect("an update") else { break };
        folder.log(&metrics).expect("a row");
        folder.save_if_due(trainer).expect("a checkpoint");
    }
}

fn begun(path: &Path, every: Duration) -> (RunFolder, Trainer) {
    let folder = RunFolder::create(path, &config(), false).expect("a folder");
    (folder.with_keep(Keep { every, last: 2 }), Trainer::new(&config()).expect("a trainer"))
}

#[test]
fn the_best_policy_does_not_hang_on_the_clock_nor_on_being_killed() {
    let (mean, update, params) = reference(&config());
    let of = |path: &Path| fs::read(path.join("best.safetensors")).expect("the best policy");
    let home = tempfile::tempdir().expect("a folder");
    let (never, always, killed) = (home.path().join("never"), home.path().join("always"), home.path().join("killed"));

    let (mut folder, mut trainer) = begun(&never, Duration::from_secs(1_000_000));
    go_on(&mut folder, &mut trainer, None);
    let summary = folder.finish(trainer).expect("a summary");
    assert_eq!((summary.best_return_mean, summary.best_update), (Some(mean), Some(update)));
    let loaded = Policy::load_best(&never).expect("the best policy");
    assert_eq!(loaded.params().snapshot().expect("values"), params);
    assert_ne!(Policy::load(&never).expect("the last policy").params().snapshot().expect("values"), params);

    let (mut folder, mut trainer) = begun(&always, Duration::ZERO);
    go_on(&mut folder, &mut trainer, None);
    folder.save(&mut trainer).expect("a checkpoint");
    assert_eq!(of(&always), of(&never));

    // Killed some updates after a checkpoint, before the best update and after it, and without the file of the best.
    let (mut folder, mut trainer) = begun(&killed, Duration::from_secs(1_000_000));
    for stop in [update as usize / 2, 5, update as usize / 2 + 20, 3] {
        go_on(&mut folder, &mut trainer, Some(stop));
        folder.save(&mut trainer).expect("a checkpoint");
        go_on(&mut folder, &mut trainer, Some(7));
        drop((folder, trainer));
        let _ = fs::remove_file(killed.join("best.safetensors"));
        let (resumed, its_trainer, _) = RunFolder::resume(&killed, Trainer::new).expect("a run");
        (folder, trainer) = (resumed.with_keep(Keep { every: Duration::from_secs(1_000_000), last: 2 }), its_trainer);
    }
    go_on(&mut folder, &mut trainer, None);
    let summary = folder.finish(trainer).expect("a summary");
    assert_eq!((summary.best_return_mean, summary.best_update), (Some(mean), Some(update)));
    assert_eq!(of(&killed), of(&never));
}

#[test]
fn a_run_that_has_no_best_policy_yet_says_when_it_will() {
    let home = tempfile::tempdir().expect("a folder");
    let (mut folder, mut trainer) = begun(home.path(), Duration::from_secs(1_000_000));
    go_on(&mut folder, &mut trainer, Some(1));
    folder.save(&mut trainer).expect("a checkpoint");
    assert!(trainer.best().is_none());
    let said = Policy::load_best(home.path()).err().expect("none").to_string();
    assert!(said.contains("there is no best.safetensors here") && said.contains("100 episodes"), "{said}");
}

#[test]
fn a_checkpoint_knows_the_best_policy_before_it() {
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    while trainer.best().is_none() {
        trainer.step().expect("an update");
    }
    let bytes = trainer.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("a state");
    let other = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("a trainer");
    assert_eq!(other.best(), trainer.best());
}
