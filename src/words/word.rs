//! Words and chains of them as text: `ppo(n_epochs=10)`, `clip_by_global_norm(0.5) | adam(lr = cosine(3e-4, 0))`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::parse;
use crate::{Error, Result};

/// A chain of words as text. What they mean to an optimizer is in a [`Registry`](crate::optim::Registry).
///
/// ```text
///   chain := word ("|" word)*                    value := number | "text" | [number, …] | ["text", …] | chain
///   word  := name [ "(" argument, … ")" ]        argument := [ name "=" ] value
/// ```
///
/// Arguments without a name come first, in the order of the table. A number may be a schedule, `lr = cosine(3e-4, 0)`.
/// In TOML it is that text, or a table `{ name = "adam", lr = 1e-3 }`, or an array of such words.
///
/// ```
/// use uphill::words::Spec;
/// let spec: Spec = "clip_by_global_norm(.5)|adam( lr=cosine(3e-4,0) )".parse()?;
/// assert_eq!(spec.to_string(), "clip_by_global_norm(0.5) | adam(lr=cosine(3e-4, 0))");
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Spec(pub Vec<Word>);

/// A word and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
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
    /// Numbers in brackets.
    List(Vec<f64>),
    /// Texts in brackets; none of them holds both kinds of quotation marks.
    Texts(Vec<String>),
    /// One link or more: a chain, a schedule, or, where it is one name alone, a word.
    Spec(Spec),
}

impl Spec {
    /// One word with arguments that are numbers.
    #[must_use]
    pub fn link(name: &str, args: &[(&str, f64)]) -> Self {
        let args = args.iter().map(|(name, x)| (Some((*name).to_string()), Value::Number(*x)));
        Self(vec![Word { name: name.into(), args: args.collect() }])
    }

    /// A short name that any file system takes: letters, digits, `_`, `.` and `-`; a long text becomes its beginning and
    /// a number that stands for all of it, and one with other signs than a word's own is followed by that number.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(&self.to_string())
    }
}

/// A short name that any file system takes, as [`Spec::file_name`].
pub(crate) fn file_name(text: &str) -> String {
    const LONGEST: usize = 48;
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    // What stands between the names and numbers of a word; of texts, such as a map's rows, every sign counts.
    let is_between = |c: char| matches!(c, '(' | ')' | '[' | ']' | '=' | ',' | '|' | '/');
    let is_told = text.replace(", ", ",").replace(" | ", "|").chars().all(|c| is_safe(c) || is_between(c));
    let safe = text.split(|c: char| !is_safe(c));
    let mut safe = safe.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    if is_told && safe.len() <= LONGEST {
        return safe;
    }
    safe.truncate(LONGEST - 9);
    format!("{safe}-{}", digest(text))
}

/// Eight hexadecimal digits that stand for a text: FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub(crate) fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

impl Word {
    /// A name without arguments, whatever characters it has.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), args: Vec::new() }
    }

    /// A word that the setting of that name is: unlike in a chain, its name may have any characters but parentheses.
    ///
    /// # Errors
    /// [`Error::Config`] for what is no word, with the column.
    pub fn parse(setting: &str, text: &str) -> Result<Self> {
        parse::word(setting, text)
    }

    /// The name of what it makes: what its argument `id` says, if it says one, else its own.
    #[must_use]
    pub fn id(&self) -> String {
        self.arg("id").and_then(Value::text).unwrap_or_else(|| self.name.clone())
    }

    /// What people are shown for it: what its argument `id` says, if it says one, else all of it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.arg("id").and_then(Value::text).unwrap_or_else(|| self.to_string())
    }

    /// A name that any file system takes: its own where it has no arguments, else as [`Spec::file_name`].
    #[must_use]
    pub fn file_name(&self) -> String {
        if self.args.is_empty() { self.name.clone() } else { Spec(vec![self.clone()]).file_name() }
    }

    /// The argument of that name, if it says it.
    #[must_use]
    pub fn arg(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|(key, _)| key.as_deref() == Some(name)).map(|(_, value)| value)
    }

    /// The same with another value of an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        match self.args.iter_mut().find(|(key, _)| key.as_deref() == Some(name)) {
            Some((_, known)) => *known = value,
            None => self.args.push((Some(name.into()), value)),
        }
        self
    }
}

impl From<&str> for Word {
    /// The word that a text is, with its arguments; what is none is a name, and refused where that is looked for.
    fn from(text: &str) -> Self {
        Self::parse("word", text).unwrap_or_else(|_| Self::new(text))
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl PartialEq<str> for Word {
    /// Whether it is this name, whatever its arguments.
    fn eq(&self, name: &str) -> bool {
        self.name == name
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, name: &&str) -> bool {
        self.name == *name
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.name.contains(['(', ')']) {
            false => serializer.collect_str(self),
            // Its text would be read as another word.
            true => BTreeMap::from([("name", &self.name)]).serialize(serializer),
        }
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

    /// As TOML; a number is whole where the one that it is `like` is.
    pub(crate) fn to_toml(&self, like: Option<&toml::Value>) -> toml::Value {
        let whole = |x: f64| x.fract() == 0.0 && x.abs() < 2f64.powi(53);
        match self {
            Value::Number(x) if matches!(like, Some(toml::Value::Integer(_))) && whole(*x) => (*x as i64).into(),
            Value::Number(x) => (*x).into(),
            Value::List(items) => items
                .iter()
                .map(|x| if whole(*x) { toml::Value::from(*x as i64) } else { (*x).into() })
                .collect::<Vec<_>>()
                .into(),
            Value::Texts(texts) => texts.iter().cloned().map(toml::Value::from).collect::<Vec<_>>().into(),
            other => match other.word() {
                Some("true") => true.into(),
                Some("false") => false.into(),
                _ => other.text().unwrap_or_else(|| other.to_string()).into(),
            },
        }
    }

    /// A number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if let Value::Number(x) = self { Some(*x) } else { None }
    }

    /// Whole numbers in brackets.
    pub(crate) fn counts(&self) -> Option<Vec<usize>> {
        if let Value::List(numbers) = self { Some(numbers.iter().map(|&x| x as usize).collect()) } else { None }
    }

    /// Text, in quotes or a single name.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text.clone()),
            other => other.word().map(Into::into),
        }
    }

    /// Texts: those in brackets, none in empty ones, the lines of a single one, the names of a chain.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        match self {
            Value::Texts(texts) => Some(texts.clone()),
            Value::List(numbers) if numbers.is_empty() => Some(Vec::new()),
            Value::Text(text) => Some(text.lines().map(Into::into).collect()),
            Value::Spec(Spec(names)) if names.iter().all(|name| name.args.is_empty()) => {
                Some(names.iter().map(|name| name.name.clone()).collect())
            }
            _ => None,
        }
    }
}

impl FromStr for Spec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse::spec("optimizer", text)
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

impl fmt::Display for Word {
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
            Value::Text(text) => f.write_str(&in_quotes(text)),
            Value::List(numbers) => {
                write!(f, "[{}]", numbers.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", "))
            }
            Value::Texts(texts) => {
                write!(f, "[{}]", texts.iter().map(|text| in_quotes(text)).collect::<Vec<_>>().join(", "))
            }
            Value::Spec(spec) => spec.fmt(f),
        }
    }
}

/// Text in the kind of quotation marks that it does not hold.
fn in_quotes(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
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
