//! Small runs that are evaluated on the way.

use std::fs;
use std::path::Path;
use std::time::Duration;

use uphill::{Config, Evaluated, Event, Keep, Metrics, RunFolder, Trainer};

/// PPO on a small world, evaluated after about every other of its ten updates.
pub(crate) fn config() -> Config {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let size = Config { steps: 640, n_steps: 16, n_epochs: 2, n_minibatches: 2, hidden: vec![8], ..ppo };
    Config { env: "GridWorld-4x4-v0".into(), eval_every: 100, eval_episodes: 5, ..size }
}

/// What a run is made of: its rows without the clock, and its evaluations.
pub(crate) type Made = (Vec<Metrics>, Vec<Evaluated>);

/// So many updates, or all that are left, with the evaluations that come.
pub(crate) fn go_on(trainer: &mut Trainer, updates: usize) -> Made {
    let (mut rows, mut evaluations) = (Vec::new(), Vec::new());
    while rows.len() < updates {
        match trainer.advance().expect("it goes on") {
            Some(Event::Update(metrics)) => rows.push(Metrics { steps_per_second: 0.0, ..metrics }),
            Some(Event::Evaluation(evaluated)) => evaluations.push(evaluated),
            None => break,
        }
    }
    (rows, evaluations)
}

/// A run in a folder, with a checkpoint after each update where `every` is zero.
pub(crate) fn begun(path: &Path, config: &Config, every: Duration) -> (RunFolder, Trainer) {
    let run = RunFolder::create(path, config, false).expect("a folder").with_keep(Keep { every, last: 2 });
    (run, Trainer::new(config).expect("a trainer"))
}

/// So many updates as programs make them that know of no evaluations.
pub(crate) fn steps(run: &mut RunFolder, trainer: &mut Trainer, updates: usize) {
    for _ in 0..updates {
        let Some(metrics) = trainer.step().expect("an update") else { break };
        run.log(&metrics).expect("a row");
        run.save_if_due(trainer).expect("a checkpoint");
    }
}

/// What a run leaves that no clock decides on.
pub(crate) fn left(run: &Path) -> Vec<Vec<u8>> {
    let files =
        ["evaluations.csv", "policy.safetensors", "best_by_eval.safetensors", "best.safetensors", "config.toml"];
    files.map(|name| fs::read(run.join(name)).unwrap_or_default()).into()
}

pub(crate) const NEVER: Duration = Duration::from_secs(1_000_000);

/// The folder of a run that has ended.
pub(crate) fn ended(path: &Path, config: &Config) {
    let (mut run, mut trainer) = begun(path, config, NEVER);
    steps(&mut run, &mut trainer, usize::MAX);
    run.save(&mut trainer).expect("a checkpoint");
    run.finish(trainer).expect("an end");
}
