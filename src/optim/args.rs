//! The arguments of a word: found by name or place, checked against its row.

use uphill_envs::{counted, quoted};

use super::nearest::nearest;
use super::resolve::Fallback;
use super::schedule_rows::FALLS;
use super::table::{Registry, Row};
use super::{Chain, GradientTransform, Schedule, When};
use crate::words::{Kind, Param, Range};
use crate::words::{Spec, Value, Word};
use crate::{Error, Result, words};

/// The most pairs of a link.
const MOST_PAIRS: usize = 256;

/// The arguments of one link, each checked against its row.
pub struct Args<'a> {
    row: &'a Row,
    values: Vec<(&'a Param, Value)>,
    pairs: &'a [(Option<String>, Value)],
    registry: &'a Registry,
    fallback: &'a Fallback,
}

impl<'a> Args<'a> {
    pub(super) fn new(row: &'a Row, link: &'a Word, registry: &'a Registry, fallback: &'a Fallback) -> Result<Self> {
        let name = row.name;
        let list = || row.signature();
        let (named, pairs): (&[Param], &[Param]) = match row.params.split_last() {
            Some((last, named)) if matches!(last.kind, Kind::Pairs(..)) => (named, std::slice::from_ref(last)),
            _ => (row.params, &[]),
        };
        let mut values: Vec<(&Param, Value)> = Vec::new();
        let unnamed = link.args.iter().take_while(|(key, _)| key.is_none()).count();
        let (first, rest) = link.args.split_at(unnamed.min(named.len()));
        for (param, (_, value)) in named.iter().zip(first) {
            values.push((param, value.clone()));
        }
        let (pair_args, keyed) = rest.split_at(if pairs.is_empty() { 0 } else { unnamed - first.len() });
        for (key, value) in keyed {
            let Some(key) = key else {
                let problem = match unnamed > named.len() {
                    true => format!("{name} takes {} at most", counted(named.len(), "argument")),
                    false => format!("{name}: {} needs its argument's name before it", quoted(&value.to_string())),
                };
                return Err(Error::Config(format!("{problem}: {}", list())));
            };
            let Some(param) = named.iter().find(|param| param.name == key) else {
                let near = nearest(key, named.iter().map(|param| param.name));
                let hint = match near {
                    Some(near) => format!("; did you mean `{near}`? {}", list()),
                    None => format!(": {}", list()),
                };
                if let Some(Param { name: what, .. }) =
                    pairs.iter().find(|pairs| pairs.name.split(", ").any(|n| n == key))
                {
                    let problem = format!("{name}: {what} have no name, but stand in pairs after all others, as text");
                    return Err(Error::Config(format!("{problem}: {}", list())));
                }
                // What is an option elsewhere, such as amsgrad, may be a word of its own here.
                let row = registry.rows().iter().find(|row| near.is_none() && row.name == key && row.is_recipe());
                let word = row.map(|row| format!("; {key} is an optimizer of its own: {}", row.signature()));
                return Err(Error::Config(format!("{name} has no argument `{key}`{hint}{}", word.unwrap_or_default())));
            };
            if values.iter().any(|(known, _)| known.name == param.name) {
                return Err(Error::Config(format!("{name}: {key} is given twice")));
            }
            values.push((param, value.clone()));
        }
        let mut args = Self { row, values, pairs: pair_args, registry, fallback };
        for param in named {
            if !args.values.iter().any(|(known, _)| known.name == param.name) {
                args.values.push((param, args.default(param)?));
            }
        }
        if let [Param { kind: Kind::Pairs(first, second), name: what, .. }] = pairs {
            if !pair_args.len().is_multiple_of(2) {
                return Err(Error::Config(format!("{name}: {what} come in pairs: {}", list())));
            }
            if pair_args.len() > 2 * MOST_PAIRS {
                let problem = format!("{} pairs are too many: {MOST_PAIRS} at most", pair_args.len() / 2);
                return Err(Error::Config(format!("{name}: {problem}")));
            }
            for (i, (_, value)) in pair_args.iter().enumerate() {
                args.check(what, if i % 2 == 0 { first } else { second }, value)?;
            }
        }
        args.values.iter().try_for_each(|(param, value)| args.check(param.name, &param.kind, value))?;
        Ok(args)
    }

    fn default(&self, param: &Param) -> Result<Value> {
        if let ("lr", true, Some(lr)) = (param.name, self.row.is_recipe(), self.fallback.lr) {
            let falls = self.fallback.anneal_lr && matches!(param.kind, Kind::Number(_));
            let ends = [lr, 0.0].map(|x| (None, Value::Number(x))).to_vec();
            let fall = Value::Spec(Spec(vec![Word { name: FALLS.into(), args: ends }]));
            return Ok(if falls { fall } else { Value::Number(lr) });
        }
        if let ("seed", Some(seed)) = (param.name, self.fallback.seed) {
            return Ok(Value::Number(seed as f64));
        }
        if param.default.is_empty() {
            let (row, name) = (self.row.name, param.name);
            return Err(Error::Config(format!("{row} needs {name}, {}: {}", param.meaning, self.row.signature())));
        }
        words::value(param.default)
    }

