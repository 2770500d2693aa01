//! Configurations as TOML: read over the defaults that they name, and written.

use std::path::Path;

use uphill_envs::{GridWorldConfig, quoted};

use crate::optim::{Registry, Spec};
use crate::{Config, Error, Result, names, settings, whole_file};

impl Config {
    /// Reads settings from TOML and puts them over the defaults of the algorithm and optimizer that they name.
    ///
    /// ```
    /// let config = uphill::Config::from_toml("algo = 'a2c'\nenvs = 16")?;
    /// assert_eq!((config.envs, config.n_steps), (16, 5));
    /// assert!(uphill::Config::from_toml("gama = 0.9").unwrap_err().to_string().contains("`gamma`"));
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for text that is not TOML, an unknown setting, or a value of the wrong type or out of range.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_table(Self::parse_toml(text)?)
    }

    /// A TOML text as a table that nothing has looked at yet: for settings that others are to be laid over before
    /// [`Config::from_table`] takes them.
    ///
    /// # Errors
    /// [`Error::Config`] with line, column and that line for text that is not TOML.
    pub fn parse_toml(text: &str) -> Result<toml::Table> {
        settings::parse(text)
    }

    /// A file of settings as such a table: the `config.toml` of a run, or a grid world.
    ///
    /// # Errors
    /// [`Error::File`] for a folder, for more than 1 MiB, and for what is not TOML; [`Error::Io`] if it cannot be read.
    pub fn read_toml(path: &Path) -> Result<toml::Table> {
        let wrong = |problem: String| Error::File { path: path.into(), problem };
        if path.is_dir() {
            return Err(wrong("this is a folder: give a file, such as the config.toml of a run".into()));
        }
        let bytes = whole_file::read(path, settings::MAX_BYTES).map_err(Error::io(path))?;
        let text = str::from_utf8(&bytes).map_err(|e| wrong(format!("not UTF-8 text: {e}")))?;
        Self::parse_toml(text).map_err(|e| wrong(e.to_string()))
    }

    /// As [`Config::from_toml`], from a table that is already parsed.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown setting, or a value of the wrong type or out of range.
    pub fn from_table(table: toml::Table) -> Result<Self> {
        Self::from_table_with(table, &Registry::default())
    }

    /// As [`Config::from_table`], for an optimizer that may have words of the user's own.
    ///
    /// # Errors
    /// As [`Config::from_table`].
    pub fn from_table_with(table: toml::Table, registry: &Registry) -> Result<Self> {
        let config = Self::read(table, registry)?;
        config.validate_with(registry)?;
        Ok(config)
    }

    /// As [`Config::from_table`], but whatever the optimizer is called: a policy can be used without it.
    pub(crate) fn of_policy(table: toml::Table) -> Result<Self> {
        let config = Self::read(table, &Registry::default())?;
        config.validate_settings()?;
        Ok(config)
    }

    fn read(mut table: toml::Table, registry: &Registry) -> Result<Self> {
        let algo = match table.get("algo") {
            None => "ppo",
            Some(toml::Value::String(name)) => name,
            Some(other) => {
                let other = settings::shown(other);
                return Err(Error::Config(format!("algo = {other} is impossible: it must be a name in quotes")));
            }
        };
        let mut defaults = Self::for_algo(algo)?;
        if let Some(optimizer) = table.remove("optimizer") {
            defaults = defaults.with_optimizer(Spec::try_from(&optimizer)?, registry);
        }
        share_name(&mut table);
        let known = defaults.to_table()?;
        for (name, value) in &table {
            match (name.as_str(), value) {
                ("gridworld", toml::Value::Table(world)) => check_world(world)?,
                ("gridworld", other) => {
                    let other = settings::shown(other);
                    return Err(Error::Config(format!("gridworld = {other} is impossible: it must be a table")));
                }
                (name, value) if !known.contains_key(name) => {
                    return Err(defaults.unknown_setting(name, value, registry));
                }
                _ => {}
            }
        }
        settings::over::<Self>(known, table)?.try_into().map_err(|e: toml::de::Error| Error::Config(e.to_string()))
    }

    /// What is said of a setting that there is not, next to the others.
    fn unknown_setting(&self, name: &str, value: &toml::Value, registry: &Registry) -> Error {
        let (name, said) = (&*quoted(name), settings::shown(value));
        let known: Vec<&str> = Self::SETTINGS.iter().map(|(name, _)| *name).chain(["gridworld"]).collect();
        let remedy = if let Some(row) = registry.recipe_of(&self.optimizer).filter(|row| row.param(name).is_some()) {
            format!(": it goes into the optimizer, {}({name}={said})", row.name)
        } else if let Some(meant) = names::meant(name, &known) {
            format!("; {}", meant.question(names::in_code))
        } else if let Some(why) = names::absent(name).filter(|why| !why.is_empty()) {
            format!(", nor what stands for it: {why}")
        } else if value.is_table() {
            format!("; there are no sections but [gridworld]: what is in [{name}] goes to the top of the file")
        } else if world_defaults().is_ok_and(|world| world.contains_key(name)) {
            ": it belongs to a grid world, under [gridworld] or in a file of its own for `env`".into()
        } else {
            format!("; there are {}", known.join(", "))
        };
        Error::Config(format!("there is no setting `{name}`{remedy}"))
    }

    /// All settings as a TOML table.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that TOML cannot hold (a seed of 2⁶³ or more).
    pub fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }

    /// All settings as TOML: [`Config::from_toml`] of it gives this configuration back.
    ///
    /// # Errors
    /// As [`Config::to_table`].
    pub fn to_toml(&self) -> Result<String> {
        // The writer would write any u64, the reader takes none from 2^63 on: the table refuses those.
        self.to_table()?;
        toml::to_string(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }
}

/// A world of one's own and `env` share a name: each takes the other's where it has none.
fn share_name(table: &mut toml::Table) {
    let env = table.get("env").cloned();
    let Some(toml::Value::Table(world)) = table.get_mut("gridworld") else { return };
    match (env, world.get("id").cloned()) {
        (Some(env), None) => drop(world.insert("id".into(), env)),
        (None, Some(id)) => drop(table.insert("env".into(), id)),
        (None, None) => drop(table.insert("env".into(), GridWorldConfig::default().id.into())),
        (Some(_), Some(_)) => {}
    }
}

fn world_defaults() -> Result<toml::Table> {
    toml::Table::try_from(GridWorldConfig::default()).map_err(|e| Error::Config(e.to_string()))
}

/// Checks the keys of a grid world and the types of their values; what they may be the world itself checks.
fn check_world(world: &toml::Table) -> Result<()> {
    let known = world_defaults()?;
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    if let Some(name) = world.keys().find(|name| !known.contains_key(*name)) {
        return Err(Error::unknown("option of a grid world", name, names.iter().copied()));
    }
    if !world.contains_key("map") {
        return Err(Error::Config("the grid world has no map, its one key without a default: map = \"S..G\"".into()));
    }
    settings::over::<GridWorldConfig>(known, world.clone()).map(|_| ())
}
