//! A word and the words around it: `Pendulum-v1 | action_repeat(4) | time_aware`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Spec, Value, Word, parse};
use crate::{Error, Result};

/// An environment's word and those of its wrappers, the innermost first.
///
/// ```text
///   wrapped := word ("|" word)*
/// ```
///
/// In TOML it is that text, a word alone as a table with a name, or an array of words: `["Pendulum-v1", { name =
/// "action_repeat", times = 4 }]`.
///
/// ```
/// use uphill::words::Wrapped;
/// let env = Wrapped::parse("env", "Pendulum-v1|action_repeat( 4 )|time_aware")?;
/// assert_eq!((env.word.name.as_str(), env.wrappers.len()), ("Pendulum-v1", 2));
/// assert_eq!(env.to_string(), "Pendulum-v1 | action_repeat(4) | time_aware");
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped {
    /// What is within.
    pub word: Word,
    /// What is around it, the innermost first.
    pub wrappers: Vec<Word>,
}

impl Wrapped {
    /// The most wrappers: far beyond any use, so that no text can exhaust the stack.
    pub const MOST: usize = 16;

    /// What the setting of that name is; names may have any characters but parentheses and `|`.
    ///
    /// # Errors
    /// [`Error::Config`] for what is none, with the column.
    pub fn parse(setting: &str, text: &str) -> Result<Self> {
        let (word, wrappers) = parse::wrapped(setting, text)?;
        Self { word, wrappers }.checked(setting)
    }

    /// The same, unless there are too many wrappers.
    pub(crate) fn checked(self, setting: &str) -> Result<Self> {
        match self.wrappers.len() {
            0..=Self::MOST => Ok(self),
            count => {
                let problem = format!("{count} wrappers are too many: {} at most", Self::MOST);
                Err(Error::Config(format!("{setting}: {problem}")))
            }
        }
    }

    /// As [`Wrapped::parse`], from TOML: text, a table with a name, or an array of those.
    ///
    /// # Errors
    /// As [`Wrapped::parse`].
    pub fn from_toml(setting: &str, value: &toml::Value) -> Result<Self> {
        match value {
            toml::Value::String(text) => Self::parse(setting, text),
            toml::Value::Array(items) if !items.is_empty() => {
                let each = items.iter().map(|item| match item {
                    toml::Value::Array(_) => Word::from_toml(setting, item).map(Self::from),
                    item => Self::from_toml(setting, item),
                });
                let mut words = each.collect::<Result<Vec<_>>>()?.into_iter().flat_map(Self::words);
                let empty = || Error::Config(format!("{setting} = [] is impossible: a name must come first"));
                Self { word: words.next().ok_or_else(empty)?, wrappers: words.collect() }.checked(setting)
            }
            other => Word::from_toml(setting, other).map(Self::from),
        }
    }

    /// Every word, that within first.
    fn words(self) -> impl Iterator<Item = Word> {
        std::iter::once(self.word).chain(self.wrappers)
    }

    /// The name of what the word within makes, as [`Word::id`].
    #[must_use]
    pub fn id(&self) -> String {
        self.word.id()
    }

    /// What people are shown for it: the word within as [`Word::shown`], and its wrappers.
    #[must_use]
    pub fn shown(&self) -> String {
        [self.word.shown()].into_iter().chain(self.wrappers.iter().map(Word::to_string)).collect::<Vec<_>>().join(" | ")
    }

    /// A name that any file system takes: that of the word within where it is alone, else as [`Spec::file_name`].
    #[must_use]
    pub fn file_name(&self) -> String {
        match self.wrappers.is_empty() {
            true => self.word.file_name(),
            false => Spec(self.clone().words().collect()).file_name(),
        }
    }

    /// The same with another value of an argument of the word within.
    #[must_use]
    pub fn with(self, name: &str, value: Value) -> Self {
        Self { word: self.word.with(name, value), ..self }
    }
}

impl From<Word> for Wrapped {
    fn from(word: Word) -> Self {
        Self { word, wrappers: Vec::new() }
    }
}

impl From<&str> for Wrapped {
    /// What a text is, with arguments and wrappers; what is none is a name, and refused where that is looked for.
    fn from(text: &str) -> Self {
        Self::parse("word", text).unwrap_or_else(|_| Word::new(text).into())
    }
}

impl From<String> for Wrapped {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.word.fmt(f)?;
        self.wrappers.iter().try_for_each(|wrapper| write!(f, " | {wrapper}"))
    }
}

impl Serialize for Wrapped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_plain = |word: &Word| !word.name.contains(['(', ')', '|']);
        match (is_plain(&self.word), self.wrappers.is_empty()) {
            (true, _) => serializer.collect_str(self),
            // Its text would be read as another's.
            (false, true) => BTreeMap::from([("name", &self.word.name)]).serialize(serializer),
            (false, false) => {
                let name = toml::Table::from_iter([("name".to_string(), self.word.name.as_str().into())]);
                let wrappers = self.wrappers.iter().map(|wrapper| wrapper.to_string().into());
                [toml::Value::from(name)].into_iter().chain(wrappers).collect::<Vec<_>>().serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            // Whether there may be such a name, whoever has it says.
            toml::Value::String(name) if !name.contains(['(', '|']) => Ok(Word { name, args: Vec::new() }.into()),
            value => Self::from_toml("name", &value).map_err(de::Error::custom),
        }
    }
}