    /// Checks a value against what its argument may be.
    fn check(&self, name: &str, kind: &Kind, value: &Value) -> Result<()> {
        let row = self.row.name;
        let wrong = |range: &str| {
            let value = quoted(&value.to_string());
            Err(Error::Config(format!("{row}: {name} = {value} is impossible: {range}")))
        };
        let within = |range: Range, x: f64| match range.contains(x) {
            true => Ok(()),
            false => wrong(&format!("{}{range}", if matches!(value, Value::Number(_)) { "" } else { "all along, " })),
        };
        match (kind, value) {
            (Kind::Number(range) | Kind::Steady(range), _) => {
                let schedule = self.registry.schedule(value, self.fallback).map_err(|e| at(row, name, &e))?;
                schedule.extremes().into_iter().try_for_each(|x| within(*range, x))
            }
            (Kind::Schedule, Value::Spec(_) | Value::Number(_)) => Ok(()),
            (Kind::Schedule, _) => wrong("it must be a schedule"),
            (kind, value) => kind.check(value).or_else(|expected| wrong(&expected)),
        }
    }

    fn value(&self, name: &str) -> Result<&Value> {
        let found = self.values.iter().find(|(param, _)| param.name == name);
        found.map(|(_, value)| value).ok_or_else(|| self.absent(name))
    }

    fn absent(&self, name: &str) -> Error {
        Error::Config(format!("the row of {} has no such argument: {name}", self.row.name))
    }

    /// A number that may change over training.
    ///
    /// # Errors
    /// [`Error::Config`] if the row has no such argument; likewise in all others.
    pub fn schedule(&self, name: &str) -> Result<Schedule> {
        let schedule = self.registry.schedule(self.value(name)?, self.fallback)?;
        match &self.fallback.lr_factors[..] {
            [(_, factor), ..] if name == "lr" => Ok(schedule.times(*factor)),
            _ => Ok(schedule),
        }
    }

    /// A number that cannot.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn number(&self, name: &str) -> Result<f64> {
        match self.value(name)? {
            Value::Number(x) => Ok(*x),
            _ => Err(self.absent(name)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn count(&self, name: &str) -> Result<u64> {
        Ok(self.number(name)? as u64)
    }

    /// One of an argument's words.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn word(&self, name: &str) -> Result<&str> {
        self.value(name)?.word().ok_or_else(|| self.absent(name))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.word(name)? == "true")
    }

    /// Text.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn text(&self, name: &str) -> Result<String> {
        self.value(name)?.text().ok_or_else(|| self.absent(name))
    }

    /// A chain.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn chain(&self, name: &str) -> Result<Chain> {
        match self.value(name)? {
            Value::Spec(spec) => self.registry.links(&spec.0, self.fallback).map_err(|e| at(self.row.name, name, &e)),
            _ => Err(self.absent(name)),
        }
    }

    /// A chain that is a whole optimizer: it applies a learning rate.
    ///
    /// # Errors
    /// As [`Args::schedule`], and [`Error::Config`] for a chain without one.
    pub fn optimizer(&self, name: &str) -> Result<Chain> {
        let chain = self.chain(name)?;
        match self.value(name)? {
            Value::Spec(spec) if !self.registry.has_rate(spec) && chain.learning_rate(When::default()).is_none() => {
                let remedy = "end it with an optimizer such as adam, or with scale_by_learning_rate(lr)";
                let row = self.row.name;
                Err(Error::Config(format!("{row}: {name} = `{spec}` applies no learning rate: {remedy}")))
            }
            _ => Ok(chain),
        }
    }

    /// The pairs of text and chain that follow all other arguments.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn branches(&self) -> Result<Vec<(String, Chain)>> {
        let is_rated = |pair: &&[(Option<String>, Value)]| matches!(pair, [_, (_, Value::Spec(spec))] if self.registry.has_rate(spec));
        let (rated, unrated): (Vec<_>, Vec<_>) = self.pairs.chunks(2).partition(is_rated);
        if let ([[(_, with), ..], ..], [[(_, without), ..], ..]) = (&rated[..], &unrated[..]) {
            let problem = format!("the chain of {with} applies a learning rate, that of {without} none");
            let row = self.row.name;
            return Err(Error::Config(format!(
                "{row}: {problem}: end all of them with one, or none (sgd(0) stands still)"
            )));
        }
        let branch = |pair: &[(Option<String>, Value)]| match pair {
            [(_, name), (_, Value::Spec(spec))] => {
                let name = name.text().ok_or_else(|| self.absent("text"))?;
                Ok((
                    name.clone(),
                    self.registry.links(&spec.0, self.fallback).map_err(|e| at(self.row.name, &name, &e))?,
                ))
            }
            _ => Err(self.absent("pairs")),
        };
        self.pairs.chunks(2).map(branch).collect()
    }

    /// The pairs of numbers that follow all other arguments.
    ///
    /// # Errors
    /// As [`Args::schedule`].
    pub fn points(&self) -> Result<Vec<(f64, f64)>> {
        let point = |pair: &[(Option<String>, Value)]| match pair {
            [(_, Value::Number(x)), (_, Value::Number(y))] => Ok((*x, *y)),
            _ => Err(self.absent("points")),
        };
        self.pairs.chunks(2).map(point).collect()
    }
}

pub(super) fn at(row: &str, name: &str, problem: &Error) -> Error {
    Error::Config(format!("{row}: {name}: {problem}"))
}
