//! The arguments of a row: what each may be, what it is unless said, and what it means.

use std::fmt;

use uphill_envs::quoted;

use super::{Value, parse::is_quotable};
use crate::{Error, Result};

/// An argument.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is where a spec does not say, as a spec would say it; empty if a spec must say.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// What an argument may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A number, or a schedule of numbers.
    Number(Range),
    /// As [`Kind::Number`], but a learning rate that the setting `anneal_lr` lets be.
    Steady(Range),
    /// A number that cannot change over training.
    Fixed(Range),
    /// A whole number, from the first up to the second.
    Count(u64, u64),
    /// Any number of those, in brackets.
    Counts(u64, u64),
    /// The same from the second number up to the third, or this word.
    CountsOr(&'static str, u64, u64),
    /// A whole number, from 1 up to that, or `inf` for no limit.
    Limit(u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// Text, such as the name pattern `"actor.*"`.
    Text,
    /// Any number of texts, in brackets, or the lines of one.
    Texts,
    /// An optimizer or a part of one.
    Chain,
    /// A schedule.
    Schedule,
    /// Any number of pairs of arguments without names, after all others.
    Pairs(&'static Kind, &'static Kind),
}

/// Which numbers are possible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// `(−∞, ∞)`.
    Finite,
    /// `[0, ∞)`.
    NotNegative,
    /// `(0, ∞)`.
    Positive,
    /// `(0, ∞]`; infinity turns a limit off.
    Limit,
    /// `(1, ∞]`; infinity turns a limit off.
    LimitAboveOne,
    /// `(−∞, ∞]`; infinity is none.
    OrNone,
    /// `[0, 1]`.
    Share,
    /// `(0, 1]`.
    PositiveShare,
    /// `[0, 1)`.
    Decay,
    /// `[0, 1)`, a share of training where others count updates.
    ShareOfTraining,
}

impl Kind {
    /// Whether a value may be one of this kind, as far as that can be told without the words of optimizers; if not, what
    /// would be right.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let whole = |x: f64, least: u64, most: u64| x.fract() == 0.0 && (least as f64..=most as f64).contains(&x);
        let (fits, expected) = match (self, value) {
            (Kind::Fixed(range) | Kind::Number(range), Value::Number(x)) => (range.contains(*x), range.to_string()),
            (Kind::Fixed(_), _) => (false, "it must be a number, and cannot change over training".into()),
            (Kind::Count(least, most), value) => (
                value.number().is_some_and(|x| whole(x, *least, *most)),
                format!("it must be a whole number, from {least} to {most}"),
            ),
            (Kind::Counts(least, most), value) => (
                matches!(value, Value::List(items) if items.iter().all(|x| whole(*x, *least, *most))),
                format!("it must be whole numbers in brackets, each from {least} to {most}"),
            ),
            (Kind::CountsOr(word, ..), value) if value.word() == Some(word) => (true, String::new()),
            (Kind::CountsOr(word, least, most), value) => (
                Kind::Counts(*least, *most).check(value).is_ok(),
                format!("it must be whole numbers in brackets, each from {least} to {most}, or {word}"),
            ),
            (Kind::Limit(most), value) => (
                value.number().is_some_and(|x| x == f64::INFINITY || whole(x, 1, *most)),
                format!("it must be a whole number from 1 to {most}, or inf for none"),
            ),
            (Kind::Word(words), value) => {
                let quotes = if matches!(value, Value::Text(_)) { ", without quotes" } else { "" };
                let expected = format!("it must be {}{quotes}", words.join(" or "));
                (value.word().is_some_and(|word| words.contains(&word)), expected)
            }
            (Kind::Flag, value) => {
                (matches!(value.word(), Some("true" | "false")), "it must be true or false".to_string())
            }
            (Kind::Text, value) => (
                value.text().is_some_and(|text| is_quotable(&text)),
                "it must be text in quotes, which holds only one kind of them".into(),
            ),
            (Kind::Texts, value) => (
                value.texts().is_some_and(|texts| texts.iter().all(|text| is_quotable(text))),
                "it must be texts in brackets, each in quotes and with only one kind of them, such as [\"S.G\"]".into(),
            ),
            (Kind::Chain, value) => (matches!(value, Value::Spec(_)), "it must be an optimizer or a chain".into()),
            (Kind::Number(_) | Kind::Steady(_) | Kind::Schedule, value) => {
                (matches!(value, Value::Spec(_) | Value::Number(_)), "it must be a number or a schedule".into())
            }
            (Kind::Pairs(..), _) => (false, "pairs have no name".into()),
        };
        if fits { Ok(()) } else { Err(expected) }
    }
}

