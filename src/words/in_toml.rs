//! Words as TOML has them: text, tables with a name, arrays of those.

use serde::{Deserialize, Deserializer, de};
use uphill_envs::shown;

use super::{Spec, Value, Word, Wrapped, parse};
use crate::{Error, Result, settings};

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// What errors call it.
    name: &'a str,
    /// Whether texts in an array are the links of a chain, as in an optimizer, or stay what they are, as the rows of a map.
    has_chains: bool,
}

const OPTIMIZER: Place<'static> = Place { name: "optimizer", has_chains: true };

impl Word {
    /// As [`Word::parse`], from TOML: text, or a table with a name.
    ///
    /// # Errors
    /// As [`Word::parse`].
    pub fn from_toml(setting: &str, value: &toml::Value) -> Result<Self> {
        match value {
            toml::Value::String(text) => Self::parse(setting, text),
            toml::Value::Table(table) => {
                let Some(toml::Value::String(word)) = table.get("name") else { return Err(no_word(setting, value)) };
                let argument = |(key, value): (&String, &toml::Value)| {
                    parse::check_name(setting, key)?;
                    Ok((Some(key.clone()), Value::said(&format!("{word}: {key}"), value)?))
                };
                let args = table.iter().filter(|(key, _)| *key != "name").map(argument);
                Ok(Self { name: word.clone(), args: args.collect::<Result<_>>()? })
            }
            _ => Err(no_word(setting, value)),
        }
    }
}

const A_WORD: &str = "it must be a name in quotes, or a table with a name";

fn no_word(setting: &str, value: &toml::Value) -> Error {
    Error::Config(format!("{setting} = {} is impossible: {A_WORD}", settings::shown(value)))
}

impl Value {
    /// What TOML says, as an argument.
    ///
    /// # Errors
    /// [`Error::Config`] for what no argument can be.
    pub fn from_toml(value: &toml::Value) -> Result<Self> {
        Self::said("value", value)
    }

    /// The same as the value of what has this name.
    pub(crate) fn said(name: &str, value: &toml::Value) -> Result<Self> {
        argument(Place { name, has_chains: false }, value, 0)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            // Whether there may be such a name, whoever has it says.
            toml::Value::String(name) if !name.contains('(') => Ok(Self { name, args: Vec::new() }),
            value @ (toml::Value::String(_) | toml::Value::Table(_)) => {
                Self::from_toml("name", &value).map_err(de::Error::custom)
            }
            _ => Err(de::Error::custom(A_WORD)),
        }
    }
}

/// The text of a word, from that or a table with a name.
///
/// # Errors
/// What the deserializer fails with, and for what is neither.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    word_in(&toml::Value::deserialize(deserializer)?)
}

/// The texts of words in an array.
///
/// # Errors
/// As [`text`].
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Array(words) => words.iter().map(word_in).collect(),
        _ => Err(de::Error::custom("it must be names in brackets, such as [\"ppo\", \"a2c\"]")),
    }
}

