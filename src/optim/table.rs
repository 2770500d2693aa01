//! The table of everything that a [`Spec`](super::Spec) may name: one row a word.

use std::fmt;

use super::args::Args;
use super::{Chain, Place, Schedule};
use crate::Result;

/// A word of the language of optimizers: its name, its arguments, and what it makes of them.
///
/// Rows are plain constants, and the only place where an argument's name, default, range and meaning are written down:
/// the parser, error messages, `train --list`, the tests and the table in `docs/optimizers.md` read them.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What specs call it.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// What it takes, in the order of positional arguments.
    pub params: &'static [Param],
    /// What it makes of them.
    pub make: Make,
}

/// What a row makes, and how.
#[derive(Debug, Clone, Copy)]
pub enum Make {
    /// A whole optimizer, learning rate included.
    Recipe(fn(&Args<'_>) -> Result<Chain>),
    /// A whole optimizer that, at the end of a chain, says where the parameters go: see [`Place::End`].
    Ending(fn(&Args<'_>) -> Result<Chain>),
    /// A link that clips: where a spec has one, the setting `max_grad_norm` is not applied.
    Clip(fn(&Args<'_>) -> Result<Chain>),
    /// Any other link, and where it may stand.
    Link(Place, fn(&Args<'_>) -> Result<Chain>),
    /// A number that changes over training.
    Schedule(fn(&Args<'_>) -> Result<Schedule>),
}

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
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// Text, such as the name pattern `"actor.*"`.
    Text,
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
    /// `[0, 1]`.
    Share,
    /// `(0, 1]`.
    PositiveShare,
    /// `[0, 1)`.
    Decay,
    /// `[0, 1)`, a share of training where others count updates.
    ShareOfTraining,
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
            Range::Share => "it must lie in [0, 1]",
            Range::PositiveShare => "it must lie in (0, 1]",
            Range::Decay => "it must lie in [0, 1)",
            Range::ShareOfTraining => "it must lie in [0, 1): a share of training, not a number of updates",
        })
    }
}

impl Param {
    /// Decay of a running mean of gradients.
    pub const BETA1: Self = Self::number("beta1", Range::Decay, "0.9", "decay of the running mean of gradients");
    /// Decay of a running mean of squared gradients.
    pub const BETA2: Self = Self::number("beta2", Range::Decay, "0.999", "decay of the running mean of squares");
    /// What keeps a quotient from exploding.
    pub const EPS: Self = Self::eps("1e-8");
    /// Weight decay, off.
    pub const WEIGHT_DECAY: Self = Self::weight_decay("0");

    /// A number, or a schedule of numbers.
    #[must_use]
    pub const fn number(name: &'static str, range: Range, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Number(range), default, meaning }
    }

    /// A learning rate: where a spec does not say it, the setting `lr` does.
    #[must_use]
    pub const fn lr(default: &'static str) -> Self {
        Self::number("lr", Range::NotNegative, default, "learning rate")
    }

    /// A learning rate that should not fall: where a spec does not say it, the setting `lr` does, but not `anneal_lr`.
    #[must_use]
    pub const fn steady_lr(default: &'static str) -> Self {
        Self { kind: Kind::Steady(Range::NotNegative), ..Self::lr(default) }
    }

    /// A small number below a quotient.
    #[must_use]
    pub const fn eps(default: &'static str) -> Self {
        Self::number("eps", Range::NotNegative, default, "keeps the quotient from exploding")
    }

    /// A factor of the parameters that is added to the gradient or the update.
    #[must_use]
    pub const fn weight_decay(default: &'static str) -> Self {
        Self::number("weight_decay", Range::NotNegative, default, "weight decay")
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

    /// The seed of a link that draws random numbers; in training the run's, unless said. Below 2⁵⁰, so that every digit
    /// counts.
    #[must_use]
    pub const fn seed() -> Self {
        Self::count("seed", (0, (1 << 50) - 1), "0", "seed of the noise; in training the run's, unless said")
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn flag(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Flag, default, meaning }
    }

    /// The chain that a wrapper wraps.
    #[must_use]
    pub const fn chain(meaning: &'static str) -> Self {
        Self { name: "chain", kind: Kind::Chain, default: "", meaning }
    }
}

impl Row {
    /// The name with all arguments and their defaults: `adam(lr = 1e-3, beta1 = 0.9, …)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let param = |param: &Param| match (param.kind, param.default) {
            (Kind::Pairs(..), _) => format!("{}, …", param.name),
            (_, "") => param.name.to_string(),
            (_, default) => format!("{} = {default}", param.name),
        };
        format!("{}({})", self.name, self.params.iter().map(param).collect::<Vec<_>>().join(", "))
    }

    /// The argument of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// The learning rate where neither a spec nor a setting says one; `None` without one.
    #[must_use]
    pub fn default_lr(&self) -> Option<f64> {
        self.param("lr")?.default.parse().ok()
    }

    /// Whether it makes a whole optimizer, learning rate included.
    #[must_use]
    pub fn is_recipe(&self) -> bool {
        matches!(self.make, Make::Recipe(_) | Make::Ending(_))
    }

    /// Where in a chain it may stand; `None` for a schedule, which is no link.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self.make {
            Make::Recipe(_) => Some(Place::Rate),
            Make::Ending(_) => Some(Place::End),
            Make::Clip(_) => Some(Place::Anywhere),
            Make::Link(place, _) => Some(place),
            Make::Schedule(_) => None,
        }
    }
}

/// The words that specs may use: all of this crate's, and those that are added.
///
/// ```
/// use uphill::optim::{Make, Param, Registry, Row, Chain, scale_by_learning_rate};
///
/// const DESCENT: Row = Row {
///     name: "descent",
///     summary: "sgd by another name",
///     params: &[Param::lr("0.1")],
///     make: Make::Recipe(|a| Ok(Chain::new().then(scale_by_learning_rate(a.schedule("lr")?)))),
/// };
/// let registry = Registry::default().with(DESCENT);
/// let chain = registry.chain(&"clip_by_global_norm(0.5) | descent(0.2)".parse()?)?;
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Registry {
    rows: Vec<Row>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { rows: super::ROWS.iter().copied().flatten().copied().collect() }
    }
}

impl Registry {
    /// The registry with another row, which goes before one of the same name.
    #[must_use]
    pub fn with(mut self, row: Row) -> Self {
        self.rows.retain(|known| known.name != row.name);
        self.rows.push(row);
        self
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that make a whole optimizer.
    pub fn recipes(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_recipe())
    }
}
