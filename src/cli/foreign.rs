//! Files of settings that were written for other programs, read by what their keys mean there.
//!
//! Hyperparameters of rl-baselines3-zoo have an environment for each key at the top; files of one level are the arguments of
//! CleanRL's scripts, or in capitals those of PureJaxRL's. What such a file does not say is what its program has by default,
//! so that the run is that program's and not ours with a few of its numbers.

mod keys;
mod network;
mod python;
mod scripts;
#[cfg(test)]
mod tests;
mod text;
mod zoo;

use std::path::Path;

use serde_json::{Map, Value};

use crate::envs::Space;
use crate::screen;
use crate::words::{Word, Wrapped};
use crate::{Catalogue, Config, Error, Result};

/// What the command line says that a reader has to know.
pub(super) struct Asked {
    /// The algorithm's name.
    pub(super) algo: Option<String>,
    /// The environment, with its arguments.
    pub(super) env: Option<Wrapped>,
    /// Whether it says how long to train.
    pub(super) steps: bool,
}

impl Asked {
    /// Of the flags `--algo` and `--env`, as far as they name rows.
    pub(super) fn of(algo: Option<&String>, env: Option<&String>, steps: bool, catalogue: &Catalogue) -> Result<Self> {
        let algo = algo.map(|text| Word::parse("algo", text)).transpose()?.map(|word| word.name);
        let env = env.map(|text| Config::env_settings(text, catalogue)).transpose()?;
        let env = env.and_then(|table| table.get("env").map(|value| Wrapped::from_toml("env", value))).transpose()?;
        Ok(Self { algo, env, steps })
    }
}

/// What was read: settings of ours, and what a reader should be told of them.
#[derive(Debug)]
pub(super) struct Foreign {
    /// Settings.
    pub(super) table: toml::Table,
    /// Lines.
    pub(super) notes: Vec<String>,
}

/// The file as settings of ours; `None` where it is ours already.
///
/// # Errors
/// [`Error::File`] for what cannot be read, and [`Error::Config`] for what is no such file, for a key that is nobody's, and for
/// one without which it would be another algorithm or another task.
pub(super) fn read(path: &Path, asked: &Asked, catalogue: &Catalogue) -> Result<Option<Foreign>> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    if ending.as_deref() == Some("py") {
        let remedy = "write its arguments to a file of YAML or JSON, such as args.yml with env_id: CartPole-v1";
        return Err(Error::File { path: path.into(), problem: format!("it is a program, and no settings: {remedy}") });
    }
    let is_toml = !matches!(ending.as_deref(), Some("yml" | "yaml" | "json"));
    let root = match is_toml {
        false => text::yaml(path)?,
        true => match serde_json::to_value(Config::read_toml(path)?) {
            // A table of ours has neither.
            Ok(Value::Object(root)) if scripts::is_theirs(&root) => root,
            _ => return Ok(None),
        },
    };
    let mut reading = Reading::new(path);
    // An environment without a key is none of a script's.
    let is_zoo = !scripts::is_theirs(&root) && root.values().all(|value| value.is_object() || value.is_null());
    if !is_toml && is_zoo {
        zoo::read(path, root, asked, catalogue, &mut reading)?;
    } else {
        scripts::read(root, asked, catalogue, &mut reading)?;
    }
    reading.finish(catalogue).map(Some)
}

/// A file on its way to settings.
struct Reading {
    file: String,
    table: toml::Table,
    /// Whose file it is, and what of.
    of: String,
    /// Keys without a place, each with why.
    absent: Vec<(String, String)>,
    /// Keys that mean nearly the same here, each with what is different.
    nearly: Vec<(&'static str, &'static str)>,
}

impl Reading {
    fn new(path: &Path) -> Self {
        let name = path.file_name().map_or(path, Path::new);
        Self {
            file: screen::path(name),
            table: toml::Table::new(),
            of: String::new(),
            absent: Vec::new(),
            nearly: Vec::new(),
        }
    }

    fn set(&mut self, name: &str, value: impl Into<toml::Value>) {
        self.table.insert(name.into(), value.into());
    }

    fn leave_out(&mut self, key: impl Into<String>, why: impl Into<String>) {
        self.absent.push((key.into(), why.into()));
    }

    /// Without what changes nothing here: defaults of another program are no mistakes.
    fn finish(mut self, catalogue: &Catalogue) -> Result<Foreign> {
        let config = Config::read(self.table.clone(), catalogue, true)?;
        self.table.retain(|name, _| config.without_effect(name).is_none());
        if config.normalize_observation || config.normalize_reward {
            let what = "they stand still while a rollout is played, and there move with each step";
            self.nearly.push(("scales of observations and rewards", what));
        }
        let Self { file, table, of, absent, nearly } = self;
        let listed = |keys: Vec<(String, String)>| {
            let shown = keys.into_iter().map(|(key, why)| format!("{key} ({why})"));
            shown.collect::<Vec<_>>().join(", ")
        };
        let mut notes = vec![format!("{file}: {of}")];
        if !absent.is_empty() {
            notes.push(format!("{file}: without a place here: {}", listed(absent)));
        }
        if !nearly.is_empty() {
            let nearly = nearly.into_iter().map(|(key, what)| (key.into(), what.into())).collect();
            notes.push(format!("{file}: not quite the same here: {}", listed(nearly)));
        }
        Ok(Foreign { table, notes })
    }
}

impl Asked {
    /// The name of the environment, which the line says or else the file.
    fn name_or(&self, of_file: Option<String>) -> Option<String> {
        self.env.as_ref().map(|env| env.word.name.clone()).or(of_file)
    }

    /// Whether actions of the environment of that name are numbers, and no choices.
    fn has_numbers_as_actions(&self, name: &str, catalogue: &Catalogue) -> Result<bool> {
        let env = self.env.clone().unwrap_or_else(|| name.into());
        let config = Config { env, ..Config::for_algo_with("ppo", catalogue)? };
        Ok(matches!(config.make_envs(1)?.spec().action, Space::Box { .. }))
    }
}

fn config_error<T>(problem: String) -> Result<T> {
    Err(Error::Config(problem))
}

/// The keys of a mapping, which are none where nothing is said.
fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}
