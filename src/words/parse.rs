//! Text to words.

use uphill_envs::quoted;

use super::{Spec, Value, Word};
use crate::{Error, Result};

/// The deepest nesting of parentheses: far beyond any use, so that no text can exhaust the stack.
const DEEPEST: usize = 16;

/// The longest name.
const LONGEST_NAME: usize = 80;

/// A whole text that is a chain of words, which is what the setting of that name is.
pub(super) fn spec(setting: &str, text: &str) -> Result<Spec> {
    let mut parser = Parser { setting, text, at: 0 };
    let spec = parser.chain(0)?;
    parser.end("`|` or the end")?;
    Ok(spec)
}

/// A whole text that is one word, whose name may have any characters but parentheses.
pub(super) fn word(setting: &str, text: &str) -> Result<Word> {
    let mut parser = Parser { setting, text, at: 0 };
    let word = parser.word(&['('])?;
    parser.end("the end")?;
    Ok(word)
}

/// A whole text that is such a word and the words around it; their names may have any characters but parentheses and `|`.
pub(super) fn wrapped(setting: &str, text: &str) -> Result<(Word, Vec<Word>)> {
    let mut parser = Parser { setting, text, at: 0 };
    let word = parser.word(&['(', '|'])?;
    Ok((word, wrappers(setting, text, parser.at)?))
}

/// The words around what stands before this place of a text, up to its end.
pub(crate) fn wrappers(setting: &str, text: &str, at: usize) -> Result<Vec<Word>> {
    let mut parser = Parser { setting, text, at };
    let mut words = Vec::new();
    while parser.take('|') {
        words.push(parser.word(&['(', '|'])?);
    }
    parser.end("`|` or the end")?;
    Ok(words)
}

/// A value as a row's defaults and the command line have it.
pub(crate) fn value(text: &str) -> Result<Value> {
    let mut parser = Parser { setting: "value", text, at: 0 };
    let value = parser.value(0)?;
    parser.end("the end")?;
    Ok(value)
}

/// Text as it would stand in quotes.
pub(super) fn text(setting: &str, text: String) -> Result<Value> {
    check_text(setting, &text)?;
    Ok(Value::Text(text))
}

/// Texts as they would stand in quotes.
pub(super) fn texts(setting: &str, texts: Vec<String>) -> Result<Value> {
    texts.iter().try_for_each(|text| check_text(setting, text))?;
    Ok(Value::Texts(texts))
}

fn check_text(setting: &str, text: &str) -> Result<()> {
    match is_quotable(text) {
        true => Ok(()),
        false => Err(Error::Config(format!("{setting}: {} holds both kinds of quotation marks", quoted(text)))),
    }
}

/// Whether a text can stand in one kind of quotation marks.
pub(super) fn is_quotable(text: &str) -> bool {
    !(text.contains('"') && text.contains('\''))
}

pub(super) fn check_name(setting: &str, name: &str) -> Result<()> {
    if name.len() > LONGEST_NAME {
        return Err(Error::Config(format!(
            "{setting}: `{}` is no name: {LONGEST_NAME} letters make one at most",
            quoted(name)
        )));
    }
    let rest = name.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
    if name.is_empty() || rest.len() == name.len() || rest.contains(|c: char| !is_of_name(c)) || is_number_word(name) {
        return Err(Error::Config(format!("{setting}: `{}` is no name: letters, digits and _ make one", quoted(name))));
    }
    Ok(())
}

/// Whether it is a name that may stand anywhere in the language.
pub(crate) fn is_name(name: &str) -> bool {
    check_name("name", name).is_ok()
}

pub(super) fn check_depth(setting: &str, depth: usize) -> Result<()> {
    match depth <= DEEPEST {
        true => Ok(()),
        false => Err(Error::Config(format!("{setting}: more than {DEEPEST} chains within each other"))),
    }
}

