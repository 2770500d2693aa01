//! From words to chains.

use std::str::FromStr;

use uphill_envs::quoted;

use super::args::{Args, at};
use super::nearest::nearest;
use super::partition::at_rates;
use super::table::{Make, Registry, Row};
use super::{
    Chain, ClipGradBy, GradientTransform, Optimizer, Pattern, Schedule, When, clip_by_global_norm, clip_by_part_norm,
};
use crate::words::{Kind, Param, Range, Spec, Value, Word};
use crate::{Error, Result};

/// What a spec leaves to the settings around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fallback {
    /// The learning rate of every recipe that does not say `lr`; `None` leaves each its own default.
    pub lr: Option<f64>,
    /// Whether that learning rate falls in a straight line to 0 over training, where the recipe lets it change.
    pub anneal_lr: bool,
    /// Clips the gradient by its norm before all else, unless some link clips; infinite does not.
    pub max_grad_norm: f64,
    /// What that norm is of.
    pub clip_grad_by: ClipGradBy,
    /// Multiples of every learning rate for blocks of some names, the first pattern that means one being taken: theirs are chains
    /// of their own, and so what they clip by themselves is theirs alone.
    pub lr_factors: Vec<(Pattern, f64)>,
    /// Seed of every link that draws random numbers and does not say `seed`, below 2⁵⁰; `None` leaves each its own.
    pub seed: Option<u64>,
}

impl Default for Fallback {
    fn default() -> Self {
        Self {
            lr: None,
            anneal_lr: false,
            max_grad_norm: f64::INFINITY,
            clip_grad_by: ClipGradBy::Whole,
            lr_factors: Vec::new(),
            seed: None,
        }
    }
}

impl FromStr for Chain {
    type Err = Error;

    /// The chain of a [`Spec`], with this crate's words and their own defaults.
    fn from_str(text: &str) -> Result<Self> {
        Registry::default().chain(&text.parse()?)
    }
}

impl FromStr for Optimizer {
    type Err = Error;

    /// The whole optimizer of a [`Spec`], with this crate's words and their own defaults; errors as
    /// [`Registry::chain_with`].
    fn from_str(text: &str) -> Result<Self> {
        Ok(Optimizer::new(Registry::default().chain_with(&text.parse()?, &Fallback::default())?))
    }
}

impl Registry {
    /// Builds a spec whose words have their own defaults.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown word or argument, with the nearest known one, for an impossible value, with its
    /// range, and for a link out of its [`Place`](super::Place), with where it belongs.
    pub fn chain(&self, spec: &Spec) -> Result<Chain> {
        let chain = self.links(&spec.0, &Fallback::default())?;
        self.check_places(spec)?;
        Ok(chain)
    }

    /// Builds a spec within settings, as a whole optimizer.
    ///
    /// # Errors
    /// As [`Registry::chain`], for a chain without a learning rate, and for `zero_non_finite` anywhere but at its
    /// beginning, where it would come too late.
    pub fn chain_with(&self, spec: &Spec, fallback: &Fallback) -> Result<Chain> {
        self.check()?;
        let mends = |link: &Word| link.name == "zero_non_finite";
        let clips = fallback.max_grad_norm.is_finite() && !self.clips(spec);
        // Clipping would spread a NaN over all numbers, so what removes them goes before it.
        let first = if clips { spec.0.iter().take_while(|link| mends(link)).count() } else { 0 };
        let (before, after) = spec.0.split_at(first);
        let mut chain = self.links(before, fallback)?;
        if clips {
            chain = match fallback.clip_grad_by {
                ClipGradBy::Whole => chain.then(clip_by_global_norm(fallback.max_grad_norm)),
                ClipGradBy::Part => chain.then(clip_by_part_norm(fallback.max_grad_norm)),
            };
        }
        let chain = chain.append(self.parts(after, fallback)?);
        self.check_places(spec)?;
        if spec.0.iter().skip_while(|link| mends(link)).any(|link| link.any(&mut |link| mends(link))) {
            let reason = "a gradient that is not finite never reaches it elsewhere";
            return Err(Error::Config(format!("zero_non_finite must be the first link of all: {reason}")));
        }
        if !self.has_rate(spec) && chain.learning_rate(When::default()).is_none() {
            let remedy = "end it with an optimizer such as adam, or with scale_by_learning_rate(lr)";
            let spec = quoted(&spec.to_string());
            return Err(Error::Config(format!("optimizer = `{spec}` has no learning rate: {remedy}")));
        }
        Ok(chain)
    }

