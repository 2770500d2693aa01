//! Every row that a configuration's words may be from: this crate's, and a user's own.

mod envs;
mod family;
mod minatar;
mod worlds;
mod wrappers;

use std::fmt;
use std::sync::Arc;

use candle_core::Device;
use uphill_envs::{Env, FiniteMdp, Lanes, VecEnv};

use crate::optim::Registry;
use crate::tensor_env::TensorEnv;
use crate::words::{Args, Param, Row, Spec, Word, Wrapped};
use crate::{Error, Result, algo, distributions, models, optim, sink};

pub use family::EnvFamily;
pub(crate) use worlds::{GRID_WORLD, grid_world};
pub use wrappers::{Around, Wrap, WrapperRow};
pub(crate) use wrappers::{FRAME_STACK, TIME_AWARE, TIME_LIMIT};

/// A named environment.
pub type EnvRow = Row<MakeEnv>;

/// Makes an environment, whose name is its row's, or what its argument `id` says where it has one.
pub type MakeOne = fn(&Args) -> Result<Box<dyn Env>>;

/// Makes so many environments, to be stepped side by side.
pub type MakeMany = fn(&Args, usize) -> Result<Box<dyn VecEnv>>;

/// The mean undiscounted returns of the uniformly random policy and of the best one, where they are known with these arguments.
pub type Returns = fn(&Args) -> Result<Option<(f64, f64)>>;

/// Makes their twin on a device, a tensor program of the same kind of environment.
pub type MakeTensors = fn(&Args, &Device) -> Result<Box<dyn TensorEnv>>;

/// How a row makes environments, and what is known of them.
#[derive(Debug, Clone, Copy)]
pub struct MakeEnv {
    /// Makes one; it is also what is watched.
    pub one: Option<MakeOne>,
    /// Makes so many of them at once, where that is faster than one by one.
    pub many: Option<MakeMany>,
    /// Its exact model, where it has one.
    pub model: Option<fn(&Args) -> Result<FiniteMdp>>,
    /// What it pays at random and at best, where that does not follow from the model: the scores 0 and 1.
    pub returns: Option<Returns>,
    /// Makes its twin on a device, where there is one.
    pub tensors: Option<MakeTensors>,
}

impl MakeEnv {
    /// Of an environment of which nothing else is known.
    #[must_use]
    pub const fn one(one: MakeOne) -> Self {
        Self { one: Some(one), many: None, model: None, returns: None, tensors: None }
    }

    /// Of environments that are made side by side only.
    #[must_use]
    pub const fn many(many: MakeMany) -> Self {
        Self { one: None, many: Some(many), model: None, returns: None, tensors: None }
    }

    /// So many of them, side by side.
    pub(crate) fn lanes(&self, args: &Args, lanes: usize) -> Result<Box<dyn VecEnv>> {
        match (self.many, self.one) {
            (Some(many), _) => many(args, lanes),
            (None, Some(one)) => Ok(Box::new(Lanes::new((0..lanes).map(|_| one(args)).collect::<Result<_>>()?)?)),
            (None, None) => Err(Error::Config(format!("the row of {} makes no environment", args.row()))),
        }
    }
}

/// Environments, wrappers, models, distributions, algorithms, sinks, and the words of optimizers. The default has all of this crate's;
/// [`with`](Catalogue::with) adds a row of one's own, which goes before one of the same name.
///
/// ```
/// use uphill::envs::{CartPole, TimeLimit};
/// use uphill::words::{Param, Row};
/// use uphill::catalogue::{Catalogue, EnvRow, MakeEnv};
/// use uphill::{Config, Trainer};
///
/// const SHORT_POLE: EnvRow = Row {
///     name: "ShortPole",
///     summary: "CartPole with less time",
///     params: &[Param::count("limit", (1, 500), "50", "steps of an episode")],
///     make: MakeEnv::one(|args| {
///         Ok(Box::new(TimeLimit::with_limit(CartPole::new(), args.count("limit")? as u32)?.named("ShortPole")?))
///     }),
/// };
///
/// let catalogue = Catalogue::default().with(SHORT_POLE);
/// let config = Config::from_toml_with("env = 'ShortPole(limit=20)'\nsteps = 1_000", &catalogue)?;
/// let mut trainer = Trainer::new(&config)?;
/// trainer.step()?;
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Clone)]
pub struct Catalogue(Arc<Rows>);

