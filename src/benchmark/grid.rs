//! What a comparison runs: `grid.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Plan};
use super::outcome::Measure;
use super::task::{self, NO_LIMIT, Task};
use super::trial::Trial;
use crate::config::{Misplaced, world};
use crate::words::{self, Spec};
use crate::{Catalogue, Config, Error, Result, Trainer, settings, whole_file};

/// Tasks × algorithms × optimizers × seeds, under one protocol or two.
///
/// ```
/// use uphill::benchmark::Grid;
///
/// let grid = Grid::from_toml("optimizers = ['sgd', 'adam']\nseeds = [1, 2, 3]\n[[tasks]]\nenv = 'GridWorld-4x4-v0'")?;
/// assert_eq!(grid.algos, ["ppo"]);
/// assert_eq!(Grid::from_toml(&grid.to_toml()?)?, grid);
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grid {
    /// What the report is called.
    pub title: String,
    /// How learning rates and other hyper-parameters are come by.
    pub protocols: Vec<Protocol>,
    /// Algorithms.
    #[serde(deserialize_with = "words::texts")]
    pub algos: Vec<String>,
    /// Optimizers: names or whole chains. A number that a spec gives as `lr` is its default learning rate.
    pub optimizers: Vec<Spec>,
    /// Seeds that are reported.
    pub seeds: Seeds,
    /// Points of each learning curve, at equal distances of environment steps.
    pub curve_points: usize,
    /// Episodes that each trained policy is judged by.
    pub eval_episodes: usize,
    /// Learning rates that every optimizer is run at on the reported seeds, beside the protocols; empty for none.
    pub sweep: LrGrid,
    /// Settings of every run, over the algorithms' defaults.
    pub settings: toml::Table,
    /// Further settings of the runs of an algorithm.
    pub algo_settings: BTreeMap<String, toml::Table>,
    /// The protocol *tuned*.
    pub tuning: Tuning,
    /// What is learnt.
    #[serde(deserialize_with = "task::tasks")]
    pub tasks: Vec<Task>,
    /// The rows that its words are from; no file says them.
    #[serde(skip)]
    pub catalogue: Catalogue,
}

/// How an optimizer's hyper-parameters are come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Those that its documentation gives (`docs/optimizers.md`).
    Defaults,
    /// The best of an equal number of trials for each optimizer, on seeds that are not reported.
    Tuned,
}

/// Seeds: a list, or so many from the first on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "it must be seeds in brackets, such as [1, 2], or { first = 1, count = 10 }")]
pub enum Seeds {
    /// These.
    List(Vec<u64>),
    /// `first`, `first + 1`, …
    Range {
        /// The first.
        first: u64,
        /// How many.
        count: u64,
    },
}

/// Learning rates to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrGrid {
    /// Multiples of each optimizer's default.
    Multiples(Vec<f64>),
    /// The same for every optimizer.
    Values(Vec<f64>),
}

/// The search for each optimizer's best hyper-parameters, for each task and algorithm by itself.
///
/// An optimizer's space is every learning rate with every combination of what `search` lists for it. All optimizers get
/// the same number of trials: of a larger space so many points are drawn, a smaller one is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// Trials of each optimizer.
    pub trials: usize,
    /// Which trial wins.
    pub select: Select,
    /// Seeds that trials are run on: none of those that are reported.
    pub seeds: Seeds,
    /// Seed of the draw from spaces that are larger than `trials`.
    pub search_seed: u64,
    /// Learning rates, where `search` does not list an optimizer's own.
    pub lr: LrGrid,
    /// By optimizer: hyper-parameters and the values to try; `lr` is a list of learning rates.
    pub search: BTreeMap<String, BTreeMap<String, Vec<toml::Value>>>,
}

/// What a trial is judged by: the mean over the tuning seeds of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// The area under the curve of scores.
    Area,
    /// The score at the end of training.
    FinalScore,
    /// The score of the evaluation.
    EvalScore,
}