fn word_in<E: de::Error>(value: &toml::Value) -> Result<String, E> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Array(words) if !words.is_empty() => {
            Wrapped::from_toml("word", value).map(|words| words.to_string()).map_err(E::custom)
        }
        toml::Value::Table(word) if word.get("name").is_some_and(toml::Value::is_str) => {
            Word::from_toml("word", value).map(|word| word.to_string()).map_err(E::custom)
        }
        _ => Err(E::custom(A_WORD)),
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(&toml::Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl TryFrom<&toml::Value> for Spec {
    type Error = Error;

    fn try_from(value: &toml::Value) -> Result<Self> {
        chain(OPTIMIZER, value, 0)
    }
}

/// A chain: text, a table with a name, or an array of those.
fn chain(place: Place<'_>, value: &toml::Value, depth: usize) -> Result<Spec> {
    let wrong = || {
        let expected = match place.has_chains {
            true => {
                "it must be text in quotes, a table with a name, an array of those, or a table of blocks' names and those"
            }
            false => "it must be a number, text in quotes, numbers or texts in brackets, or a table of numbers",
        };
        Error::Config(format!("{} = {} is impossible: {expected}", place.name, settings::shown(value)))
    };
    parse::check_depth(place.name, depth)?;
    match value {
        toml::Value::String(text) => parse::spec(place.name, text),
        toml::Value::Array(links) if place.has_chains && !links.is_empty() => {
            let links = links.iter().map(|link| chain(place, link, depth + 1));
            Ok(Spec(links.collect::<Result<Vec<Spec>>>()?.into_iter().flat_map(|spec| spec.0).collect()))
        }
        toml::Value::Table(table) => {
            if place.has_chains && !table.contains_key("name") {
                return parts(place, table, depth).unwrap_or_else(|| Err(wrong()));
            }
            let Some(toml::Value::String(name)) = table.get("name") else { return Err(wrong()) };
            parse::check_name(place.name, name)?;
            let argument = |(key, value): (&String, &toml::Value)| {
                parse::check_name(place.name, key)?;
                Ok((Some(key.clone()), argument(place, value, depth + 1)?))
            };
            let args = table.iter().filter(|(key, _)| *key != "name").map(argument);
            Ok(Spec(vec![Word { name: name.clone(), args: args.collect::<Result<_>>()? }]))
        }
        _ => Err(wrong()),
    }
}

/// Parts of the parameters, by the patterns of their names, each with an optimizer of its own; `None` for another table.
fn parts(place: Place<'_>, table: &toml::Table, depth: usize) -> Option<Result<Spec>> {
    if table.is_empty() || table.values().any(|chain| chain.is_integer() || chain.is_float() || chain.is_bool()) {
        return None;
    }
    // A table has no order, and the first pattern that means a block takes it: the narrower goes first.
    let mut parts: Vec<_> = table.iter().collect();
    parts.sort_by_key(|(blocks, _)| (blocks.contains('*'), std::cmp::Reverse(blocks.len())));
    let pair = |(blocks, optimizer): (&String, &toml::Value)| {
        let blocks = parse::text(place.name, blocks.clone())?;
        Ok([(None, blocks), (None, Value::Spec(chain(place, optimizer, depth + 1)?))])
    };
    let pairs = parts.into_iter().map(pair).collect::<Result<Vec<_>>>();
    let args = |pairs: Vec<[_; 2]>| pairs.into_iter().flatten().collect();
    Some(pairs.map(|pairs| Spec(vec![Word { name: "partition".into(), args: args(pairs) }])))
}

/// An argument of a word.
fn argument(place: Place<'_>, value: &toml::Value, depth: usize) -> Result<Value> {
    let number = |item: &toml::Value| item.as_float().or(item.as_integer().map(|x| x as f64));
    let is_number = |item: &toml::Value| number(item).is_some();
    Ok(match value {
        toml::Value::Float(x) => Value::Number(*x),
        toml::Value::Integer(x) => Value::Number(*x as f64),
        toml::Value::Boolean(x) => Value::Spec(Spec(vec![Word::new(if *x { "true" } else { "false" })])),
        toml::Value::String(text) => match parse::spec(place.name, text) {
            // Blanks around it may be meant, as those that are floor on a map.
            Ok(spec) if place.has_chains || (spec.0.len() == 1 && text.trim() == text) => Value::Spec(spec),
            // No name: a pattern such as `actor.*`, or a row of a map.
            _ => parse::text(place.name, text.clone())?,
        },
        toml::Value::Array(items) if items.iter().all(is_number) => {
            Value::List(items.iter().filter_map(number).collect())
        }
        toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
            match chain(place, value, depth).ok().filter(|_| place.has_chains) {
                Some(spec) => Value::Spec(spec),
                None => {
                    parse::texts(place.name, items.iter().filter_map(|item| item.as_str().map(Into::into)).collect())?
                }
            }
        }
        toml::Value::Table(pairs) if pairs.values().all(is_number) => {
            let texts = pairs.iter().filter_map(|(name, x)| Some(format!("{name}={}", shown(number(x)?))));
            parse::texts(place.name, texts.collect())?
        }
        other => Value::Spec(chain(place, other, depth)?),
    })
}
