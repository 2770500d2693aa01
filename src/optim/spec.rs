//! An optimizer as text: `clip_by_global_norm(0.5) | adam(lr = cosine(3e-4, 0))`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uphill_envs::quoted;

use super::parse;
use crate::{Error, Result};

/// A chain of links as text. What its words mean is in a [`Registry`](super::Registry).
///
/// ```text
///   chain := link ("|" link)*                    value := number | "text" | chain
///   link  := name [ "(" argument, … ")" ]        argument := [ name "=" ] value
/// ```
///
/// Arguments without a name come first, in the order of the table. A number may be a schedule, `lr = cosine(3e-4, 0)`.
/// In TOML it is that text, or a table `{ name = "adam", lr = 1e-3 }`, or an array of such links.
///
/// ```
/// use uphill::optim::Spec;
/// let spec: Spec = "clip_by_global_norm(.5)|adam( lr=cosine(3e-4,0) )".parse()?;
/// assert_eq!(spec.to_string(), "clip_by_global_norm(0.5) | adam(lr=cosine(3e-4, 0))");
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Spec(pub Vec<Link>);

/// A word and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The word.
    pub name: String,
    /// Its arguments, with the names that were given.
    pub args: Vec<(Option<String>, Value)>,
}

/// What an argument was said to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// Text in quotes; it never holds both kinds of them.
    Text(String),
    /// One link or more: a chain, a schedule, or, where it is one name alone, a word.
    Spec(Spec),
}

impl Spec {
    /// One word with arguments that are numbers.
    #[must_use]
    pub fn link(name: &str, args: &[(&str, f64)]) -> Self {
        let args = args.iter().map(|(name, x)| (Some((*name).to_string()), Value::Number(*x)));
        Self(vec![Link { name: name.into(), args: args.collect() }])
    }

    /// A short name that any file system takes: letters, digits, `_`, `.` and `-`; a long text becomes its beginning and
    /// a number that stands for all of it.
    #[must_use]
    pub fn file_name(&self) -> String {
        const LONGEST: usize = 48;
        let text = self.to_string();
        let safe = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')));
        let safe = safe.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        if safe.len() <= LONGEST {
            return safe;
        }
        // FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>.
        let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("{}-{hash:08x}", &safe[..LONGEST - 9])
    }
}

impl Value {
    /// A value that is a single name.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        match self {
            Value::Spec(Spec(links)) if links.len() == 1 && links[0].args.is_empty() => Some(&links[0].name),
            _ => None,
        }
    }
}

impl FromStr for Spec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse::spec(text)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, link) in self.0.iter().enumerate() {
            write!(f, "{}{link}", if i == 0 { "" } else { " | " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (i, (name, value)) in self.args.iter().enumerate() {
            f.write_str(if i == 0 { "(" } else { ", " })?;
            if let Some(name) = name {
                write!(f, "{name}=")?;
            }
            write!(f, "{value}")?;
        }
        f.write_str(if self.args.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(x) => f.write_str(&number(*x)),
            Value::Text(text) if text.contains('"') => write!(f, "'{text}'"),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Spec(spec) => spec.fmt(f),
        }
    }
}

/// A number as people write it, and as it is read back: `0.001`, `2.5e-4`, `1e9`, `inf`, `nan`.
fn number(x: f64) -> String {
    match x.abs() {
        a if a.is_nan() => "nan".into(),
        a if a != 0.0 && a.is_finite() && !(1e-3..1e6).contains(&a) => format!("{x:e}"),
        _ => x.to_string(),
    }
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Value::deserialize(deserializer)?.try_into_spec(0).map_err(de::Error::custom)
    }
}

impl TryFrom<&toml::Value> for Spec {
    type Error = Error;

    fn try_from(value: &toml::Value) -> Result<Self> {
        value.clone().try_into_spec(0)
    }
}

trait IntoSpec {
    fn try_into_spec(self, depth: usize) -> Result<Spec>;
    fn try_into_value(self, depth: usize) -> Result<Value>;
}

impl IntoSpec for toml::Value {
    fn try_into_spec(self, depth: usize) -> Result<Spec> {
        let wrong = |found: &toml::Value| {
            let expected = "it must be text in quotes, a table with a name, or an array of those";
            Error::Config(format!("optimizer = {} is impossible: {expected}", quoted(&found.to_string())))
        };
        parse::check_depth(depth)?;
        match self {
            toml::Value::String(text) => text.parse(),
            toml::Value::Array(links) if !links.is_empty() => {
                let links = links.into_iter().map(|link| link.try_into_spec(depth + 1));
                Ok(Spec(links.collect::<Result<Vec<Spec>>>()?.into_iter().flat_map(|spec| spec.0).collect()))
            }
            toml::Value::Table(mut table) => match table.remove("name") {
                Some(toml::Value::String(name)) => {
                    parse::check_name(&name)?;
                    let argument = |(name, value): (String, toml::Value)| {
                        parse::check_name(&name)?;
                        Ok((Some(name), value.try_into_value(depth + 1)?))
                    };
                    Ok(Spec(vec![Link { name, args: table.into_iter().map(argument).collect::<Result<_>>()? }]))
                }
                _ => Err(wrong(&toml::Value::Table(table))),
            },
            other => Err(wrong(&other)),
        }
    }

    fn try_into_value(self, depth: usize) -> Result<Value> {
        Ok(match self {
            toml::Value::Float(x) => Value::Number(x),
            toml::Value::Integer(x) => Value::Number(x as f64),
            toml::Value::Boolean(x) => Value::Spec(parse::spec(if x { "true" } else { "false" })?),
            toml::Value::String(text) => match parse::spec(&text) {
                Ok(spec) => Value::Spec(spec),
                // No name and no chain of names: a pattern such as `actor.*`.
                Err(_) => parse::text(text)?,
            },
            other => Value::Spec(other.try_into_spec(depth)?),
        })
    }
}