/// Whether it is a number, for all that it is spelt in letters.
pub(super) fn is_number_word(word: &str) -> bool {
    matches!(word, "inf" | "nan")
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

struct Parser<'a> {
    /// What the text is a value of.
    setting: &'a str,
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a sign if it comes next.
    fn take(&mut self, sign: char) -> bool {
        self.space();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    /// Takes the characters that fit.
    fn while_in(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn expected(&self, what: &str) -> Error {
        let column = self.text[..self.at].chars().count() + 1;
        let found =
            self.rest().chars().next().map_or("the end".to_string(), |c| format!("`{}`", quoted(&c.to_string())));
        let (setting, text) = (self.setting, quoted(self.text));
        Error::Config(format!("{setting} = `{text}`: expected {what} at column {column}, found {found}"))
    }

    /// Fails unless nothing is left.
    fn end(&mut self, expected: &str) -> Result<()> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn chain(&mut self, depth: usize) -> Result<Spec> {
        check_depth(self.setting, depth)?;
        let mut links = vec![self.link(depth)?];
        while self.take('|') {
            links.push(self.link(depth)?);
        }
        Ok(Spec(links))
    }

    fn name(&mut self) -> Option<&'a str> {
        self.space();
        let starts = self.rest().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        starts.then(|| self.while_in(is_of_name))
    }

    /// A word whose name may have any characters but those that end it.
    fn word(&mut self, ends: &[char]) -> Result<Word> {
        self.space();
        let start = self.at;
        let name = self.while_in(|c| !ends.contains(&c)).trim().to_string();
        if name.is_empty() || name.starts_with(['"', '\'']) {
            self.at = start;
            return Err(self.expected(if name.is_empty() { "a name" } else { "a name without quotation marks" }));
        }
        Ok(Word { name, args: self.arguments(0)? })
    }

    fn link(&mut self, depth: usize) -> Result<Word> {
        self.space();
        let start = self.at;
        let Some(name) = self.name().filter(|name| !is_number_word(name)) else {
            self.at = start;
            return Err(self.expected("a name"));
        };
        check_name(self.setting, name)?;
        Ok(Word { name: name.into(), args: self.arguments(depth)? })
    }

    /// What stands in parentheses after a name, if they do.
    fn arguments(&mut self, depth: usize) -> Result<Vec<(Option<String>, Value)>> {
        let mut args = Vec::new();
        if self.take('(') && !self.take(')') {
            loop {
                args.push(self.argument(depth + 1)?);
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(self.expected("`,` or `)`"));
                }
            }
        }
        Ok(args)
    }

    /// Text in quotation marks, if that comes next.
    fn in_quotes(&mut self) -> Result<Option<String>> {
        for quote in ['"', '\''] {
            if self.take(quote) {
                let text = self.while_in(|c| c != quote);
                return if self.take(quote) {
                    Ok(Some(text.into()))
                } else {
                    Err(self.expected("the closing quotation mark"))
                };
            }
        }
        Ok(None)
    }

    /// Numbers or texts in brackets, after the first of these.
    fn list(&mut self) -> Result<Value> {
        let mut texts = Vec::new();
        while let Some(text) = self.in_quotes()? {
            texts.push(text);
            if self.take(']') {
                return Ok(Value::Texts(texts));
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
        if !texts.is_empty() {
            return Err(self.expected("text in quotes"));
        }
        let mut numbers = Vec::new();
        while !self.take(']') {
            if !numbers.is_empty() && !self.take(',') {
                return Err(self.expected("`,` or `]`"));
            }
            self.space();
            numbers.push(self.number()?);
        }
        Ok(Value::List(numbers))
    }

    fn number(&mut self) -> Result<f64> {
        let start = self.at;
        self.while_in(|c| is_of_name(c) || matches!(c, '.' | '+' | '-')).replace('_', "").parse().map_err(|_| {
            self.at = start;
            self.expected("a number")
        })
    }

    fn argument(&mut self, depth: usize) -> Result<(Option<String>, Value)> {
        let start = self.at;
        if let Some(name) = self.name()
            && self.take('=')
        {
            check_name(self.setting, name)?;
            return Ok((Some(name.into()), self.value(depth)?));
        }
        self.at = start;
        Ok((None, self.value(depth)?))
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.space();
        if let Some(text) = self.in_quotes()? {
            return Ok(Value::Text(text));
        }
        if self.take('[') {
            return self.list();
        }
        let start = self.at;
        let token = self.while_in(|c| is_of_name(c) || matches!(c, '.' | '+' | '-'));
        let is_number = token.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
        // Such as 8x8, which nothing else can be.
        let is_text = is_number && token.chars().all(is_of_name) && token.replace('_', "").parse::<f64>().is_err();
        if is_text && token.contains(|c: char| c.is_ascii_alphabetic()) {
            return Ok(Value::Text(token.into()));
        }
        self.at = start;
        match is_number || is_number_word(token) {
            true => self.number().map(Value::Number),
            false => Ok(Value::Spec(self.chain(depth)?)),
        }
    }
}
