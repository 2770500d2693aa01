//! A setting where only a row's own arguments may stand.

use super::{OF_ALGOS, OF_MODELS};
use crate::names::listed;
use crate::words::{Param, Word, Wrapped};
use crate::{Catalogue, Config, Error, Result};

/// A setting among the arguments of a row that has no such argument.
#[derive(Debug)]
pub(crate) struct Misplaced {
    row: String,
    /// The setting.
    pub(crate) name: String,
    /// The rows that have it, where none of the run has.
    of_others: Vec<&'static str>,
}

impl Misplaced {
    /// The first among these words of settings.
    pub(crate) fn of(words: &[(&str, &Word)], catalogue: &Catalogue) -> Option<Self> {
        let has = |params: &[Param], name: &str| params.iter().any(|param| param.name == name);
        let mut said = words.iter().flat_map(|(setting, word)| {
            let params = catalogue.params(setting, word);
            let names = word.args.iter().filter_map(|(name, _)| name.as_deref());
            names.map(move |name| (&word.name, params, name)).filter(|(_, params, _)| params.is_some())
        });
        let (row, _, name) =
            said.find(|(_, params, name)| Config::is_setting(name) && !has(params.unwrap_or_default(), name))?;
        let is_of_run =
            words.iter().any(|(setting, word)| has(catalogue.params(setting, word).unwrap_or_default(), name));
        let algos = catalogue.algos().iter().map(|row| (row.name, row.params)).filter(|_| OF_ALGOS.contains(&name));
        let models = catalogue.models().iter().map(|row| (row.name, row.params)).filter(|_| OF_MODELS.contains(&name));
        let having = algos.chain(models).filter(|(_, params)| !is_of_run && has(params, name)).map(|(row, _)| row);
        Some(Self { row: row.clone(), name: name.into(), of_others: having.collect() })
    }

    /// The first among the words in a table of settings, over the defaults.
    ///
    /// # Errors
    /// [`Error::Config`] for what is no word.
    pub(crate) fn in_table(table: &toml::Table, catalogue: &Catalogue) -> Result<Option<Self>> {
        let base = Config::base();
        let words = [
            ("env", &base.env.word),
            ("model", &base.model),
            ("distribution", &base.distribution),
            ("algo", &base.algo),
        ]
        .map(|(name, default)| match table.get(name) {
            Some(value) => Wrapped::from_toml(name, value).map(|wrapped| (name, wrapped.word)),
            None => Ok((name, default.clone())),
        });
        let words = words.into_iter().collect::<Result<Vec<_>>>()?;
        let words: Vec<(&str, &Word)> = words.iter().map(|(name, word)| (*name, word)).collect();
        Ok(Self::of(&words, catalogue))
    }

    /// What is said of it where `how` says how a setting is set.
    pub(crate) fn error(&self, how: impl FnOnce(&str) -> String) -> Error {
        let Self { row, name, of_others } = self;
        if !of_others.is_empty() {
            let others = listed(of_others);
            let problem = format!("{row} has no argument `{name}`: it is an argument of {others}");
            return Error::Config(format!("{problem}; leave it out, or choose what has it"));
        }
        let optimizer = if name == "lr" { ", or an argument of the optimizer, such as adam(lr=…)" } else { "" };
        Error::Config(format!("{row} has no argument `{name}`: {}{optimizer}", how(name)))
    }
}