impl Default for Grid {
    /// A small comparison that takes about two minutes on two cores.
    fn default() -> Self {
        let steps = |env: &str, steps: i64| Task {
            settings: toml::Table::from_iter([("steps".to_string(), steps.into())]),
            ..Task::new(env)
        };
        Self {
            title: "Optimizers compared".into(),
            protocols: vec![Protocol::Defaults, Protocol::Tuned],
            algos: vec!["ppo".into()],
            optimizers: ["sgd", "momentum", "rmsprop", "adam", "lion", "lamb", "muon"]
                .map(|name| Spec::link(name, &[]))
                .to_vec(),
            seeds: Seeds::Range { first: 1, count: 10 },
            curve_points: 100,
            eval_episodes: 20,
            sweep: LrGrid::Multiples(Vec::new()),
            settings: toml::Table::new(),
            algo_settings: BTreeMap::new(),
            tuning: Tuning::default(),
            tasks: vec![steps("CartPole-v1", 100_000), steps("GridWorld-4x4-v0", 30_000)],
            catalogue: Catalogue::default(),
        }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            trials: 9,
            select: Select::Area,
            seeds: Seeds::Range { first: 1_001, count: 3 },
            search_seed: 1,
            lr: LrGrid::Multiples(vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1_000.0]),
            search: BTreeMap::new(),
        }
    }
}

impl Seeds {
    /// Each of them, in order.
    #[must_use]
    pub fn list(&self) -> Vec<u64> {
        match self {
            Seeds::List(seeds) => seeds.clone(),
            Seeds::Range { first, count } => (0..*count).map(|i| first.saturating_add(i)).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Seeds::List(seeds) => seeds.len() as u64,
            Seeds::Range { count, .. } => *count,
        }
    }
}

impl LrGrid {
    /// The learning rates for an optimizer whose default is `lr`.
    pub(super) fn around(&self, lr: f64) -> Vec<f64> {
        match self {
            LrGrid::Multiples(multiples) => multiples.iter().map(|multiple| tidy(multiple * lr)).collect(),
            LrGrid::Values(values) => values.clone(),
        }
    }

    /// The numbers as written.
    pub(super) fn numbers(&self) -> &[f64] {
        match self {
            LrGrid::Multiples(numbers) | LrGrid::Values(numbers) => numbers,
        }
    }
}

/// A product such as 0.1 · 0.003 as people write it, 0.0003: rounded to 12 digits.
fn tidy(x: f64) -> f64 {
    format!("{x:.11e}").parse().unwrap_or(x)
}

impl Grid {
    /// Reads a grid; what it does not say has its default, but no task or optimizer is added to those that it names.
    ///
    /// # Errors
    /// [`Error::Config`] for text that is not TOML, and as [`Grid::validate`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_toml_with(text, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Grid::from_toml`].
    pub fn from_toml_with(text: &str, catalogue: &Catalogue) -> Result<Self> {
        let grid = Self { catalogue: catalogue.clone(), ..Self::parse(text)? };
        grid.validate()?;
        Ok(grid)
    }

