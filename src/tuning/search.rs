//! What is searched: `search.toml`.

use std::path::Path;

use uphill_envs::counted;

use super::halving::{self, Pruner};
use super::objective::Objective;
use super::sampler::{Sampler, Told};
use super::section::Section;
use super::space::Space;
use crate::algo::least_env_steps;
use crate::benchmark::Seeds;
use crate::words::{Kind, Param};
use crate::{Catalogue, Config, Error, Result, Trainer, settings};

/// Hyper-parameters of a run and the ranges that they are searched in.
///
/// As a file it is that of a run, with a table `[tune]`:
///
/// ```
/// use uphill::tuning::Search;
///
/// let search = Search::from_toml(
///     "algo = 'a2c'
///     steps = 20_000
///     [tune]
///     trials = 16
///     [tune.ranges]
///     lr = { low = 1e-4, high = 1e-2, log = true }
///     n_steps = [5, 16, 64]",
/// )?;
/// assert_eq!(search.ranges.len(), 2);
/// assert_eq!(Search::from_toml(&search.to_toml()?)?, search);
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Search {
    /// Settings of every run, over the algorithm's defaults.
    pub settings: toml::Table,
    /// What is searched, by name.
    pub ranges: Vec<(String, Space)>,
    /// How many trials there are.
    pub trials: usize,
    /// How they are drawn.
    pub sampler: Sampler,
    /// What ends them early.
    pub pruner: Pruner,
    /// By `halving`: one trial in so many goes on from a rung, to so many times its steps.
    pub eta: u64,
    /// By `halving`: rungs, the whole length one of them.
    pub rungs: u32,
    /// What they are judged by.
    pub objective: Objective,
    /// By `eval_return`: episodes of an evaluation.
    pub eval_episodes: usize,
    /// Seeds that each trial is run on: none of those that are reported.
    pub seeds: Seeds,
    /// Seeds that the best trial is run on in the end.
    pub report_seeds: Seeds,
    /// Seed of the draw of trials.
    pub search_seed: u64,
    /// The rows that its words are from; no file says them.
    pub catalogue: Catalogue,
}

/// Settings that a search decides, and what to do instead of saying them.
pub(crate) const DECIDED: [(&str, &str); 10] = [
    ("seed", "it comes from `seeds` and `report_seeds` below [tune]"),
    ("threads", "every run has one thread, and runs go side by side: `tune --threads` says how many"),
    ("device", "runs go side by side on the CPU"),
    ("sinks", "runs of a search have none"),
    ("eval_every", WHOLE),
    ("eval_episodes", "it is a key of [tune], where objective = \"eval_return\""),
    ("eval_deterministic", WHOLE),
    ("stop_at_return", WHOLE),
    ("stop_without_improvement", WHOLE),
    ("continued", WHOLE),
];
/// What every run of a search is.
const WHOLE: &str = "runs are evaluated at rungs alone, and nothing but the search ends them";
/// What is the same in all trials.
const FIXED: [(&str, &str); 4] = [
    ("env", "one search is of one environment"),
    ("algo", "one search is of one algorithm; `compare` compares several"),
    ("steps", "scores after different steps do not compare"),
    ("max_memory", "it is a limit and no hyper-parameter"),
];
/// The most runs of a search: a slip of the hand is an error and not a machine out of memory.
const MAX_RUNS: u64 = 100_000;
/// Combinations of ends that are looked at before the work.
const MAX_CORNERS: usize = 2_048;