#[derive(Clone)]
struct Rows {
    envs: Vec<EnvRow>,
    families: Vec<EnvFamily>,
    wrappers: Vec<WrapperRow>,
    models: Vec<models::Row>,
    distributions: Vec<distributions::Row>,
    algos: Vec<algo::Row>,
    optim: Registry,
    sinks: Vec<sink::Row>,
    /// What is wrong with the first row that was added and cannot be.
    problem: Option<String>,
}

/// A row of a [`Catalogue`].
#[derive(Debug, Clone, Copy)]
pub enum AnyRow {
    /// An environment.
    Env(EnvRow),
    /// Environments whose names begin alike.
    Family(EnvFamily),
    /// A wrapper of environments.
    Wrapper(WrapperRow),
    /// A model.
    Model(models::Row),
    /// A distribution.
    Distribution(distributions::Row),
    /// An algorithm.
    Algo(algo::Row),
    /// A word of the language of optimizers.
    Optim(optim::Row),
    /// A sink.
    Sink(sink::Row),
}

impl AnyRow {
    /// What is wrong with it; of words of optimizers their [`Registry`] knows more.
    fn problem(&self) -> Option<String> {
        match self {
            Self::Env(row) if row.make.one.is_none() && row.make.many.is_none() => {
                Some(format!("the row of `{}`: it makes no environment: neither one nor many of them", row.name))
            }
            Self::Env(row) => row.problem(),
            Self::Family(family) => family.problem(),
            Self::Wrapper(row) => row.problem(),
            Self::Model(row) => row.problem(),
            Self::Distribution(row) if row.name == distributions::AUTO => {
                Some(format!("the row of `{}`: that word chooses among rows: give it another name", row.name))
            }
            Self::Distribution(row) => row.problem(),
            Self::Algo(row) => row.problem(),
            Self::Optim(_) => None,
            Self::Sink(row) if row.name == sink::FIRST => {
                Some(format!("the row of `{}`: every run has that sink: give it another name", row.name))
            }
            Self::Sink(row) if row.name == sink::EVALUATIONS.name => Some(format!(
                "the row of `{}`: every run with eval_every has that sink: give it another name",
                row.name
            )),
            Self::Sink(row) => row.problem(),
        }
    }
}

impl From<EnvRow> for AnyRow {
    fn from(row: EnvRow) -> Self {
        Self::Env(row)
    }
}

impl From<EnvFamily> for AnyRow {
    fn from(family: EnvFamily) -> Self {
        Self::Family(family)
    }
}

impl From<WrapperRow> for AnyRow {
    fn from(row: WrapperRow) -> Self {
        Self::Wrapper(row)
    }
}

impl From<models::Row> for AnyRow {
    fn from(row: models::Row) -> Self {
        Self::Model(row)
    }
}

impl From<distributions::Row> for AnyRow {
    fn from(row: distributions::Row) -> Self {
        Self::Distribution(row)
    }
}

impl From<algo::Row> for AnyRow {
    fn from(row: algo::Row) -> Self {
        Self::Algo(row)
    }
}

impl From<optim::Row> for AnyRow {
    fn from(row: optim::Row) -> Self {
        Self::Optim(row)
    }
}

impl From<sink::Row> for AnyRow {
    fn from(row: sink::Row) -> Self {
        Self::Sink(row)
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self(Arc::new(Rows {
            envs: envs::rows(),
            families: Vec::new(),
            wrappers: wrappers::ROWS.to_vec(),
            models: models::ROWS.to_vec(),
            distributions: distributions::ROWS.to_vec(),
            algos: algo::ROWS.to_vec(),
            optim: Registry::default(),
            sinks: sink::ROWS.to_vec(),
            problem: None,
        }))
    }
}

