//! How long a grid will take, from a short look at each kind of run.

use std::collections::HashMap;
use std::time::Instant;

use super::cell::{Plan, Stage};
use super::grid::Grid;
use crate::{Config, Error, Result, Seed, Trainer};

/// What a grid costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Runs of the whole grid.
    pub runs: u64,
    /// Runs of each stage.
    pub by_stage: Vec<(Stage, u64)>,
    /// Seconds that all of them take on one thread: what a short look at one run of each task, algorithm and optimizer
    /// says.
    pub thread_seconds: f64,
}

/// Share of a run that is looked at.
const LOOK: f64 = 0.03;
/// Updates that are looked at, at least.
const UPDATES: u64 = 5;

impl Estimate {
    /// Trains each kind of run for a moment and reckons from that. Takes some seconds; leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible grid; [`Error::Run`] for a run that fails, and not because it diverges.
    pub fn of(grid: &Grid) -> Result<Self> {
        grid.validate()?;
        let plan = Plan::new(grid)?;
        let mut seconds = HashMap::new();
        let mut by_stage: Vec<(Stage, u64)> = Stage::ALL.map(|stage| (stage, 0)).to_vec();
        let mut thread_seconds = 0.0;
        let tuned = plan.tuned(grid, &plan.first_trials())?;
        for cell in plan.cells.iter().chain(&tuned) {
            let kind = (cell.task.clone(), cell.algo.clone(), cell.trial.optimizer.clone());
            let one = match seconds.get(&kind) {
                Some(&known) => known,
                None => {
                    let looked = look(&cell.config, grid.eval_episodes);
                    let looked = looked.map_err(|e| Error::Run { run: cell.name(), source: Box::new(e) })?;
                    seconds.insert(kind, looked);
                    looked
                }
            };
            thread_seconds += one;
            by_stage.iter_mut().filter(|(stage, _)| *stage == cell.stage).for_each(|(_, count)| *count += 1);
        }
        Ok(Estimate { runs: grid.cell_count(), by_stage, thread_seconds })
    }
}

/// Seconds of one run.
fn look(config: &Config, eval_episodes: usize) -> Result<f64> {
    let mut trainer = Trainer::new(config)?;
    let started = Instant::now();
    let mut updates = 0;
    while updates < UPDATES || (trainer.env_steps() as f64) < LOOK * config.steps as f64 {
        match trainer.step() {
            Ok(Some(_)) => updates += 1,
            Ok(None) | Err(Error::Diverged { .. }) => break,
            Err(other) => return Err(other),
        }
    }
    let share = trainer.env_steps() as f64 / config.steps as f64;
    let training = started.elapsed().as_secs_f64() / share.clamp(f64::MIN_POSITIVE, 1.0);
    let started = Instant::now();
    match trainer.into_policy()?.evaluate(eval_episodes, Seed(config.seed)) {
        Ok(_) | Err(Error::NotFinite { .. }) => Ok(training + started.elapsed().as_secs_f64()),
        Err(other) => Err(other),
    }
}
