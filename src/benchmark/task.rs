//! What a comparison's runs learn.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use uphill_envs::shown;

use crate::stats::Scale;
use crate::words::{self, Wrapped};
use crate::{Catalogue, Config, Error, Result};

/// An environment to learn, and what is special about it. In a file of a grid an environment's text alone is one, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Environment: a name, which may have arguments, or in a file the file of a grid world, found beside it; wrappers may follow.
    #[serde(deserialize_with = "words::text")]
    pub env: String,
    /// What the tables call it; by default what the environment's argument `id` says, with its wrappers, or the whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The mean return of the uniformly random policy, where it is not known: the score 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_return: Option<f64>,
    /// The mean return of the best policy, where it is not known: the score 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimal_return: Option<f64>,
    /// The limit of an episode's steps, over the environment's own, for environments that have an argument of this name. A
    /// task needs one: a policy that walks in circles has no return without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_episode_steps: Option<u32>,
    /// Settings of its runs, over the grid's.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub settings: toml::Table,
    /// Further settings of its runs of an algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub algo_settings: BTreeMap<String, toml::Table>,
}

/// What a task without a limit is told.
pub(super) const NO_LIMIT: &str = "its episodes have no limit of steps, and a policy that never ends one has no return: give the task one, \
                        such as `max_episode_steps = 200` below its `env`, or `--max-episode-steps 200`";

/// Tasks as TOML has them: tables, and texts where nothing is special about an environment.
pub(super) fn tasks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Task>, D::Error> {
    Ok(Vec::<Said>::deserialize(deserializer)?.into_iter().map(|Said(task)| task).collect())
}

struct Said(Task);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsSaid).map(Self)
    }
}

/// By which errors keep their line and column, as they do not through a [`toml::Value`].
struct AsSaid;

impl<'de> de::Visitor<'de> for AsSaid {
    type Value = Task;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an environment in quotes, or a table with its `env`")
    }

    fn visit_str<E: de::Error>(self, env: &str) -> Result<Task, E> {
        Ok(Task::new(env))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Task, A::Error> {
        Task::deserialize(de::value::MapAccessDeserializer::new(map))
    }
}

impl Task {
    /// A run's configuration with the limit of this task, if it has one of its own.
    pub(super) fn limited(&self, config: Config) -> Result<Config> {
        let Some(limit) = self.max_episode_steps else { return Ok(config) };
        let limited = config.with_limit(Some(limit)).ok_or_else(|| {
            let why =
                "only environments with an argument max_episode_steps, such as grid worlds, can be given another limit";
            let remedy = format!("a shorter one goes around it, \"{} | time_limit({limit})\"", config.env.shown());
            Error::Config(format!("max_episode_steps = {limit} is impossible: {why}; {remedy}"))
        })?;
        limited.make_envs(1).map(|_| limited)
    }

    /// What its undiscounted returns are measured by: what it says itself, or else what is known of the environment.
    pub(super) fn scale(&self, config: &Config) -> Result<Scale> {
        let known = match (self.random_return, self.optimal_return) {
            (Some(random), Some(optimal)) => Some((random, optimal)),
            _ => config.known_returns()?,
        };
        let place = self.label();
        let Some((random, optimal)) = known else {
            let remedy = format!(
                "its row may say them (returns), or a file that --config names: `[[tasks]]`, and below it `env = {:?}`, \
                 `random_return = …` and `optimal_return = …`, which become the scores 0 and 1",
                self.env
            );
            return Err(Error::Config(format!(
                "{place}: what a random and the best policy earn is not known: {remedy}"
            )));
        };
        let random = self.random_return.unwrap_or(random);
        let optimal = self.optimal_return.unwrap_or(optimal);
        if !(random.is_finite() && optimal.is_finite() && random < optimal) {
            let got = format!("random_return = {}, optimal_return = {}", shown(random), shown(optimal));
            return Err(Error::Config(format!("{place}: {got} is impossible: the optimum must be the larger one")));
        }
        Ok(Scale::new(random, optimal)?)
    }

    /// An environment with nothing special about it.
    #[must_use]
    pub fn new(env: &str) -> Self {
        Self {
            env: env.into(),
            name: None,
            random_return: None,
            optimal_return: None,
            max_episode_steps: None,
            settings: toml::Table::new(),
            algo_settings: BTreeMap::new(),
        }
    }

    /// An environment by its name, with arguments or without, or a grid world by its file.
    ///
    /// # Errors
    /// As [`Config::env_settings`].
    pub fn of(env: &str, catalogue: &Catalogue) -> Result<Self> {
        let word = Config::env_settings(env, catalogue)?.remove("env");
        let mut task = Self::new(word.as_ref().and_then(toml::Value::as_str).unwrap_or_default());
        task.take_name();
        Ok(task)
    }

    /// Calls it by the environment's argument `id`, if it says one and nothing else is said.
    fn take_name(&mut self) {
        let env = Wrapped::from(self.env.as_str());
        if self.name.is_none() && env.word.arg("id").is_some() {
            self.name = Some(env.shown());
        }
    }

    /// Makes `env` the word of a grid world where `settle` finds one: in its file, or in the settings, where earlier versions
    /// had it.
    pub(super) fn settle(&mut self, settle: impl FnOnce(&mut toml::Table) -> Result<()>) -> Result<()> {
        let said = self.settings.remove("env");
        self.settings.insert("env".into(), self.env.as_str().into());
        settle(&mut self.settings)?;
        if let Some(toml::Value::String(env)) = self.settings.remove("env") {
            self.env = env;
        }
        self.settings.extend(said.map(|said| ("env".into(), said)));
        self.take_name();
        Ok(())
    }

    /// What tables call it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.env)
    }
}