    /// The links, as many times as there are learning rates.
    fn parts(&self, links: &[Word], fallback: &Fallback) -> Result<Chain> {
        let of =
            |factor| self.links(links, &Fallback { lr_factors: vec![(Pattern::new("*"), factor)], ..fallback.clone() });
        if fallback.lr_factors.is_empty() {
            return self.links(links, fallback);
        }
        let parts = fallback.lr_factors.iter().map(|(blocks, factor)| Ok((blocks.clone(), of(*factor)?)));
        let parts = parts.chain([of(1.0).map(|rest| (Pattern::new("*"), rest))]).collect::<Result<Vec<_>>>()?;
        Ok(Chain::new().then(at_rates(parts)))
    }

    pub(super) fn links(&self, links: &[Word], fallback: &Fallback) -> Result<Chain> {
        // Each turns the direction round, so two would climb.
        if let [one, other, ..] = links.iter().filter(|link| self.link_has_rate(link)).collect::<Vec<_>>()[..] {
            let problem = "both apply a learning rate: a chain takes one of them";
            return Err(Error::Config(format!("{} and {} {problem}", one.name, other.name)));
        }
        if links.len() > MOST_LINKS {
            return Err(Error::Config(format!("a chain of {} links is too long: {MOST_LINKS} at most", links.len())));
        }
        let mut averaging = None;
        links.iter().try_fold(Chain::new(), |chain, link| {
            let row = self.row(&link.name)?;
            match row.make {
                Make::Recipe(build) | Make::Ending(build) | Make::Clip(build) | Make::Link(_, build) => {
                    let next = build(&Args::new(row, link, self, fallback)?)?;
                    match (averaging, next.averages()) {
                        (Some(first), true) => return Err(Error::Config(two_averages(first, row.name))),
                        (None, true) => averaging = Some(row.name),
                        (_, false) => {}
                    }
                    Ok(chain.append(next))
                }
                Make::Schedule(_) => Err(Error::Config(format!("{} is a schedule, not an optimizer", row.name))),
            }
        })
    }

    /// The row of that name.
    ///
    /// # Errors
    /// [`Error::Config`], with the nearest name and its arguments, if there is none.
    pub fn row(&self, name: &str) -> Result<&Row> {
        self.rows().iter().find(|row| row.name == name).ok_or_else(|| self.unknown(name, |row| !is_schedule(row)))
    }