    /// A grid that nothing has looked at yet.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut grid: Self = settings::typed(text)?;
        grid.tasks.iter_mut().try_for_each(|task| task.settle(world::settle))?;
        Ok(grid)
    }

    /// As [`Grid::from_toml`], from a file, which may name files of grid worlds beside it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] for what [`Grid::from_toml`] refuses; as
    /// [`Config::settle_env`] for a world.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_with(path, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Grid::read`].
    pub fn read_with(path: &Path, catalogue: &Catalogue) -> Result<Self> {
        let wrong = |problem: String| Error::File { path: path.into(), problem };
        let bytes = whole_file::read(path, settings::MAX_BYTES).map_err(Error::io(path))?;
        let text = str::from_utf8(&bytes).map_err(|e| wrong(format!("not UTF-8 text: {e}")))?;
        let grid = Self::parse(text).map_err(|e| wrong(e.to_string()))?;
        let mut grid = Self { catalogue: catalogue.clone(), ..grid };
        let beside = path.parent().unwrap_or(Path::new(""));
        let settle = |table: &mut toml::Table| Config::settle_env(table, beside, catalogue);
        grid.tasks.iter_mut().try_for_each(|task| task.settle(settle))?;
        grid.validate().map_err(|e| wrong(e.to_string()))?;
        Ok(grid)
    }

    /// All of it as TOML: [`Grid::from_toml`] of it gives this grid back.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that TOML cannot hold (a seed of 2⁶³ or more).
    pub fn to_toml(&self) -> Result<String> {
        self.to_table()?;
        settings::readable(toml::to_string(self).map_err(|e| Error::Config(e.to_string()))?)
    }

    pub(super) fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }

    /// The configuration of one run.
    pub(super) fn config(&self, task: &Task, algo: &str, trial: &Trial, seed: u64) -> Result<Config> {
        let mut table = toml::Table::new();
        let layers =
            [Some(&self.settings), self.algo_settings.get(algo), Some(&task.settings), task.algo_settings.get(algo)];
        for layer in layers.into_iter().flatten() {
            table.extend(layer.clone());
        }
        let seed = i64::try_from(seed).map_err(|_| Error::Config(format!("seed = {seed}: it must be below 2^63")))?;
        table.extend(
            [
                ("env", toml::Value::from(task.env.clone())),
                ("algo", algo.into()),
                ("optimizer", trial.spec.to_string().into()),
                ("seed", seed.into()),
                ("threads", 1.into()),
                ("device", "cpu".into()),
            ]
            .map(|(name, value)| (name.to_string(), value)),
        );
        table.extend(trial.lr.map(|lr| ("lr".to_string(), lr.into())));
        let place = |e| Error::Config(format!("{}, {algo}, {}: {e}", task.label(), trial.spec));
        if let Some(misplaced) = Misplaced::in_table(&table, &self.catalogue)? {
            return Err(place(
                misplaced.error(|name| format!("it is a setting, {name} = … below [settings] in the file of a grid")),
            ));
        }
        let config =
            Config::read_and_validate(table, &self.catalogue).and_then(|config| task.limited(config)).map_err(place)?;
        let limit = config.make_envs(1).map_err(place)?.spec().max_episode_steps;
        match limit {
            Some(_) => Ok(config),
            None => Err(Error::Config(format!("{}: {}", task.label(), NO_LIMIT))),
        }
    }

    /// Makes the trainer of each task, algorithm and optimizer once, so that what no run of them could do is found before the
    /// first.
    ///
    /// # Errors
    /// As [`Trainer::new`], naming them.
    pub(super) fn rehearse(&self) -> Result<()> {
        let defaults = self.defaults()?;
        let optimizers = || defaults.iter();
        let pairs = self.tasks.iter().flat_map(|task| self.algos.iter().map(move |algo| (task, algo)));
        pairs.flat_map(|pair| optimizers().map(move |trial| (pair, trial))).try_for_each(|((task, algo), trial)| {
            let place = |e| Error::Config(format!("{}, {algo}, {}: {e}", task.label(), trial.spec));
            Trainer::new(&self.config(task, algo, trial, 1)?).map(drop).map_err(place)
        })
    }

    /// How many runs the grid has.
    #[must_use]
    pub fn cell_count(&self) -> u64 {
        let tuning = match self.protocols.contains(&Protocol::Tuned) {
            true => self.tuning.seeds.count().saturating_mul(self.tuning.trials as u64),
            false => 0,
        };
        let reported = (self.protocols.len() + self.sweep.numbers().len()) as u64;
        let axes = (self.tasks.len() * self.algos.len() * self.optimizers.len()) as u64;
        axes.saturating_mul(self.seeds.count().saturating_mul(reported).saturating_add(tuning))
    }

    /// Its runs that depend on no other's result, in order: all but those of tuned optimizers.
    ///
    /// # Errors
    /// As [`Grid::validate`].
    pub fn cells(&self) -> Result<Vec<Cell>> {
        self.validate()?;
        Ok(Plan::new(self)?.cells)
    }

    /// Tasks with algorithms, in the order of the tables.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tasks.iter().flat_map(|task| self.algos.iter().map(|algo| (task.label(), algo.as_str())))
    }

    /// The mean return from which a task is solved, if its environment says one.
    ///
    /// # Errors
    /// As [`Config::make_envs`].
    pub(super) fn threshold(&self, label: &str) -> Result<Option<f64>> {
        let task = self.tasks.iter().find(|task| task.label() == label);
        let trial = self.defaults()?.into_iter().next();
        let (Some(task), Some(algo), Some(trial)) = (task, self.algos.first(), trial) else { return Ok(None) };
        Ok(self.config(task, algo, &trial, 1)?.make_envs(1)?.spec().reward_threshold)
    }

    /// How its runs are measured.
    pub(super) fn measure(&self) -> Measure {
        Measure { curve_points: self.curve_points, eval_episodes: self.eval_episodes }
    }

    /// The default of each optimizer.
    pub(super) fn defaults(&self) -> Result<Vec<Trial>> {
        self.optimizers.iter().map(|spec| Trial::documented(spec, self.catalogue.optim())).collect()
    }
}
