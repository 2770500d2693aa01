//! What is in the gallery: the rows of its `gallery.toml`.

use std::path::Path;

use serde::Deserialize;
use uphill::{Catalogue, Config, Error, Result};

/// A policy of the gallery.
pub(crate) struct Row {
    /// The name of the environment's row.
    pub(crate) env: String,
    pub(crate) config: Config,
    /// The return that counts as having learnt where the environment says none.
    pub(crate) learnt_at: Option<LearntAt>,
}

/// A return, and whose figure it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearntAt {
    pub(crate) mean: f64,
    pub(crate) of: String,
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
    let wrong = |e: toml::de::Error| Error::Config(format!("learnt_at: {e}"));
    let learnt_at = own.remove("learnt_at").map(toml::Value::try_into).transpose().map_err(wrong)?;
    let mut table = match own.remove("settings") {
        Some(toml::Value::String(file)) => Config::read_toml(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?,
        Some(other) => return Err(Error::Config(format!("settings = {other}: it must be the name of a file"))),
        None => toml::Table::new(),
    };
    table.extend(own);
    table.entry("seed").or_insert(SEED.into());
    // It changes no result.
    table.insert("threads".into(), 1.into());
    let config = Config::from_table(table)?;
    Ok(Row { env: config.env.word.name.clone(), config, learnt_at })
}
