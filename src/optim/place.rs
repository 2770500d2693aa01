//! Where in a chain a link may stand.

use std::fmt;

use super::table::{Registry, Row};
use crate::words::Kind;
use crate::words::{Spec, Value, Word};
use crate::{Error, Result};

/// Where in a chain a link may stand; elsewhere it would make the parameters grow, or do nothing.
///
/// Before the learning rate a chain holds a direction that is to be gone down, after it the step that is added to the
/// parameters: what is right on one side is turned round on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before all others: it mends the gradient that they are given.
    First,
    /// Before the learning rate or after it: it is as right for a direction as for a step.
    Anywhere,
    /// Before the learning rate, which turns it round and says how far it goes.
    BeforeRate,
    /// It applies the learning rate.
    Rate,
    /// It applies the learning rate, by itself or within, and says where the parameters go, not how they move: what
    /// changed that after it would be undone in the next step, or spoil what it remembers.
    End,
    /// After the learning rate: it is no direction but a step.
    AfterRate,
    /// After the learning rate and after whatever else makes the step.
    Last,
    /// Wherever its own links may, or wherever one likes if it has none: by itself it changes no step.
    Beside,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::First => "first",
            Place::Anywhere => "before or after the rate",
            Place::BeforeRate => "before the rate",
            Place::Rate => "is the rate",
            Place::End => "has the rate, at the end",
            Place::AfterRate => "after the rate",
            Place::Last => "after the rate, last",
            Place::Beside => "anywhere",
        })
    }
}

/// A link that stands before others.
#[derive(Clone, Copy)]
struct Stands<'a> {
    row: &'a Row,
    place: Place,
}

impl Place {
    fn applies_rate(self) -> bool {
        matches!(self, Place::Rate | Place::End)
    }
}

impl Registry {
    /// Fails with where a link belongs that stands in the wrong place.
    ///
    /// What is in no row, or is no link, was refused when the chain was built.
    pub(super) fn check_places(&self, Spec(links): &Spec) -> Result<()> {
        self.check_links(links, &mut Vec::new(), None)
    }

    /// `before` are the links that stand before these, however deep, and afterwards these too; `within` is what says
    /// where the parameters go and has these in its chain.
    fn check_links<'a>(&'a self, links: &[Word], before: &mut Vec<Stands<'a>>, within: Option<&Row>) -> Result<()> {
        for link in links {
            let row = self.row(&link.name)?;
            let Some(place) = row.place() else { continue };
            let here = Stands { row, place };
            before.iter().try_for_each(|first| first.bears(here))?;
            if let (Place::End, Some(outer)) = (place, within) {
                let problem = "both say where the parameters go: neither can stand within the other";
                return Err(Error::Config(format!("{} and {} {problem}", outer.name, row.name)));
            }
            let within = if place == Place::End { Some(row) } else { within };
            let outside = before.len();
            for spec in chains(row, link) {
                // Branches stand side by side, not one after the other.
                let mut inner = before[..outside].to_vec();
                self.check_links(&spec.0, &mut inner, within)?;
                before.extend_from_slice(&inner[outside..]);
            }
            before.push(here);
        }
        Ok(())
    }
}

/// The chains among the arguments of a link.
fn chains<'a>(row: &Row, link: &'a Word) -> Vec<&'a Spec> {
    let first_pair = row.params.len().saturating_sub(1);
    let is_chain = |i: usize, key: &Option<String>| {
        let param = key.as_deref().map_or(row.params.get(i).or(row.params.last()), |key| row.param(key));
        match param.map(|param| param.kind) {
            Some(Kind::Chain) => true,
            Some(Kind::Pairs(_, Kind::Chain)) => (i - first_pair) % 2 == 1,
            _ => false,
        }
    };
    let args = link.args.iter().enumerate().filter(|(i, (key, _))| is_chain(*i, key));
    args.filter_map(|(_, (_, value))| if let Value::Spec(spec) = value { Some(spec) } else { None }).collect()
}

impl Stands<'_> {
    /// Fails if another link cannot stand after this one.
    fn bears(self, next: Stands<'_>) -> Result<()> {
        let ([this, that], rate) = ([self.row.name, next.row.name], "applies the learning rate");
        let problem = match (self.place, next.place) {
            (Place::AfterRate | Place::Last, place) if place.applies_rate() => {
                let reason = "before it, the parameters would grow";
                format!("{this} must stand after {that}, which {rate}: {reason}")
            }
            (place, Place::BeforeRate) if place.applies_rate() => {
                let reason = "after it, nothing turns it downhill or scales it";
                format!("{that} must stand before {this}, which {rate}: {reason}")
            }
            (Place::End | Place::Last, Place::Anywhere | Place::AfterRate | Place::BeforeRate | Place::Last) => {
                let wraps = self.row.params.iter().any(|param| matches!(param.kind, Kind::Chain));
                let remedy = match (self.place, next.place) {
                    _ if wraps => format!("put {that} into its chain"),
                    (Place::End, Place::AfterRate | Place::Last) => format!("it takes no {that}"),
                    _ => format!("put {that} before it"),
                };
                format!("{this} must come last, for it says where the parameters go: {remedy}")
            }
            _ => return Ok(()),
        };
        Err(Error::Config(problem))
    }
}
