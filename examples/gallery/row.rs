//! What is in the gallery: the rows of its `gallery.toml`.

use std::path::Path;

use uphill::{Catalogue, Config, Error, Result};

/// A policy of the gallery.
pub(crate) struct Row {
    /// The name of the environment's row.
    pub(crate) env: String,
    pub(crate) config: Config,
    /// What the page says where the best return is not known exactly.
    pub(crate) beside: Option<String>,
    /// What there is to be said of it.
    pub(crate) note: Option<String>,
}

impl Row {
    /// Its folder's name.
    pub(crate) fn folder(&self) -> String {
        self.env.replace('/', "-")
    }
}

/// The seed where a row has no other.
const SEED: i64 = 101;

/// The rows of a file, one for each registered environment.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>> {
    let problem = |problem: String| Error::File { path: path.into(), problem };
    let mut table = Config::read_toml(path)?;
    let Some(toml::Value::Array(policies)) = table.remove("policy") else {
        return Err(problem("there is no [[policy]]".into()));
    };
    let mut rows = Vec::new();
    for (i, policy) in (1..).zip(policies) {
        let toml::Value::Table(own) = policy else { return Err(problem(format!("policy {i} is no table"))) };
        rows.push(row(own).map_err(|e| problem(format!("policy {i}: {e}")))?);
    }
    for env in Catalogue::default().envs() {
        let count = rows.iter().filter(|row| row.env == env.name).count();
        if count != 1 {
            return Err(problem(format!("{} has {count} policies: give it a [[policy]], and no other", env.name)));
        }
    }
    Ok(rows)
}

/// A row: settings over those of the file that `settings` names.
fn row(mut own: toml::Table) -> Result<Row> {
    let mut text = |name: &str| match own.remove(name) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Error::Config(format!("{name} = {other} is no text"))),
    };
    let (settings, beside, note) = (text("settings")?, text("beside")?, text("note")?);
    let mut table = match settings {
        Some(settings) => Config::read_toml(&Path::new(env!("CARGO_MANIFEST_DIR")).join(settings))?,
        None => toml::Table::new(),
    };
    table.extend(own);
    table.entry("seed").or_insert(SEED.into());
    // It changes no result.
    table.insert("threads".into(), 1.into());
    let config = Config::from_table(table)?;
    Ok(Row { env: config.env.word.name.clone(), config, beside, note })
}
