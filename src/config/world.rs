//! An environment by what a user calls it: a registered name, or the file of a grid world.

use std::path::Path;

use uphill_envs::Spec;

use crate::words::Word;
use crate::{Catalogue, Config, Error, Result};

impl Config {
    /// The settings `env` and, for a grid world of one's own, `gridworld`, from what stands after `--env`: a name of the
    /// catalogue's, with its arguments or without, else a file with the options of a grid world. The options become part of the configuration, so that it is complete.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] for a file that is no grid world's or cannot be read, [`Error::Config`] for what is
    /// neither a name nor a file.
    pub fn env_settings(text: &str, catalogue: &Catalogue) -> Result<toml::Table> {
        let path = Path::new(text);
        let said = || Ok(toml::Table::from_iter([("env".into(), text.into())]));
        if catalogue.env(text).is_ok() {
            return said();
        }
        if is_file(path) {
            return world(path);
        }
        let word = Word::parse("env", text)?;
        let Err(unknown) = catalogue.env(&word.name) else { return said() };
        let (text, unknown) = (&word.name, unknown.to_string());
        let neither = format!("no environment is called `{text}`, and there is no file of that name");
        Err(Error::Config(unknown.replacen(&format!("no environment is called `{text}`"), &neither, 1)))
    }

    /// Puts the world into a table of settings whose `env` is the file of one, looked for in the folder `beside`: that of
    /// the file which the settings are from. A table that has a `gridworld` stays as it is, and so does one whose `env` is
    /// another name.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] for a file that is not there, is no grid world's or cannot be read.
    pub fn settle_env(table: &mut toml::Table, beside: &Path, catalogue: &Catalogue) -> Result<()> {
        let Some(text) = table.get("env").and_then(toml::Value::as_str) else { return Ok(()) };
        let path = beside.join(text);
        if !table.contains_key("gridworld") && catalogue.env(text).is_err() && is_file(&path) {
            table.extend(world(&path)?);
        }
        Ok(())
    }

    /// The same configuration in the environment that [`Config::env_settings`] finds.
    ///
    /// # Errors
    /// As [`Config::env_settings`].
    pub fn in_env(self, text: &str) -> Result<Self> {
        let mut table = self.all()?;
        table.remove("gridworld");
        table.extend(Self::env_settings(text, &self.catalogue)?);
        Self::typed(table, self.catalogue)
    }
}

/// Whether a file is meant, be it there or not.
fn is_file(path: &Path) -> bool {
    path.exists() || path.extension().is_some_and(|ending| ending == "toml")
}

/// The world of a file, which has the file's name where it does not say its own.
fn world(path: &Path) -> Result<toml::Table> {
    let world = Config::read_toml(path)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| Spec::check_id(stem).is_ok());
    let own = world.get("id").and_then(toml::Value::as_str);
    let id = own.or(stem).unwrap_or("GridWorld").to_string();
    let settings = toml::Table::from_iter([("env".into(), id.into()), ("gridworld".into(), world.into())]);
    let made = Config::from_table(settings.clone()).and_then(|config| config.make_envs(1));
    made.map(|_| settings).map_err(|e| at(path, &e))
}

fn at(path: &Path, problem: &Error) -> Error {
    Error::File { path: path.into(), problem: problem.to_string() }
}
