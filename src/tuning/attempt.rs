//! One run of a trial, on one seed: from where it was to where it is to go.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trial::Divergence;
use crate::{Checkpoint, Config, Error, Result, Seed, Trainer, checked_file, whole_file};

/// Points of the learning curve, at equal distances of environment steps.
const POINTS: u128 = 100;
/// The largest file of a run, in bytes.
const MAX_FILE: u64 = 1 << 24;
/// What a [`Record`] means: another number wherever the same run is measured otherwise.
const MEANING: u32 = 1;

/// A run, and the file that says what has come of it.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What it is called.
    pub(super) name: String,
    pub(super) config: Config,
    /// Episodes that it is evaluated by at each rung; 0 does not evaluate it.
    pub(super) eval_episodes: usize,
    /// The folder of the file, and of a checkpoint while it is on its way.
    pub(super) folder: PathBuf,
}

/// What has come of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The steps that the run was to take in all.
    steps: u64,
    /// The learning curve as far as it goes, as [`Outcome::curve`](crate::benchmark::Outcome) has it.
    curve: Vec<f64>,
    /// The rungs that it has reached.
    pub(super) rungs: Vec<Reached>,
}

/// A run at a rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    /// The rung.
    pub(super) steps: u64,
    /// Steps that were taken until then: the first update that reached it may have passed it.
    pub(super) env_steps: u64,
    pub(super) final_return: Option<f64>,
    pub(super) eval_return: Option<f64>,
    /// Where the run left the real numbers, if it did before this rung.
    pub(super) diverged: Option<Divergence>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    key: Key,
    record: Record,
}

/// All that a record depends on, but for how far it goes.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    meaning: u32,
    eval_episodes: usize,
    config: toml::Table,
}

impl Record {
    /// What the run was at a rung, or where it diverged before that.
    pub(super) fn at(&self, rung: u64) -> Option<&Reached> {
        let reached = self.rungs.iter().find(|reached| reached.steps == rung);
        reached.or(self.rungs.iter().find(|reached| reached.diverged.is_some() && reached.steps < rung))
    }

    /// The points of the learning curve up to a rung.
    pub(super) fn points(&self, rung: u64) -> impl Iterator<Item = (u64, f64)> {
        let at = |k: usize| ((k as u128 + 1) * u128::from(self.steps) / POINTS) as u64;
        self.curve.iter().enumerate().map(move |(k, &mean)| (at(k), mean)).take_while(move |(at, _)| *at <= rung)
    }
}

impl Attempt {
    fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.name))
    }

    /// The state of the run at a rung that it goes on from.
    fn checkpoint(&self, rung: u64) -> PathBuf {
        self.folder.join(format!("{}-{rung}.safetensors", self.name))
    }

    fn key(&self) -> Result<Key> {
        let (version, config) = (env!("CARGO_PKG_VERSION").into(), self.config.to_table()?);
        Ok(Key { version, meaning: MEANING, eval_episodes: self.eval_episodes, config })
    }

    /// What has come of it so far, nothing where there is no file; what is wrong with the file, if something is.
    pub(super) fn read(&self) -> Result<Result<Record, String>> {
        let (path, key) = (self.file(), self.key()?);
        let record = checked_file::read::<RecordFile>(&path, MAX_FILE)?.and_then(|file| match file {
            Some(file) if file.key != key => Err("it holds another run".into()),
            file => Ok(file.map(|file| file.record).unwrap_or_default()),
        });
        Ok(record.map_err(|problem| format!("{}: {problem}", path.display())))
    }

    /// Goes on with it to the last of these rungs, which begin where every run of the search does, and writes what came of it.
    /// It is the same bits as a run that nothing interrupts. A run that diverges is a record like any other.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Env`] or [`Error::Update`]: what no choice of hyper-parameters is to blame for;
    /// [`Error::Io`] if a file cannot be written.
    pub(super) fn go_on(&self, mut record: Record, rungs: &[u64]) -> Result<Record> {
        let mut trainer = Trainer::new(&self.config)?;
        let last = record.rungs.last().map(|reached| self.checkpoint(reached.steps));
        if !last.is_some_and(|state| take_up(&mut trainer, &state)) {
            // From the start: what was known comes out the same once more.
            if !record.rungs.is_empty() {
                trainer = Trainer::new(&self.config)?;
            }
            record = Record::default();
        }
        record.steps = self.config.steps;
        for &rung in rungs {
            if record.at(rung).is_some() {
                continue;
            }
            let before = record.rungs.last().map(|reached| self.checkpoint(reached.steps));
            let diverged = advance(&mut trainer, rung, &mut record.curve)?;
            let (env_steps, final_return) = (trainer.env_steps(), trainer.history().return_mean());
            let mut reached = Reached { steps: rung, env_steps, final_return, eval_return: None, diverged };
            let is_over = rung == self.config.steps || reached.diverged.is_some();
            if !is_over {
                let checkpoint = trainer.checkpoint()?;
                let path = self.checkpoint(rung);
                whole_file::write_own(&path, &checkpoint.to_bytes()?).map_err(Error::io(&path))?;
            }
            if self.eval_episodes > 0 && reached.diverged.is_none() {
                self.evaluate(&mut trainer, &mut reached)?;
            }
            record.rungs.push(reached);
            checked_file::write(&self.file(), &RecordFile { key: self.key()?, record: record.clone() })?;
            before.iter().try_for_each(|path| remove(path))?;
        }
        Ok(record)
    }

    /// Evaluates a copy: training goes on as if nobody had looked.
    fn evaluate(&self, trainer: &mut Trainer, reached: &mut Reached) -> Result<()> {
        let mut copy = Trainer::new(&self.config)?;
        copy.restore(&trainer.checkpoint()?)?;
        match copy.into_policy()?.evaluate(self.eval_episodes, Seed(self.config.seed)) {
            Ok(evaluation) => reached.eval_return = evaluation.return_mean,
            Err(Error::NotFinite { what }) => {
                reached.diverged = Some(Divergence { update: trainer.updates(), what });
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Removes the state of a run that does not go on.
    pub(super) fn end(&self, rungs: &[u64]) -> Result<()> {
        rungs.iter().try_for_each(|&rung| remove(&self.checkpoint(rung)))
    }
}

/// Whether the trainer goes on from that state. One that is not there, or damaged, costs time and nothing else; the trainer may
/// then be good for nothing.
fn take_up(trainer: &mut Trainer, state: &Path) -> bool {
    let read = Checkpoint::read_with(state, &trainer.config().catalogue);
    read.is_ok_and(|checkpoint| trainer.restore(&checkpoint).is_ok())
}

/// Trains until so many steps are taken.
fn advance(trainer: &mut Trainer, rung: u64, curve: &mut Vec<f64>) -> Result<Option<Divergence>> {
    let steps = trainer.config().steps;
    let reached = |k: usize, env_steps: u64| u128::from(env_steps) * POINTS >= k as u128 * u128::from(steps);
    while trainer.env_steps() < rung {
        match trainer.step() {
            Ok(Some(metrics)) => {
                while (curve.len() as u128) < POINTS && reached(curve.len() + 1, metrics.env_steps) {
                    curve.push(metrics.episode_return_mean.unwrap_or(f64::NAN));
                }
            }
            Ok(None) => break,
            Err(Error::Diverged { update, what, .. }) => return Ok(Some(Divergence { update, what })),
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(e)),
        _ => Ok(()),
    }
}