    fn unknown(&self, name: &str, fits: impl Fn(&Row) -> bool) -> Error {
        let rows: Vec<&Row> = self.rows().iter().filter(|row| fits(row)).collect();
        let what = if rows.iter().all(|row| is_schedule(row)) { "schedule" } else { "optimizer" };
        let near = nearest(name, rows.iter().map(|row| row.name));
        let hint = match rows.iter().find(|row| Some(row.name) == near) {
            Some(row) => format!("did you mean `{}`? {}", row.name, row.signature()),
            None => format!("there are {}", rows.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")),
        };
        Error::Config(format!("there is no {what} `{name}`; {hint}"))
    }

    /// Whether a chain applies a learning rate: a whole optimizer does, and so does what wraps one.
    pub(super) fn has_rate(&self, spec: &Spec) -> bool {
        spec.0.iter().any(|link| self.link_has_rate(link))
    }

    fn link_has_rate(&self, link: &Word) -> bool {
        let applies = |row: &Row| row.is_recipe() || row.param("lr").is_some();
        link.any(&mut |link| self.rows().iter().any(|row| row.name == link.name && applies(row)))
    }

    /// Whether some recipe of a spec, however deep, leaves its learning rate to the settings.
    pub(crate) fn takes_lr(&self, spec: &Spec) -> bool {
        spec.any(&mut |link| {
            let Some(row) = self.rows().iter().find(|row| row.name == link.name && row.is_recipe()) else {
                return false;
            };
            let place = row.params.iter().position(|param| param.name == "lr");
            let says = |(i, (name, _)): (usize, &(Option<String>, Value))| match name {
                Some(name) => name == "lr",
                None => Some(i) == place,
            };
            place.is_some() && !link.args.iter().enumerate().any(says)
        })
    }

    /// Whether some link of a spec clips, however deep.
    pub(crate) fn clips(&self, spec: &Spec) -> bool {
        spec.any(&mut |link| self.row(&link.name).is_ok_and(|row| matches!(row.make, Make::Clip(_))))
    }

    /// The first recipe of a spec, however deep.
    #[must_use]
    pub fn recipe_of(&self, spec: &Spec) -> Option<&Row> {
        let mut found = None;
        spec.any(&mut |link| {
            found = self.rows().iter().find(|row| row.name == link.name && row.is_recipe());
            found.is_some()
        });
        found
    }

    /// Whether two optimizers are of one kind, as `adam` and `adamw` are: the learning rate of one is one for the other.
    pub(crate) fn same_kind(&self, one: &Spec, other: &Spec) -> bool {
        let kind = |spec: &Spec| self.recipe_of(spec).map(|row| row.name.trim_end_matches('w'));
        kind(one) == kind(other)
    }

    /// A number that may change over training, for what is no optimizer and is told no metric.
    ///
    /// # Errors
    /// [`Error::Config`] for no such number, one out of the argument's range at some time, and one that goes by a metric.
    pub(crate) fn number(&self, row: &str, param: &Param, value: &Value) -> Result<Schedule> {
        let said = || quoted(&value.to_string());
        let wrong =
            |problem: &str| Error::Config(format!("{row}: {} = {} is impossible: {problem}", param.name, said()));
        let schedule = self.schedule(value, &Fallback::default()).map_err(|e| at(row, param.name, &e))?;
        let Kind::Number(range) = param.kind else { return Ok(schedule) };
        let along = if matches!(value, Value::Number(_)) { "" } else { "all along, " };
        // A limit may fall to 0, which nothing but the end of training sees.
        let fits = |x: f64| range.contains(x) || (x == 0.0 && range == Range::Limit && !along.is_empty());
        match schedule.extremes().into_iter().find(|x| !fits(*x)) {
            Some(_) if !schedule.observes() => Err(wrong(&format!("{along}{range}"))),
            _ if schedule.observes() => {
                Err(wrong("plateau goes by the mean return, which is told to an optimizer alone"))
            }
            _ => Ok(schedule),
        }
    }

    /// Whether parts of the parameters have chains of their own in it, however deep.
    pub(crate) fn has_parts(spec: &Spec) -> bool {
        spec.any(&mut |link| ["partition", "masked"].contains(&&*link.name))
    }

    pub(super) fn schedule(&self, value: &Value, fallback: &Fallback) -> Result<Schedule> {
        match value {
            Value::Number(x) => Ok(Schedule::Constant(*x)),
            Value::Spec(Spec(links)) if links.len() == 1 => {
                let row = self.rows().iter().find(|row| is_schedule(row) && row.name == links[0].name);
                let row = row.ok_or_else(|| self.unknown(&links[0].name, is_schedule))?;
                match row.make {
                    Make::Schedule(build) => build(&Args::new(row, &links[0], self, fallback)?),
                    _ => Err(self.unknown(row.name, is_schedule)),
                }
            }
            other => Err(Error::Config(format!("{} is neither a number nor a schedule", quoted(&other.to_string())))),
        }
    }
}

/// The most links of a chain.
const MOST_LINKS: usize = 64;

/// Why two links cannot both keep an average.
pub(super) fn two_averages(one: &str, other: &str) -> String {
    format!("{one} and {other} both say which parameters a finished policy has: a chain takes one of them")
}

fn is_schedule(row: &Row) -> bool {
    matches!(row.make, Make::Schedule(_))
}

impl Spec {
    /// Whether something holds for one of its links, however deep.
    fn any(&self, holds: &mut dyn FnMut(&Word) -> bool) -> bool {
        self.0.iter().any(|link| link.any(holds))
    }
}

impl Word {
    /// Whether something holds for it or for a link within it, however deep.
    fn any(&self, holds: &mut dyn FnMut(&Word) -> bool) -> bool {
        holds(self) || self.args.iter().any(|(_, value)| matches!(value, Value::Spec(spec) if spec.any(holds)))
    }
}