impl Kind {
    /// A value as one of its kind always is: TOML and the language have several ways to say the same text.
    pub(crate) fn canonical(&self, value: Value) -> Value {
        match self {
            Kind::Text => value.text().map_or(value, Value::Text),
            Kind::Texts => value.texts().map_or(value, Value::Texts),
            _ => value,
        }
    }
}

impl Range {
    /// Whether it holds a number.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        match self {
            Range::Finite => x.is_finite(),
            Range::NotNegative => x >= 0.0 && x.is_finite(),
            Range::Positive => x > 0.0 && x.is_finite(),
            Range::Limit => x > 0.0,
            Range::LimitAboveOne => x > 1.0,
            Range::OrNone => x > f64::NEG_INFINITY,
            Range::Share => (0.0..=1.0).contains(&x),
            Range::PositiveShare => x > 0.0 && x <= 1.0,
            Range::Decay | Range::ShareOfTraining => (0.0..1.0).contains(&x),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Range::Finite => "it must be finite",
            Range::NotNegative => "it must be finite and not negative",
            Range::Positive => "it must be finite and above 0",
            Range::Limit => "it must be above 0 (inf turns it off)",
            Range::LimitAboveOne => "it must be above 1 (inf turns it off)",
            Range::OrNone => "it must be a number (inf is none)",
            Range::Share => "it must lie in [0, 1]",
            Range::PositiveShare => "it must lie in (0, 1]",
            Range::Decay => "it must lie in [0, 1)",
            Range::ShareOfTraining => "it must lie in [0, 1): a share of training, not a number of updates",
        })
    }
}

impl Param {
    /// A number, or a schedule of numbers.
    #[must_use]
    pub const fn number(name: &'static str, range: Range, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Number(range), default, meaning }
    }

    /// A number that cannot change over training.
    #[must_use]
    pub const fn fixed(name: &'static str, range: Range, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Fixed(range), default, meaning }
    }

    /// Whether a value that it has is what it is unless said.
    pub(crate) fn is_default(&self, said: &Value) -> bool {
        super::value(self.default).is_ok_and(|own| self.kind.canonical(own) == *said)
    }

    /// The same argument with another default.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// Fails unless the argument may be this value; the message begins with its place.
    pub(crate) fn check(&self, place: &str, value: &Value) -> Result<()> {
        self.kind.check(value).map_err(|expected| {
            let is_quoted = value.text().is_some_and(|text| text.parse::<f64>().is_ok());
            let expected = match self.kind {
                Kind::Fixed(_) if is_quoted => "it must be a number, without quotes".into(),
                Kind::Count(..) | Kind::Limit(_) if is_quoted => format!("{expected}, without quotes"),
                _ => expected,
            };
            let (name, value) = (self.name, quoted(&value.to_string()));
            Error::Config(format!("{place}{name} = {value} is impossible: {expected}"))
        })
    }

    /// A word of several.
    #[must_use]
    pub const fn word(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Word(words), default, meaning }
    }

    /// A whole number, from `least` up to `most`.
    #[must_use]
    pub const fn count(
        name: &'static str,
        (least, most): (u64, u64),
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Count(least, most), default, meaning }
    }

    /// A number of steps or rollouts, `least` or more: at most a thousand million, more than a run ever comes to.
    #[must_use]
    pub const fn steps(name: &'static str, least: u64, default: &'static str, meaning: &'static str) -> Self {
        Self::count(name, (least, 1_000_000_000), default, meaning)
    }

    /// Whole numbers in brackets, each from `least` up to `most`.
    #[must_use]
    pub const fn counts(
        name: &'static str,
        (least, most): (u64, u64),
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Counts(least, most), default, meaning }
    }

    /// A whole number from 1 up to `most`, or `inf` for no limit.
    #[must_use]
    pub const fn limit(name: &'static str, most: u64, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Limit(most), default, meaning }
    }

    /// Text; a default that is more than a name stands in quotes, too: `"\"actor.*\""`.
    #[must_use]
    pub const fn text(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Text, default, meaning }
    }

    /// Texts in brackets, such as `["S.G"]`.
    #[must_use]
    pub const fn texts(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Texts, default, meaning }
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn flag(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Flag, default, meaning }
    }
}
