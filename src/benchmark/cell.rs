//! One run of a grid, and all of them in order.

use serde::{Deserialize, Serialize};

use super::grid::{Grid, Protocol};
use super::task::Task;
use super::trial::Trial;
use crate::envs::{counted, shown};
use crate::stats::Scale;
use crate::{Config, Error, Result, words};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The protocol *defaults*, on a reported seed.
    Defaults,
    /// A learning rate of the sweep, on a reported seed.
    Sweep,
    /// A trial of the protocol *tuned*, on a tuning seed.
    Tuning,
    /// The trial that won, on a reported seed.
    Tuned,
}

impl Stage {
    /// Every stage, in the order of the tables.
    pub const ALL: [Stage; 4] = [Stage::Defaults, Stage::Sweep, Stage::Tuning, Stage::Tuned];

    /// Whether it is a protocol, whose runs are what is compared.
    pub(super) fn is_protocol(self) -> bool {
        matches!(self, Stage::Defaults | Stage::Tuned)
    }

    /// As the tables write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stage::Defaults => "defaults",
            Stage::Sweep => "sweep",
            Stage::Tuning => "tuning",
            Stage::Tuned => "tuned",
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What it is for.
    pub stage: Stage,
    /// What the tables call its task.
    pub task: String,
    /// What the grid calls its algorithm.
    pub algo: String,
    /// The hyper-parameters of its optimizer.
    pub trial: Trial,
    /// What its returns are measured by.
    pub scale: Scale,
    /// All of its settings, the seed too.
    pub config: Config,
}

impl Cell {
    /// A name that says what it is: `CartPole-v1-ppo-adam-lr0.001-s1`.
    #[must_use]
    pub fn name(&self) -> String {
        let (task, algo, seed) = (words::file_name(&self.task), words::file_name(&self.algo), self.config.seed);
        let lr = self.trial.lr.map(|lr| format!("-lr{}", shown(lr))).unwrap_or_default();
        format!("{task}-{algo}-{}{lr}-s{seed}", self.trial.spec.file_name())
    }
}

/// A task with an algorithm and an optimizer: what hyper-parameters are tuned for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    task: usize,
    algo: String,
    scale: Scale,
    default: Trial,
    /// The trials of the protocol tuned; none without it.
    pub(super) trials: Vec<Trial>,
}

/// Every run of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) groups: Vec<Group>,
    /// The runs that depend on no other's result, in the order of the tables.
    pub(super) cells: Vec<Cell>,
}

impl Plan {
    pub(super) fn new(grid: &Grid) -> Result<Self> {
        let defaults = grid.defaults()?;
        let tuned = grid.protocols.contains(&Protocol::Tuned);
        let mut plan = Self { groups: Vec::new(), cells: Vec::new() };
        for (task, algo) in (0..grid.tasks.len()).flat_map(|task| grid.algos.iter().map(move |algo| (task, algo))) {
            for default in &defaults {
                let trials = if tuned { default.search(grid)? } else { Vec::new() };
                let task_of = &grid.tasks[task];
                let scale = task_of.scale(&grid.config(task_of, algo, default, 0)?)?;
                plan.groups.push(Group { task, algo: algo.clone(), scale, default: default.clone(), trials });
            }
        }
        let seeds = grid.seeds.list();
        let tuning_seeds = if tuned { grid.tuning.seeds.list() } else { Vec::new() };
        for stage in [Stage::Defaults, Stage::Sweep, Stage::Tuning] {
            for group in &plan.groups {
                let (trials, seeds) = match stage {
                    Stage::Defaults if grid.protocols.contains(&Protocol::Defaults) => {
                        (vec![group.default.clone()], &seeds)
                    }
                    Stage::Sweep if !grid.sweep.numbers().is_empty() => {
                        let rates = grid.sweep.around(group.default.lr.unwrap_or(f64::NAN));
                        (rates.into_iter().map(|lr| group.default.at(lr)).collect::<Result<_>>()?, &seeds)
                    }
                    Stage::Tuning => (group.trials.clone(), &tuning_seeds),
                    _ => continue,
                };
                for trial in &trials {
                    group.cells(grid, stage, trial, seeds, &mut plan.cells)?;
                }
            }
        }
        Ok(plan)
    }

    /// The first trial of each group: no worse a guess of what a run of the winner takes than another.
    pub(super) fn first_trials(&self) -> Vec<Trial> {
        self.groups.iter().filter_map(|group| group.trials.first()).cloned().collect()
    }

    /// The runs of the trials that won, one for each group; none without the protocol tuned.
    pub(super) fn tuned(&self, grid: &Grid, winners: &[Trial]) -> Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for (group, winner) in self.groups.iter().zip(winners) {
            group.cells(grid, Stage::Tuned, winner, &grid.seeds.list(), &mut cells)?;
        }
        Ok(cells)
    }
}

impl Group {
    fn cells(&self, grid: &Grid, stage: Stage, trial: &Trial, seeds: &[u64], cells: &mut Vec<Cell>) -> Result<()> {
        let task: &Task = &grid.tasks[self.task];
        let Some(&first) = seeds.first() else { return Ok(()) };
        let config = grid.config(task, &self.algo, trial, first)?;
        if (grid.curve_points as u64) > config.steps {
            let (label, points, steps) = (task.label(), grid.curve_points, counted(config.steps, "step"));
            let problem = format!("{label}: curve_points = {points} is impossible: the runs have {steps} only");
            return Err(Error::Config(problem));
        }
        for &seed in seeds {
            let config = Config { seed, ..config.clone() };
            config.validate()?;
            let (task, algo) = (task.label().into(), self.algo.clone());
            cells.push(Cell { stage, task, algo, trial: trial.clone(), scale: self.scale, config });
        }
        Ok(())
    }
}
