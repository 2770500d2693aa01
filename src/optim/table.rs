//! The table of everything that a [`Spec`](crate::words::Spec) may name: one row a word.

use super::args::Args;
use super::schedule_rows::FALLS;
use super::{Chain, Place, Schedule};
use crate::{Error, Result, words};
use uphill_envs::quoted;

/// A word of the language of optimizers.
///
/// Rows are the only place where an argument's name, default, range and meaning are written down: the parser, error messages,
/// `train --list`, the tests and the table in `docs/optimizers.md` read them.
pub type Row = crate::words::Row<Make>;

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

impl Row {
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

    /// What its word is, as a message says it.
    fn kind(&self) -> &'static str {
        match self.make {
            Make::Recipe(_) | Make::Ending(_) => "an optimizer",
            Make::Clip(_) | Make::Link(..) => "a link",
            Make::Schedule(_) => "a schedule",
        }
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
/// use uphill::optim::{Make, Registry, Row, Chain, scale_by_learning_rate};
/// use uphill::words::Param;
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
    /// What is wrong with the first row that was added and cannot be.
    problem: Option<String>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { rows: super::ROWS.iter().copied().flatten().copied().collect(), problem: None }
    }
}

impl Registry {
    /// The registry with another row, which goes before one of the same name and kind. Whether it can be, [`Registry::check`]
    /// says.
    #[must_use]
    pub fn with(mut self, row: Row) -> Self {
        let other = self.rows.iter().find(|known| known.name == row.name && known.kind() != row.kind());
        let taken = other.map(|known| {
            let (name, kind, known) = (row.name, row.kind(), known.kind());
            format!("the row of `{name}`: it is {kind}, and one that is {known} has that name: give it another")
        });
        let no_word = || {
            (!words::is_name(row.name))
                .then(|| format!("the row of `{}`: its name must be letters, digits and _", quoted(row.name)))
        };
        // It stands in the defaults, with two arguments.
        let falls = || {
            let is_other = row.name == FALLS && row.kind() == "a schedule" && row.params.len() != 2;
            let remedy =
                "learning rates fall by it where anneal_lr says so, from a start to an end: give yours another name";
            is_other.then(|| format!("the row of `{FALLS}`: {remedy}"))
        };
        self.problem = self.problem.or_else(no_word).or_else(|| row.problem()).or(taken).or_else(falls);
        self.rows.retain(|known| known.name != row.name);
        self.rows.push(row);
        self
    }

    /// Whether every row that was added can be.
    ///
    /// # Errors
    /// [`Error::Config`] for the first that cannot: a name that is none, or that a row of another kind has, or an argument with
    /// an impossible name or default.
    pub fn check(&self) -> Result<()> {
        self.problem.as_ref().map_or(Ok(()), |problem| Err(Error::Config(problem.clone())))
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
