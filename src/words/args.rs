//! The arguments of a word, each checked against its row.

use serde::de::DeserializeOwned;
use uphill_envs::{counted, quoted};

use super::{Param, Row, Value, Word, value};
use crate::names;
use crate::{Error, Result};

/// What a word says, checked against its row, and for the rest what is set, else the row's own defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Args {
    row: &'static str,
    values: Vec<(&'static str, Value)>,
}

/// What an argument is where the word does not say it; `None` leaves it to the row.
pub(crate) type Settings<'a> = &'a dyn Fn(&Param) -> Option<Value>;

impl Args {
    /// The arguments that a word gives to its row.
    ///
    /// # Errors
    /// [`Error::Config`] for an argument that the row does not have, with the one that was meant, for one given twice, for
    /// one without a default that is not given, and for an impossible value, with what would be possible.
    pub fn new<M>(row: &Row<M>, word: &Word) -> Result<Self> {
        Self::within(row, word, &|_| None)
    }

    /// The same where settings stand around the word.
    pub(crate) fn within<M>(row: &Row<M>, word: &Word, settings: Settings<'_>) -> Result<Self> {
        let given = bind(row, word)?;
        let mut values = Vec::new();
        for param in row.params {
            let said = given.iter().find(|(known, _)| known.name == param.name).map(|(_, value)| (*value).clone());
            let (value, place) = match (said, settings(param)) {
                (Some(value), _) => (value, format!("{}: ", row.name)),
                (None, Some(value)) => (value, String::new()),
                (None, None) if param.default.is_empty() => {
                    let (row, name) = (row.signature(), param.name);
                    return Err(Error::Config(format!("{} needs {name}, {}: {row}", word.name, param.meaning)));
                }
                (None, None) => (value(param.default)?, format!("{}: ", row.name)),
            };
            param.check(&place, &value)?;
            values.push((param.name, param.kind.canonical(value)));
        }
        Ok(Self { row: row.name, values })
    }

    /// The name of the row.
    #[must_use]
    pub fn row(&self) -> &'static str {
        self.row
    }

    /// What an argument was said to be.
    ///
    /// # Errors
    /// [`Error::Config`] if the row has no such argument; likewise in all others.
    pub fn value(&self, name: &str) -> Result<&Value> {
        let found = self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        found.ok_or_else(|| self.absent(name))
    }

    fn absent(&self, name: &str) -> Error {
        Error::Config(format!("the row of {} has no such argument: {name}", self.row))
    }

    fn get<T>(&self, name: &str, of: impl Fn(&Value) -> Option<T>) -> Result<T> {
        of(self.value(name)?).ok_or_else(|| self.absent(name))
    }

    /// A number.
    ///
    /// # Errors
    /// [`Error::Config`] if the row has no such argument; likewise in all others.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.get(name, Value::number)
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn count(&self, name: &str) -> Result<usize> {
        Ok(self.number(name)? as usize)
    }

    /// Whole numbers.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn counts(&self, name: &str) -> Result<Vec<usize>> {
        self.get(name, Value::counts)
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn flag(&self, name: &str) -> Result<bool> {
        self.get(name, |value| value.word().map(|word| word == "true"))
    }

    /// The variant of a `T` that one of an argument's words is called.
    ///
    /// # Errors
    /// As [`Args::number`], or for a word that no variant is called.
    pub fn choice<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = toml::Value::from(self.text(name)?);
        value.try_into().map_err(|e: toml::de::Error| Error::Config(format!("{}: {name}: {}", self.row, e.message())))
    }

    /// One of an argument's words, or text.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn text(&self, name: &str) -> Result<String> {
        self.get(name, Value::text)
    }

    /// Texts.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        self.get(name, Value::texts)
    }

    /// A whole number, or `None` where `inf` says that there is no limit.
    ///
    /// # Errors
    /// As [`Args::number`].
    pub fn limit(&self, name: &str) -> Result<Option<u64>> {
        self.number(name).map(|limit| limit.is_finite().then_some(limit as u64))
    }

    /// Every argument by its name, said or not, in the order of the row.
    pub(crate) fn values(&self) -> &[(&'static str, Value)] {
        &self.values
    }
}

/// The arguments of a word with those of the row that they are, by name or, before all others, by place.
pub(crate) fn bind<'a, M>(row: &Row<M>, word: &'a Word) -> Result<Vec<(&'static Param, &'a Value)>> {
    let wrong = |problem: String| Err(Error::Config(problem));
    let mut given: Vec<(&Param, &Value)> = Vec::new();
    for (place, (key, value)) in word.args.iter().enumerate() {
        let by_place = word.args[..place].iter().all(|(key, _)| key.is_none());
        let param = match key {
            None if by_place && place >= row.params.len() => {
                let most = counted(row.params.len(), "argument");
                return wrong(match row.params.is_empty() {
                    true => format!("{} takes no arguments", row.name),
                    false => format!("{} takes {most} at most: {}", row.name, row.signature()),
                });
            }
            None if by_place => &row.params[place],
            None => {
                let value = quoted(&value.to_string());
                return wrong(format!(
                    "{}: {value} needs its argument's name before it: {}",
                    row.name,
                    row.signature()
                ));
            }
            Some(key) => row.param(key).ok_or_else(|| no_argument(row, key))?,
        };
        if given.iter().any(|(known, _)| known.name == param.name) {
            return wrong(format!("{}: {} is given twice", row.name, param.name));
        }
        given.push((param, value));
    }
    Ok(given)
}

/// What is said of an argument that a row does not have.
fn no_argument<M>(row: &Row<M>, name: &str) -> Error {
    let known: Vec<&str> = row.params.iter().map(|param| param.name).collect();
    let name = &*quoted(name);
    let absent = names::absent(name).filter(|why| !why.is_empty());
    let hint = match (names::meant(name, &known), absent) {
        (Some(meant), _) => {
            let end = if meant.but.is_empty() { "" } else { ";" };
            format!("; {}{end} {}", meant.question(names::in_code), row.signature())
        }
        (None, Some(why)) => format!(": {why}"),
        (None, None) if known.is_empty() => ": it takes none".into(),
        (None, None) => format!(": {}", row.signature()),
    };
    Error::Config(format!("{} has no argument `{name}`{hint}", row.name))
}