impl Search {
    /// Reads a search; what it does not say has its default, the ranges too.
    ///
    /// # Errors
    /// [`Error::Config`] for text that is not TOML, and as [`Search::from_table`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_table(settings::parse(text)?, &Catalogue::default())
    }

    /// Reads the file of a search, which may name the file of a grid world beside it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] for what [`Search::from_table`] refuses.
    pub fn read(path: &Path, catalogue: &Catalogue) -> Result<Self> {
        let mut table = Config::read_toml(path)?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let settled = Config::settle_env(&mut table, beside, catalogue);
        settled.and_then(|()| Self::from_table(table, catalogue)).map_err(|e| e.in_file(path))
    }

    /// Reads a search from a table of settings with its table `tune`.
    ///
    /// # Errors
    /// [`Error::Config`] for what is no search and what no run of it could do: an unknown setting, with the nearest one there is, a
    /// value out of its range, ranges that do not go together, a setting without effect, seeds that are both tuned and reported
    /// on.
    pub fn from_table(mut table: toml::Table, catalogue: &Catalogue) -> Result<Self> {
        let tune = match table.remove("tune") {
            None => toml::Table::new(),
            Some(toml::Value::Table(tune)) => tune,
            Some(other) => {
                let problem = format!("tune = {} is impossible: it must be a table, [tune]", settings::shown(&other));
                return Err(Error::Config(problem));
            }
        };
        Self::from_settings(table, tune, catalogue)
    }

    /// Settings and the table `tune`.
    pub(crate) fn from_settings(settings: toml::Table, mut tune: toml::Table, catalogue: &Catalogue) -> Result<Self> {
        let ranges = tune.remove("ranges");
        let section = Section::read(&tune)?;
        let Section { trials, sampler, objective, eval_episodes, .. } = section;
        let Section { pruner, eta, rungs, seeds, report_seeds, search_seed, .. } = section;
        let mut search = Self {
            settings,
            ranges: Vec::new(),
            trials,
            sampler,
            pruner,
            eta,
            rungs,
            objective,
            eval_episodes,
            seeds,
            report_seeds,
            search_seed,
            catalogue: catalogue.clone(),
        };
        search.check_decided()?;
        let base = search.base()?;
        search.ranges = match ranges {
            Some(toml::Value::Table(ranges)) => search.read_ranges(&base, &ranges)?,
            Some(other) => {
                let problem = format!("{} is impossible: it must be a table", settings::shown(&other));
                return Err(Error::Config(format!("tune.ranges = {problem}")));
            }
            None => search.own_ranges(&base)?,
        };
        search.check()?;
        Ok(search)
    }

    /// The settings of every run, where nothing is searched.
    fn base(&self) -> Result<Config> {
        Config::from_table_with(self.settings.clone(), &self.catalogue)
    }

    fn check_decided(&self) -> Result<()> {
        match DECIDED.iter().find(|(name, _)| self.settings.contains_key(*name)) {
            Some((name, why)) => Err(Error::Config(format!("{name} has no effect on a search: {why}"))),
            None => Ok(()),
        }
    }

    fn read_ranges(&self, base: &Config, ranges: &toml::Table) -> Result<Vec<(String, Space)>> {
        let known = base.all()?;
        let wrong = |name: &str, problem: &str| Error::Config(format!("tune.ranges.{name}: {problem}"));
        let mut spaces = Vec::new();
        for (name, said) in ranges {
            if let Some((_, why)) = DECIDED.iter().chain(&FIXED).find(|(decided, _)| decided == name) {
                return Err(wrong(name, &format!("it cannot be searched: {why}")));
            }
            if self.settings.contains_key(name) {
                let remedy = "leave that or the range out";
                return Err(wrong(name, &format!("it has one value already, above [tune] or by a flag: {remedy}")));
            }
            let argument = self.argument(base, name);
            if !known.contains_key(name) && argument.is_none() {
                // Whatever its value, it is unknown: what is said of it in the file of a run is right here, too.
                let example = match said {
                    toml::Value::Array(choices) => choices.first().cloned().unwrap_or(1.into()),
                    toml::Value::Table(range) => range.get("low").cloned().unwrap_or(1.into()),
                    other => other.clone(),
                };
                self.with(&[(name, example)]).map_err(|e| wrong(name, &e.to_string()))?;
            }
            let is_whole = match (known.get(name), argument.map(|param| param.kind)) {
                (Some(toml::Value::Integer(_)), _) | (_, Some(Kind::Count(..) | Kind::Limit(_))) => Some(true),
                (Some(toml::Value::Float(_)), _) | (_, Some(Kind::Number(_) | Kind::Steady(_) | Kind::Fixed(_))) => {
                    Some(false)
                }
                _ => None,
            };
            spaces.push((name.clone(), Space::of(name, said, is_whole)?));
        }
        match spaces.len() {
            0 => Err(Error::Config("tune.ranges is empty: name at least one hyper-parameter, or leave it out".into())),
            _ => Ok(spaces),
        }
    }

    /// The argument of that name of a row that the runs have.
    fn argument(&self, base: &Config, name: &str) -> Option<&'static Param> {
        let words = [
            ("algo", &base.algo),
            ("model", &base.model),
            ("env", &base.env.word),
            ("distribution", &base.distribution),
        ];
        let rows = words.into_iter().filter_map(|(setting, word)| self.catalogue.params(setting, word));
        rows.flatten().find(|param| param.name == name)
    }

    /// Ranges where none are said: the learning rate around the algorithm's own, and of what else the algorithm has what most
    /// often matters.
    fn own_ranges(&self, base: &Config) -> Result<Vec<(String, Space)>> {
        let real = |name: &str, low, high, log| (name.to_string(), Space::Real { low, high, log });
        let around = |factor: f64| format!("{:.2e}", base.lr * factor).parse::<f64>().unwrap_or(base.lr);
        let ranges = [
            real("ent_coef", 1e-4, 0.1, true),
            real("gae_lambda", 0.8, 1.0, false),
            real("kappa_policy", 1.0, 30.0, true),
            real("kappa_value", 1.0, 30.0, true),
            real("lr", around(1.0 / 30.0), around(30.0), true),
            real("trace_lambda", 0.5, 1.0, false),
        ];
        let fits = |(name, space): &(String, Space)| {
            let has = name == "lr" || self.argument(base, name).is_some();
            let one = |value: toml::Value| self.with(&[(name, value)]).is_ok();
            has && !self.settings.contains_key(name) && space.ends().into_iter().all(one)
        };
        let ranges: Vec<_> = ranges.into_iter().filter(|range| fits(range)).collect();
        match ranges.is_empty() {
            true => Err(Error::Config("there is nothing to search: what could be has one value already; give ranges below [tune.ranges], in TOML such as the config.toml of a run".into())),
            false => Ok(ranges),
        }
    }

    /// The configuration of a run with these settings over the others.
    fn with(&self, over: &[(&String, toml::Value)]) -> Result<Config> {
        let mut table = self.settings.clone();
        table.extend(over.iter().map(|(name, value)| ((*name).clone(), value.clone())));
        Config::from_table_with(table, &self.catalogue)
    }

    /// The configuration with the values of a trial, in the order of the ranges.
    pub(super) fn config(&self, values: &[toml::Value]) -> Result<Config> {
        let over: Vec<_> = self.ranges.iter().map(|(name, _)| name).zip(values.iter().cloned()).collect();
        let config = self.with(&over).map_err(|e| {
            let said: Vec<String> =
                over.iter().map(|(name, value)| format!("{name} = {}", settings::shown(value))).collect();
            Error::Config(format!("tune.ranges: {} do not go together: {e}", said.join(", ")))
        })?;
        Ok(config)
    }

    /// That every run of it is possible, as far as can be told before the work.
    fn check(&self) -> Result<()> {
        let wrong = |problem: String| Err(Error::Config(problem));
        let (most_trials, most_ranges) = Sampler::MOST;
        if !(1..=most_trials).contains(&self.trials) {
            return wrong(format!("trials = {} is impossible: it must be 1 to {most_trials}", self.trials));
        }
        if self.ranges.len() > most_ranges {
            return wrong(format!("tune.ranges has {} ranges: there may be {most_ranges}", self.ranges.len()));
        }
        let runs = self.seeds.count().saturating_mul(self.trials as u64).saturating_add(self.report_seeds.count());
        if runs > MAX_RUNS {
            return wrong(format!("the search has {runs} runs: there may be {MAX_RUNS} at most"));
        }
        self.check_seeds()?;
        // Each end by itself first, so that what is wrong with it alone is said of it alone.
        for (name, space) in &self.ranges {
            for value in space.ends() {
                let place = |e: Error| Error::Config(format!("tune.ranges.{name}: {e}"));
                let config = self.with(&[(name, value)]).map_err(place)?;
                Trainer::new(&Config { device: "cpu".into(), threads: 1, ..config }).map_err(place)?;
            }
        }
        let corners = self.corners().iter().map(|values| self.config(values)).collect::<Result<Vec<_>>>()?;
        let base = self.base()?;
        let limit = base.make_envs(1)?.spec().max_episode_steps;
        if limit.is_none() {
            let env = base.env.shown();
            let takes =
                base.catalogue.env(&base.env.word.name).is_ok_and(|row| row.param("max_episode_steps").is_some());
            let remedy = match takes {
                true => "give them one, such as `max_episode_steps = 200` among the settings".into(),
                false => format!("give them one, such as env = \"{env} | time_limit(200)\""),
            };
            return wrong(format!(
                "{env}: its episodes have no limit of steps, and a policy that never ends one has no return: {remedy}"
            ));
        }
        if self.objective == Objective::Area && self.random_return()?.is_none() {
            let remedy = "the area under a learning curve begins there; take objective = \"final_return\"";
            return wrong(format!("{}: what a random policy earns is not known, and {remedy}", base.env.shown()));
        }
        self.check_first_rung(&base, &corners)
    }

    /// Refuses a first rung at which all trials are still what they began as.
    fn check_first_rung(&self, base: &Config, corners: &[Config]) -> Result<()> {
        let (mut rollout, mut least) = (0, 1);
        for config in corners {
            let algo = config.make_algo()?;
            let steps = least_env_steps(&*algo, config.envs);
            // Returns of training are those of the policy that all have in common until the second rollout.
            let is_seen_later = algo.rollouts() == 1 && self.objective != Objective::EvalReturn;
            let needed = steps.saturating_add(u64::from(is_seen_later));
            if needed > least {
                (rollout, least) = (steps, needed);
            }
        }
        let rungs = self.rung_steps(base);
        if rungs[0] >= least {
            return Ok(());
        }
        let (place, fewer) = match rungs.len() {
            1 => (format!("steps = {}", base.steps), ""),
            _ => {
                let (eta, count, steps, first) = (self.eta, self.rungs, base.steps, rungs[0]);
                let problem =
                    format!("eta = {eta} and rungs = {count} put the first rung of {steps} steps at step {first}");
                (problem, ", or fewer rungs")
            }
        };
        let steps = least.saturating_mul(self.eta.saturating_pow(u32::try_from(rungs.len() - 1).unwrap_or(u32::MAX)));
        let why = format!(
            "a first rollout has {}, and until step {least} all trials are what they began as",
            counted(rollout, "step")
        );
        Err(Error::Config(format!("{place}: {why}; take {steps} steps or more{fewer}")))
    }

    fn check_seeds(&self) -> Result<()> {
        let (tuning, reported) = (self.seeds.list(), self.report_seeds.list());
        for (name, seeds) in [("seeds", &tuning), ("report_seeds", &reported)] {
            if seeds.is_empty() {
                return Err(Error::Config(format!("tune.{name} is empty: name at least one")));
            }
            if let Some(i) = (1..seeds.len()).find(|&i| seeds[..i].contains(&seeds[i])) {
                return Err(Error::Config(format!("tune.{name}: {} is there twice", seeds[i])));
            }
            if let Some(seed) = seeds.iter().find(|seed| i64::try_from(**seed).is_err()) {
                return Err(Error::Config(format!("tune.{name}: {seed} is impossible: it must be below 2^63")));
            }
        }
        match tuning.iter().find(|seed| reported.contains(seed)) {
            Some(seed) => {
                let why = "is among report_seeds too: what is tuned on a seed must not be reported on it";
                Err(Error::Config(format!("tune.seeds: {seed} {why}")))
            }
            None => Ok(()),
        }
    }

    /// Combinations of the ends of the ranges: all of them, or where they are many those of each two ranges, the others at
    /// their first.
    fn corners(&self) -> Vec<Vec<toml::Value>> {
        let ends: Vec<Vec<toml::Value>> = self.ranges.iter().map(|(_, space)| space.ends()).collect();
        let all = ends.iter().try_fold(1usize, |all, ends| all.checked_mul(ends.len()));
        if all.is_some_and(|all| all <= MAX_CORNERS) {
            return ends.iter().fold(vec![Vec::new()], |corners, ends| {
                let with_each = |corner: Vec<toml::Value>| {
                    ends.iter().map(move |end| [corner.as_slice(), std::slice::from_ref(end)].concat())
                };
                corners.into_iter().flat_map(with_each).collect()
            });
        }
        let first: Vec<toml::Value> = ends.iter().map(|ends| ends[0].clone()).collect();
        let pairs = (0..ends.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let of_pair = |(i, j): (usize, usize)| {
            let (ends, first) = (&ends, &first);
            let each = ends[i].iter().flat_map(move |one| ends[j].iter().map(move |other| (one, other)));
            each.map(move |(one, other)| {
                let mut corner = first.clone();
                (corner[i], corner[j]) = (one.clone(), other.clone());
                corner
            })
        };
        pairs.flat_map(of_pair).take(MAX_CORNERS).collect()
    }

    /// What the uniformly random policy earns, where that is known.
    pub(super) fn random_return(&self) -> Result<Option<f64>> {
        Ok(self.base()?.known_returns()?.map(|(random, _)| random))
    }

    /// Steps at which trials are looked at, the last one the whole length.
    fn rung_steps(&self, base: &Config) -> Vec<u64> {
        halving::rungs(self.pruner, base.steps, self.eta, self.rungs)
    }

    /// The environment and the algorithm, the steps at which trials are looked at, and how many trials run to each: a trial
    /// that diverges frees no place.
    ///
    /// # Errors
    /// As [`Search::from_table`].
    pub fn plan(&self) -> Result<Vec<(u64, usize)>> {
        let rungs = self.rung_steps(&self.base()?);
        let counts = (0..rungs.len()).map(|k| match k {
            0 => self.trials,
            k => halving::survivors(self.trials, self.eta, k - 1),
        });
        Ok(rungs.into_iter().zip(counts).collect())
    }

    /// The environment with the algorithm, as titles have them.
    ///
    /// # Errors
    /// As [`Search::from_table`].
    pub fn what(&self) -> Result<(String, String)> {
        let base = self.base()?;
        Ok((base.env.shown(), base.algo.shown()))
    }

    /// The values of trial `i`, from 0, where `told` is known of those before its round, and where they lie in the ranges.
    pub(super) fn draw(&self, i: usize, told: &[Told<'_>]) -> Result<(Vec<f64>, Vec<toml::Value>)> {
        let place = self.sampler.place(self.search_seed, i, &self.ranges, told)?;
        let values = self.ranges.iter().zip(&place).map(|((_, space), &u)| space.at(u)).collect();
        Ok((place, values))
    }

    /// All of it as TOML: [`Search::from_toml`] of it gives this search back.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that TOML cannot hold (a seed of 2⁶³ or more).
    pub fn to_toml(&self) -> Result<String> {
        settings::readable(toml::to_string(&self.to_table()?).map_err(|e| Error::Config(e.to_string()))?)
    }

    pub(super) fn to_table(&self) -> Result<toml::Table> {
        let Self { trials, sampler, pruner, eta, rungs, objective, eval_episodes, search_seed, .. } = *self;
        let (seeds, report_seeds) = (self.seeds.clone(), self.report_seeds.clone());
        let section =
            Section { trials, sampler, pruner, eta, rungs, objective, eval_episodes, seeds, report_seeds, search_seed };
        let mut tune = section.to_table()?;
        tune.retain(|name, _| section.without_effect(name).is_none());
        let ranges = self.ranges.iter().map(|(name, space)| (name.clone(), space.to_toml()));
        tune.insert("ranges".into(), toml::Value::Table(ranges.collect()));
        let mut table = self.settings.clone();
        table.insert("tune".into(), tune.into());
        Ok(table)
    }

    /// How many runs there are to each rung and in the end, in words.
    ///
    /// # Errors
    /// As [`Search::from_table`].
    pub fn described(&self) -> Result<String> {
        let (seeds, plan) = (self.seeds.count(), self.plan()?);
        let parts =
            plan.iter().map(|&(steps, trials)| format!("{} to step {steps}", counted(seeds * trials as u64, "run")));
        let mut parts: Vec<String> = parts.collect();
        let steps = plan.last().map_or(0, |(steps, _)| *steps);
        parts.push(format!("the best then to step {steps} on {}", counted(self.report_seeds.count(), "fresh seed")));
        Ok(format!("{}: {}", counted(self.trials, "trial"), parts.join(", ")))
    }
}
