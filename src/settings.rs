//! Settings as TOML: read and laid over defaults, with messages of one line that name the setting or the place.

use serde::de::DeserializeOwned;

use uphill_envs::quoted;

use crate::{Error, Result};

/// The most words of a message of another crate's.
const LONGEST: usize = 80;

/// The longest text of settings, in bytes: the largest map there may be fits into it, whatever its shape.
pub(crate) const MAX_BYTES: u64 = 1 << 23;

/// Settings as they are about to be written, which can be read again.
///
/// # Errors
/// [`Error::Config`] for more than [`MAX_BYTES`].
pub(crate) fn readable(text: String) -> Result<String> {
    match text.len() as u64 {
        ..=MAX_BYTES => Ok(text),
        more => Err(Error::Config(format!(
            "the settings would fill {more} bytes, more than the {MAX_BYTES} that are read again: take smaller maps, or fewer"
        ))),
    }
}

/// A text as a table.
///
/// # Errors
/// [`Error::Config`] with line and column, counted from 1, what was expected there, and that line; or for more than
/// [`MAX_BYTES`].
pub(crate) fn parse(text: &str) -> Result<toml::Table> {
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::Config(format!(
            "{} bytes are more than the {MAX_BYTES} that settings may have",
            text.len()
        )));
    }
    text.parse().map_err(|e: toml::de::Error| {
        let (place, there) = place(text, &e);
        Error::Config(format!("not TOML at {place}: {}: `{there}`", flat(e.message())))
    })
}

/// A text as a `T`.
///
/// # Errors
/// As [`parse`], and for a key that a `T` has not or a value that it cannot have.
pub(crate) fn typed<T: DeserializeOwned>(text: &str) -> Result<T> {
    parse(text)?;
    toml::from_str(text).map_err(|e| {
        let (place, there) = place(text, &e);
        Error::Config(format!("{place}: `{there}`: {}", plain(&flat(e.message()))))
    })
}

/// Where in a text an error is, and the line there.
fn place(text: &str, e: &toml::de::Error) -> (String, String) {
    let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count());
    let there = quoted(text.lines().nth(line).unwrap_or_default().trim());
    (format!("line {}, column {}", line + 1, column + 1), there)
}

/// What serde says of a value or a key, in the terms of a file and not of a type.
fn plain(message: &str) -> String {
    let parts = |start: &str| message.strip_prefix(start)?.split_once(", expected ");
    let in_code = |text: &str| text.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>();
    for (start, what) in [("unknown field ", "key"), ("unknown variant ", "word")] {
        if let Some((name, known)) = parts(start) {
            let known = in_code(known);
            return Error::unknown(what, name.trim_matches('`'), known.iter().map(String::as_str)).to_string();
        }
    }
    if let Some((got, expected)) = parts("invalid type: ").or(parts("invalid value: ")) {
        let expected = match expected {
            "a string" => "text in quotes",
            "a sequence" => "a list in brackets",
            "a boolean" => "true or false",
            "a map" => "a table",
            "f32" | "f64" => "a number",
            "u32" | "u64" | "usize" => "a whole number, 0 or more",
            expected if expected.starts_with("struct ") => "a table",
            expected => expected,
        };
        return format!("it must be {expected}, and not {got}");
    }
    match message.strip_prefix("missing field ") {
        Some(name) => format!("the key {name} is missing"),
        None => message.into(),
    }
}

/// Settings over the defaults of a `T`, whose every key is known.
///
/// # Errors
/// [`Error::Config`] naming the first setting whose value a `T` cannot have.
pub(crate) fn over<T: DeserializeOwned>(mut defaults: toml::Table, settings: toml::Table) -> Result<toml::Table> {
    for (name, value) in settings {
        let mut trial = defaults.clone();
        trial.insert(name.clone(), value.clone());
        trial.try_into::<T>().map_err(|e| impossible(&name, &value, defaults.get(&name), &e))?;
        defaults.insert(name, value);
    }
    Ok(defaults)
}

/// What is said of a value that cannot be read, in the terms of a file and not of a type.
fn impossible(name: &str, value: &toml::Value, default: Option<&toml::Value>, e: &toml::de::Error) -> Error {
    use toml::Value::{Array, Boolean, Float, Integer, String};
    let is_quoted_number = value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    let own: std::string::String;
    let expected = match default {
        // What says itself what it must be.
        _ if e.message().starts_with("it must be") && is_quoted_number => {
            own = format!("{}, without quotes", e.message());
            &own
        }
        _ if e.message().starts_with("it must be") => e.message(),
        Some(Integer(_)) if value.is_float() => "it must be a whole number, written without a point or an exponent",
        Some(Integer(_)) => "it must be a whole number, 0 or more",
        Some(Float(_)) if is_quoted_number => "it must be a number, without quotes",
        Some(Float(_)) => "it must be a number",
        Some(Boolean(_)) => "it must be true or false",
        Some(Array(items)) if items.is_empty() => {
            own = plain(e.message());
            &own
        }
        Some(Array(_)) => "it must be whole numbers in brackets, such as [64, 64]",
        Some(String(_)) if !value.is_str() => "it must be text in quotes",
        // Of serde's "unknown variant `gelu`, expected one of `tanh`, …" what is not said already.
        _ => match e.message().split_once(", ") {
            Some((unknown, expected)) if unknown.starts_with("unknown variant") => expected,
            _ => e.message(),
        },
    };
    Error::Config(format!("{} = {} is impossible: {}", quoted(name), shown(value), flat(expected)))
}

/// A value as a message shows it.
pub(crate) fn shown(value: &toml::Value) -> String {
    quoted(&flat(&text_of(value)))
}

/// Down to the setting that differs: `tuning.trials was 7 and is 9`.
pub(crate) fn first_difference(place: &str, before: Option<&toml::Value>, after: Option<&toml::Value>) -> String {
    if let (Some(toml::Value::Table(before)), Some(toml::Value::Table(after))) = (before, after) {
        let differs = before.keys().chain(after.keys()).find(|key| before.get(*key) != after.get(*key));
        if let Some(key) = differs {
            return first_difference(&format!("{place}.{key}"), before.get(key), after.get(key));
        }
    }
    let text = |value: Option<&toml::Value>| value.map_or("not there".to_string(), shown);
    format!("{place} was {} and is {}", text(before), text(after))
}

/// A value as TOML, its numbers in as few characters as tell them apart.
fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(x) => uphill_envs::shown(*x),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(text_of).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) if !table.is_empty() => {
            let rows: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", text_of(value))).collect();
            format!("{{ {} }}", rows.join(", "))
        }
        other => other.to_string(),
    }
}

/// On one line, and without what a terminal would obey, since some messages quote what was read.
fn flat(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().take(LONGEST).map(quoted).collect();
    words.join(" ")
}
