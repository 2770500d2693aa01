//! The keys of a file, each taken to its place.

use serde_json::{Map, Value};
use uphill_envs::quoted;

use super::{Reading, config_error, python};
use crate::words::Kind;
use crate::{Catalogue, Config, Error, Result, algo, names};

/// The keys of a mapping that nobody has taken yet.
pub(super) struct Keys {
    left: Map<String, Value>,
    /// What messages say before a key: where it stands.
    within: &'static str,
}

impl Keys {
    /// Without those that are said to be nothing: `null`, or Python's `None`.
    pub(super) fn new(mut left: Map<String, Value>, within: &'static str) -> Self {
        left.retain(|_, value| !value.is_null() && *value != "None");
        Self { left, within }
    }

    /// The mapping that a value is, which may be a Python literal.
    ///
    /// # Errors
    /// [`Error::Config`] where it is none.
    pub(super) fn of(value: Value, within: &'static str) -> Result<Self> {
        let value = match &value {
            Value::String(text) => python::value(text)?,
            _ => value,
        };
        match value {
            Value::Object(left) => Ok(Self::new(left, within)),
            other => {
                let (name, other) = (within.trim_end_matches('.'), quoted(&other.to_string()));
                config_error(format!("{name} = {other} is impossible: it must be a dict"))
            }
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.left.remove(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    /// How messages name a key.
    pub(super) fn shown(&self, key: &str) -> String {
        format!("{}{}", self.within, quoted(key))
    }

    pub(super) fn wrong(&self, key: &str, value: &Value, expected: &str) -> Error {
        let value = quoted(&value.to_string());
        Error::Config(format!("{} = {value} is impossible: it must be {expected}", self.shown(key)))
    }

    /// What makes another run of it where it is left out.
    pub(super) fn refuse(&mut self, key: &str, is_nothing: impl Fn(&Value) -> bool, why: &str) -> Result<()> {
        match self.take(key) {
            Some(value) if !is_nothing(&value) => {
                let value = quoted(&value.to_string());
                config_error(format!("{} = {value} has no place here: {why}", self.shown(key)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn number(&mut self, key: &str) -> Result<Option<f64>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        number(&value).map(Some).ok_or_else(|| self.wrong(key, &value, "a number"))
    }

    pub(super) fn count(&mut self, key: &str) -> Result<Option<i64>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        count(&value).map(Some).ok_or_else(|| self.wrong(key, &value, "a whole number"))
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        flag(&value).map(Some).ok_or_else(|| self.wrong(key, &value, "true or false"))
    }

    pub(super) fn word(&mut self, key: &str) -> Result<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(word)) => Ok(Some(word)),
            Some(value) => Err(self.wrong(key, &value, "a word")),
        }
    }

    /// Takes keys to settings, or arguments of the algorithm, that mean the same by another name.
    pub(super) fn same(&mut self, keys: &[&str], row: &algo::Row, reading: &mut Reading) -> Result<()> {
        let example = Config::for_algo(row.name)?.all()?;
        let settings = Config::SETTINGS.iter().map(|(name, _)| *name);
        let known: Vec<&str> = settings.chain(row.params.iter().map(|param| param.name)).collect();
        for key in keys {
            let Some(ours) = names::same(key, &known).map(|meant| meant.name) else { continue };
            let is_count = row.param(ours).is_some_and(|param| matches!(param.kind, Kind::Count(..)));
            let value = match example.get(ours) {
                _ if is_count => self.count(key)?.map(toml::Value::from),
                Some(toml::Value::Integer(_)) => self.count(key)?.map(toml::Value::from),
                Some(toml::Value::Boolean(_)) => self.flag(key)?.map(toml::Value::from),
                _ => self.number(key)?.map(toml::Value::from),
            };
            if let Some(value) = value {
                reading.set(ours, value);
            }
        }
        Ok(())
    }

    /// Leaves out what is left of keys that change nothing of what is learnt, and refuses all others.
    pub(super) fn finish(
        self,
        idle: &[(&str, &str)],
        known: &[&str],
        whose: &str,
        reading: &mut Reading,
    ) -> Result<()> {
        for key in self.left.keys() {
            let Some((_, why)) = idle.iter().find(|(name, _)| name == key) else {
                let meant = uphill_envs::nearest(key, known.iter().copied());
                let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
                return config_error(format!("{whose} has no `{}`{meant}", self.shown(key)));
            };
            let why = if why.is_empty() { names::absent(key).unwrap_or_default() } else { why };
            reading.leave_out(self.shown(key), why);
        }
        Ok(())
    }
}

/// A number, be it a text: YAML of Python takes `1e-4` for one.
pub(super) fn number(value: &Value) -> Option<f64> {
    let of_text = || value.as_str()?.replace('_', "").parse().ok().filter(|x: &f64| x.is_finite());
    value.as_f64().or_else(of_text)
}

/// A whole number, also as `1e6` has it.
pub(super) fn count(value: &Value) -> Option<i64> {
    let whole = |x: &f64| x.fract() == 0.0 && x.abs() < 9e15;
    value.as_i64().or_else(|| number(value).filter(whole).map(|x| x as i64))
}

/// A switch; YAML 1.1, as Python reads it, has more words for it.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) => match word.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The algorithm's row.
pub(super) fn row<'a>(name: &str, catalogue: &'a Catalogue) -> Result<&'a algo::Row> {
    catalogue.algo(name)
}
