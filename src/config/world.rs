//! An environment by what a user calls it: a name, or the file of a grid world, which stands for its word.

use std::path::Path;

use uphill_envs::Spec;

use crate::words::{self, Value, Word, Wrapped};
use crate::{Catalogue, Config, Error, Result, catalogue, settings};

/// The table in which files of earlier versions have a grid world of one's own, beside an `env` that is its name.
const TABLE: &str = "gridworld";

impl Config {
    /// The setting `env`, from what stands after `--env`: a name of the catalogue's, with its arguments or without, else a
    /// file with the options of a grid world, and wrappers. The options become arguments, so that the configuration is complete.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] for a file that is no grid world's or cannot be read, [`Error::Config`] for what is
    /// neither a name nor a file.
    pub fn env_settings(text: &str, catalogue: &Catalogue) -> Result<toml::Table> {
        let said = |text: String| Ok(toml::Table::from_iter([("env".into(), text.into())]));
        if let Some(env) = in_file(text, Path::new(""), catalogue)? {
            return said(env.to_string());
        }
        let word = Wrapped::parse("env", text)?.word;
        let Err(unknown) = catalogue.env(&word.name) else { return said(text.into()) };
        let (text, unknown) = (&word.name, unknown.to_string());
        let neither = format!("no environment is called `{text}`, and there is no file of that name");
        // Who names one as its own library does.
        let whole = catalogue.families().iter().map(|family| format!("{}{text}", family.prefix));
        if let Some(whole) = whole.into_iter().find(|name| catalogue.env(name).is_ok()) {
            return Err(Error::Config(format!("{neither}; did you mean `{whole}`?")));
        }
        Err(Error::Config(unknown.replacen(&format!("no environment is called `{text}`"), &neither, 1)))
    }

    /// Puts the word of a grid world into a table of settings whose `env` is the file of one, looked for in the folder
    /// `beside`: that of the file which the settings are from. The same for the table `gridworld`, in which earlier versions
    /// had it. Any other `env` stays as it is.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] for a file that is not there, is no grid world's or cannot be read,
    /// [`Error::Config`] for such a table that is no grid world's.
    pub fn settle_env(table: &mut toml::Table, beside: &Path, catalogue: &Catalogue) -> Result<()> {
        if table.contains_key(TABLE) {
            return settle(table);
        }
        let text = match table.get("env") {
            Some(toml::Value::String(text)) => text.clone(),
            Some(value @ toml::Value::Array(_)) => Wrapped::from_toml("env", value)?.to_string(),
            _ => return Ok(()),
        };
        if let Some(env) = in_file(&text, beside, catalogue)? {
            table.insert("env".into(), env.to_string().into());
        }
        Ok(())
    }

    /// The same configuration in the environment that [`Config::env_settings`] finds.
    ///
    /// # Errors
    /// As [`Config::env_settings`].
    pub fn in_env(self, text: &str) -> Result<Self> {
        let mut table = self.all()?;
        table.extend(Self::env_settings(text, &self.catalogue)?);
        Self::typed(table, self.catalogue)
    }
}

/// The world of a file, looked for in the folder `beside`, and what is around it; `None` where no file is meant.
fn in_file(text: &str, beside: &Path, catalogue: &Catalogue) -> Result<Option<Wrapped>> {
    if Wrapped::parse("env", text).is_ok_and(|env| catalogue.env(&env.word.name).is_ok()) {
        return Ok(None);
    }
    // A file's name may have any characters.
    let at = text.find('|').filter(|_| !beside.join(text).exists()).unwrap_or(text.len());
    let path = beside.join(text[..at].trim_end());
    let world = || Wrapped { word: of_file(&path)?, wrappers: words::wrappers("env", text, at)? }.checked("env");
    is_file(&path).then(world).transpose()
}

/// Whether a file is meant, be it there or not.
fn is_file(path: &Path) -> bool {
    path.exists() || path.extension().is_some_and(|ending| ending == "toml")
}

/// The word of a file's world, which has the file's name where it does not say its own.
fn of_file(path: &Path) -> Result<Word> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| Spec::check_id(stem).is_ok());
    let mut world = Config::read_toml(path)?;
    if let Some(stem) = stem.filter(|_| !world.contains_key("id")) {
        world.insert("id".into(), stem.into());
    }
    word(world).map_err(|e| Error::File { path: path.into(), problem: e.to_string() })
}

/// Writes the table of earlier versions, if there is one, as the setting `env`, which may have been said beside it and is
/// its name then.
pub(crate) fn settle(table: &mut toml::Table) -> Result<()> {
    let Some(world) = table.remove(TABLE) else { return Ok(()) };
    let toml::Value::Table(mut world) = world else {
        let other = settings::shown(&world);
        return Err(Error::Config(format!("{TABLE} = {other} is impossible: it must be a table")));
    };
    if let Some(name) = table.remove("env") {
        world.insert("id".into(), name);
    }
    table.insert("env".into(), word(world)?.to_string().into());
    Ok(())
}

/// The word of a grid world, from its options by their names; what each may be the row says.
fn word(mut world: toml::Table) -> Result<Word> {
    let row = catalogue::GRID_WORLD;
    let names = || row.params.iter().map(|param| param.name);
    if world.get("name").and_then(toml::Value::as_str) == Some(row.name) {
        // As in a file of settings.
        world.remove("name");
    }
    if let Some(name) = world.keys().find(|name| row.param(name).is_none()) {
        if Config::is_setting(name) {
            let problem = format!("`{name}` is a setting, and this the file of a grid world");
            return Err(Error::Config(format!("{problem}: give --config a file of settings, or --env a world's map")));
        }
        return Err(Error::unknown("option of a grid world", name, names()));
    }
    if !world.contains_key("map") {
        return Err(Error::Config(
            "the grid world has no map, its one key without a default: map = [\"S.\", \".G\"]".into(),
        ));
    }
    if let Some(toml::Value::String(shown)) = world.get_mut("observation") {
        // As earlier versions wrote it.
        *shown = shown.replace('-', "_");
    }
    let said = names().filter_map(|name| Some((name, world.get(name)?)));
    let args =
        said.map(|(name, value)| Ok((Some(name.to_string()), Value::said(&format!("{}: {name}", row.name), value)?)));
    catalogue::grid_world(&Word { name: row.name.into(), args: args.collect::<Result<_>>()? })
}