impl Catalogue {
    /// The same with another row. Whether it can be, [`Catalogue::check`] says, and whatever reads a configuration with it.
    #[must_use]
    pub fn with(mut self, row: impl Into<AnyRow>) -> Self {
        let rows = Arc::make_mut(&mut self.0);
        let row = row.into();
        rows.problem = rows.problem.take().or_else(|| row.problem());
        match row {
            AnyRow::Env(row) => put(&mut rows.envs, row),
            AnyRow::Family(family) => {
                rows.families.retain(|known| known.prefix != family.prefix);
                rows.families.push(family);
            }
            AnyRow::Wrapper(row) => put(&mut rows.wrappers, row),
            AnyRow::Model(row) => put(&mut rows.models, row),
            AnyRow::Distribution(row) => put(&mut rows.distributions, row),
            AnyRow::Algo(row) => put(&mut rows.algos, row),
            AnyRow::Optim(row) => rows.optim = rows.optim.clone().with(row),
            AnyRow::Sink(row) => put(&mut rows.sinks, row),
        }
        self
    }

    /// Whether every row that was added can be.
    ///
    /// # Errors
    /// [`Error::Config`] for the first that cannot, with what would be right: a name that is none, an argument with an
    /// impossible name or default or twice, an environment that nothing makes, a word of optimizers whose name one of another
    /// kind has.
    pub fn check(&self) -> Result<()> {
        match &self.0.problem {
            Some(problem) => Err(Error::Config(problem.clone())),
            None => self.optim().check(),
        }
    }

    /// Every environment.
    #[must_use]
    pub fn envs(&self) -> &[EnvRow] {
        &self.0.envs
    }

    /// Every family of environments; what is of one is none of [`envs`](Catalogue::envs).
    #[must_use]
    pub fn families(&self) -> &[EnvFamily] {
        &self.0.families
    }

    /// Every wrapper of environments.
    #[must_use]
    pub fn wrappers(&self) -> &[WrapperRow] {
        &self.0.wrappers
    }

    /// Every model.
    #[must_use]
    pub fn models(&self) -> &[models::Row] {
        &self.0.models
    }

    /// Every distribution; where none is named, the first that is over an environment's actions is taken.
    #[must_use]
    pub fn distributions(&self) -> &[distributions::Row] {
        &self.0.distributions
    }

    /// Every algorithm.
    #[must_use]
    pub fn algos(&self) -> &[algo::Row] {
        &self.0.algos
    }

    /// The words of optimizers: whole ones, their links, and schedules.
    #[must_use]
    pub fn optim(&self) -> &Registry {
        &self.0.optim
    }

    /// Every sink.
    #[must_use]
    pub fn sinks(&self) -> &[sink::Row] {
        &self.0.sinks
    }

    /// The environment of that name, be it a row or of a [family](Catalogue::families).
    ///
    /// # Errors
    /// [`EnvError::Unknown`](uphill_envs::EnvError::Unknown), with the nearest name, if there is none; [`Error::Config`] for the
    /// name of a wrapper; what a family says of a name that begins as its names do.
    pub fn env(&self, name: &str) -> Result<&EnvRow> {
        if let Some(row) = self.envs().iter().find(|row| row.name == name) {
            return Ok(row);
        }
        if let Some(family) = self.families().iter().find(|family| name.starts_with(family.prefix)) {
            return family.row(name);
        }
        Err(match self.wrapper(name) {
            Ok(wrapper) => {
                let remedy = format!("it comes after the environment, as in \"Pendulum-v1 | {}\"", wrapper.name);
                Error::Config(format!("`{name}` is a wrapper, and no environment: {remedy}"))
            }
            Err(_) => {
                let families = self.families().iter().map(|family| family.name);
                uphill_envs::unknown(name, self.envs().iter().map(|row| row.name).chain(families)).into()
            }
        })
    }

