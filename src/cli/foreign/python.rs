//! What a Python literal says, as hyperparameters have one as text: `dict(net_arch=[64, 64], activation_fn=nn.Tanh)`.

use serde_json::{Map, Value};
use uphill_envs::quoted;

use crate::{Error, Result};

/// How deep brackets may go.
const DEEPEST: usize = 32;

/// A number, a text, `True`, `False`, `None`, a list, a tuple, a `dict` in either form, or a name, which is a text: nothing is
/// ever run.
///
/// # Errors
/// [`Error::Config`] for anything else, with where it begins.
pub(super) fn value(text: &str) -> Result<Value> {
    let mut parser = Parser { text, rest: text, depth: 0 };
    let value = parser.value()?;
    parser.skip();
    if parser.rest.is_empty() { Ok(value) } else { parser.expected("nothing more") }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: char) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let (text, there) = (quoted(self.text), quoted(self.rest));
        let there = if there.is_empty() { "at its end".into() } else { format!("at `{there}`") };
        Err(Error::Config(format!("`{text}` is no Python literal: expected {what} {there}")))
    }

    fn value(&mut self) -> Result<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error::Config(format!("a Python literal with brackets more than {DEEPEST} deep")));
        }
        self.skip();
        let value = match self.rest.chars().next() {
            Some('[') => self.items('[', ']').map(Value::Array),
            Some('(') => self.items('(', ')').map(Value::Array),
            Some('{') => self.entries('{', '}', ':'),
            Some('\'' | '"') => self.text().map(Value::String),
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(),
            _ => self.expected("a value"),
        };
        self.depth -= 1;
        value
    }

    fn items(&mut self, open: char, close: char) -> Result<Vec<Value>> {
        self.eat(open);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value()?);
            if !self.eat(',') && !self.rest.starts_with(close) {
                return self.expected(&format!("`,` or `{close}`"));
            }
        }
        Ok(items)
    }

    /// `{'a': 1}`, or what is in the parentheses of `dict(a=1)`.
    fn entries(&mut self, open: char, close: char, between: char) -> Result<Value> {
        self.eat(open);
        let mut entries = Map::new();
        while !self.eat(close) {
            let Value::String(key) = self.key(between)? else { return self.expected("a key that is text") };
            if !self.eat(between) {
                return self.expected(&format!("`{between}`"));
            }
            let value = self.value()?;
            if entries.contains_key(&key) {
                return Err(Error::Config(format!("`{}` has {} twice", quoted(self.text), quoted(&key))));
            }
            entries.insert(key, value);
            if !self.eat(',') && !self.rest.starts_with(close) {
                return self.expected(&format!("`,` or `{close}`"));
            }
        }
        Ok(Value::Object(entries))
    }

    fn key(&mut self, between: char) -> Result<Value> {
        if between == ':' {
            return self.value();
        }
        self.skip();
        Ok(Value::String(self.word().into()))
    }

    fn text(&mut self) -> Result<String> {
        let quote = self.rest.chars().next().unwrap_or_default();
        let inner = &self.rest[1..];
        match inner.find([quote, '\\']) {
            Some(end) if inner[end..].starts_with(quote) => {
                self.rest = &inner[end + 1..];
                Ok(inner[..end].into())
            }
            _ => self.expected("a text without `\\`"),
        }
    }

    fn take(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'a str {
        self.take(|c| c.is_alphanumeric() || c == '_')
    }

    fn number(&mut self) -> Result<Value> {
        let before = self.rest;
        let digits = self.take(|c| c.is_ascii_alphanumeric() || "+-._".contains(c)).replace('_', "");
        let whole = digits.parse::<i64>().ok().map(Value::from);
        let number = || digits.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::from);
        whole.or_else(number).map_or_else(
            || {
                self.rest = before;
                self.expected("a number")
            },
            Ok,
        )
    }

    /// `True`, `dict(…)`, or a name such as `nn.Tanh`.
    fn name(&mut self) -> Result<Value> {
        let name = self.take(|c| c.is_alphanumeric() || c == '_' || c == '.');
        self.skip();
        match name {
            "True" => Ok(true.into()),
            "False" => Ok(false.into()),
            "None" => Ok(Value::Null),
            "dict" if self.rest.starts_with('(') => self.entries('(', ')', '='),
            _ if self.rest.starts_with('(') => self.expected("no call but that of dict"),
            _ => Ok(name.into()),
        }
    }
}