    /// The wrapper of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name, if there is none.
    pub fn wrapper(&self, name: &str) -> Result<&WrapperRow> {
        find(self.wrappers(), "wrapper", name)
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name, if there is none.
    pub fn model(&self, name: &str) -> Result<&models::Row> {
        find(self.models(), "model", name)
    }

    /// The distribution of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name, if there is none.
    pub fn distribution(&self, name: &str) -> Result<&distributions::Row> {
        find(self.distributions(), "distribution", name)
    }

    /// The algorithm of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name, if there is none.
    pub fn algo(&self, name: &str) -> Result<&algo::Row> {
        find(self.algos(), "algorithm", name)
    }

    /// The sink of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name, if there is none.
    pub fn sink(&self, name: &str) -> Result<&sink::Row> {
        find(self.sinks(), "sink", name)
    }

    /// The arguments of the row that the word of a setting asks for; `None` where there is no such row.
    pub(crate) fn params(&self, setting: &str, word: &Word) -> Option<&'static [Param]> {
        let row = &word.name;
        match setting {
            "env" => self.env(row).ok().map(|row| row.params),
            "model" => self.model(row).ok().map(|row| row.params),
            "distribution" => self.distribution(row).ok().map(|row| row.params),
            _ => self.algo(row).ok().map(|row| row.params),
        }
    }

    /// Whether the row that the word of a setting asks for has such an argument; of [`AUTO`](distributions::AUTO) any row, as
    /// which it is the environment says.
    pub(crate) fn has(&self, setting: &str, word: &Word, argument: &str) -> bool {
        let is_auto = setting == "distribution" && word.name == distributions::AUTO;
        let of_any = || self.distributions().iter().any(|row| row.param(argument).is_some());
        let of_row =
            || self.params(setting, word).is_some_and(|params| params.iter().any(|param| param.name == argument));
        if is_auto { of_any() } else { of_row() }
    }

    /// What of these words it does not have, each with what it is.
    pub(crate) fn lacks(
        &self,
        env: &Wrapped,
        [model, algo]: [Option<&Word>; 2],
        distribution: &Word,
        optimizer: &Spec,
        sinks: &[Word],
    ) -> Vec<String> {
        let mut lacking = Vec::new();
        let mut note = |what: &str, name: &str, known: bool| {
            if !known {
                lacking.push(format!("{what} `{}`", uphill_envs::quoted(name)));
            }
        };
        note("environment", &env.word.name, self.env(&env.word.name).is_ok());
        env.wrappers.iter().for_each(|word| note("wrapper", &word.name, self.wrapper(&word.name).is_ok()));
        model.into_iter().for_each(|word| note("model", &word.name, self.model(&word.name).is_ok()));
        let is_known = distribution.name == distributions::AUTO || self.distribution(&distribution.name).is_ok();
        note("distribution", &distribution.name, is_known);
        algo.into_iter().for_each(|word| note("algorithm", &word.name, self.algo(&word.name).is_ok()));
        sinks.iter().for_each(|word| note("sink", &word.name, self.sink(&word.name).is_ok()));
        for link in &optimizer.0 {
            note("optimizer", &link.name, self.optim().row(&link.name).is_ok());
        }
        lacking
    }
}

fn put<M>(rows: &mut Vec<Row<M>>, row: Row<M>) {
    rows.retain(|known| known.name != row.name);
    rows.push(row);
}

fn find<'a, M>(rows: &'a [Row<M>], what: &str, name: &str) -> Result<&'a Row<M>> {
    let known = || rows.iter().map(|row| row.name);
    rows.iter().find(|row| row.name == name).ok_or_else(|| Error::unknown(what, name, known()))
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [envs, models, algos] = [self.envs().len(), self.models().len(), self.algos().len()];
        write!(f, "Catalogue({envs} environments, {models} models, {algos} algorithms)")
    }
}

impl PartialEq for Catalogue {
    /// Whether they know the same words.
    fn eq(&self, other: &Self) -> bool {
        fn names<M>(rows: &[Row<M>]) -> impl Iterator<Item = &'static str> {
            rows.iter().map(|row| row.name)
        }
        let families =
            |catalogue: &'_ Self| catalogue.families().iter().map(|family| family.prefix).collect::<Vec<_>>();
        names(self.envs()).eq(names(other.envs()))
            && families(self) == families(other)
            && names(self.wrappers()).eq(names(other.wrappers()))
            && names(self.models()).eq(names(other.models()))
            && names(self.distributions()).eq(names(other.distributions()))
            && names(self.algos()).eq(names(other.algos()))
            && names(self.sinks()).eq(names(other.sinks()))
            && names(self.optim().rows()).eq(names(other.optim().rows()))
    }
}
