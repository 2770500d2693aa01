//! What a hyper-parameter is drawn from.

use uphill_envs::shown;

use crate::{Error, Result, settings};

/// The values that a hyper-parameter may take, as points of `[0, 1)`.
///
/// ```
/// use uphill::tuning::Space;
///
/// let lr = Space::Real { low: 1e-4, high: 1e-2, log: true };
/// assert_eq!(lr.at(0.5).as_float(), Some(1e-3));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Space {
    /// Numbers from `low` to `high`.
    Real {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether equal ratios, and not equal differences, are equally likely.
        log: bool,
    },
    /// Whole numbers from `low` to `high`, both of them among these.
    Whole {
        /// The least.
        low: i64,
        /// The largest.
        high: i64,
        /// As in [`Space::Real`].
        log: bool,
    },
    /// One of these, equally likely.
    Choices(Vec<toml::Value>),
}

/// Of how many parts of a range the values are multiples, at least: more digits tell nothing.
const PARTS: f64 = 1000.0;

impl Space {
    /// The range of a setting as a file says it; `is_whole` says which numbers the setting takes, if it takes numbers.
    ///
    /// # Errors
    /// [`Error::Config`] naming what is no range, or has one value only.
    pub(super) fn of(name: &str, said: &toml::Value, is_whole: Option<bool>) -> Result<Self> {
        let wrong = |problem: String| Err(Error::Config(format!("tune.ranges.{name}: {problem}")));
        let alone = |value: &toml::Value| {
            let value = settings::shown(value);
            wrong(format!("one value is no range, and has no effect: write {name} = {value} above [tune] instead"))
        };
        match said {
            toml::Value::Array(choices) => match choices.as_slice() {
                [] => wrong("there is nothing to choose from: give two choices or more".into()),
                [one] => alone(one),
                _ => match (1..choices.len()).find(|&i| choices[..i].contains(&choices[i])) {
                    Some(i) => wrong(format!("{} is there twice", settings::shown(&choices[i]))),
                    None => Ok(Self::Choices(choices.clone())),
                },
            },
            toml::Value::Table(table) => {
                if let Some(key) = table.keys().find(|key| !["low", "high", "log"].contains(&key.as_str())) {
                    let problem = Error::unknown("key", key, ["low", "high", "log"].into_iter());
                    return wrong(problem.to_string());
                }
                let (Some(low), Some(high)) = (table.get("low"), table.get("high")) else {
                    return wrong(format!("{} lacks {}", settings::shown(said), lacking(table)));
                };
                let Some(log) = table.get("log").map_or(Some(false), toml::Value::as_bool) else {
                    return wrong(format!(
                        "log = {} is impossible: it must be true or false",
                        settings::shown(&table["log"])
                    ));
                };
                let Some(is_whole) = is_whole else {
                    return wrong(
                        "low and high are of numbers, which it does not take: give its choices in brackets".into(),
                    );
                };
                let whole = (low.as_integer(), high.as_integer());
                let space = match (is_whole, whole, (number(low), number(high))) {
                    (true, (Some(low), Some(high)), _) => Self::Whole { low, high, log },
                    (true, ..) => return wrong("low and high must be whole numbers, as it takes no others".into()),
                    (false, _, (Some(low), Some(high))) => Self::Real { low, high, log },
                    _ => return wrong("low and high must be finite numbers".into()),
                };
                let (least, most) = space.limits();
                let (low_shown, high_shown) = (settings::shown(low), settings::shown(high));
                if least == most {
                    return alone(low);
                }
                if least > most {
                    return wrong(format!(
                        "low = {low_shown} is above high = {high_shown}: put them the other way round"
                    ));
                }
                if log && least <= 0.0 {
                    let remedy = "give low above 0, or leave log out";
                    return wrong(format!(
                        "log = true is impossible with low = {low_shown}, which has no logarithm: {remedy}"
                    ));
                }
                if !(most - least).is_finite() {
                    return wrong(format!("from {low_shown} to {high_shown} is further than numbers reach"));
                }
                Ok(space)
            }
            other => {
                let expected = "a table such as { low = 1e-4, high = 1e-2, log = true }, or choices in brackets";
                wrong(format!("{} is impossible: it must be {expected}", settings::shown(other)))
            }
        }
    }

    /// The value at a point `u` of `[0, 1)`. A number has the digits that tell apart a thousand parts of the range.
    #[must_use]
    pub fn at(&self, u: f64) -> toml::Value {
        match self {
            Self::Real { low, high, log: false } => {
                let decimals = (PARTS / (high - low)).log10().ceil().clamp(0.0, 300.0) as usize;
                let x: f64 = format!("{:.decimals$}", low + u * (high - low)).parse().unwrap_or(*low);
                x.clamp(*low, *high).into()
            }
            Self::Real { low, high, log: true } => {
                // Their quotient may be more than a number holds.
                let (from, width) = (low.ln(), high.ln() - low.ln());
                let digits = (PARTS / width).log10().ceil().clamp(0.0, 15.0) as usize;
                let x: f64 = format!("{:.digits$e}", (from + u * width).exp()).parse().unwrap_or(*low);
                x.clamp(*low, *high).into()
            }
            Self::Whole { low, high, log } => {
                // Each whole number has the part of the range from itself to the next.
                let (from, to) = (*low as f64, *high as f64 + 1.0);
                let x = if *log { from * (u * (to / from).ln()).exp() } else { from + u * (to - from) };
                (x.floor() as i64).clamp(*low, *high).into()
            }
            Self::Choices(choices) => {
                let place = (u * choices.len() as f64) as usize;
                choices[place.min(choices.len() - 1)].clone()
            }
        }
    }

    /// How many choices there are, if it is these.
    #[must_use]
    pub fn choices(&self) -> Option<usize> {
        if let Self::Choices(choices) = self { Some(choices.len()) } else { None }
    }

    /// Every choice, or both ends: if these are possible, what is between them is.
    pub(super) fn ends(&self) -> Vec<toml::Value> {
        match self {
            Self::Real { low, high, .. } => vec![(*low).into(), (*high).into()],
            Self::Whole { low, high, .. } => vec![(*low).into(), (*high).into()],
            Self::Choices(choices) => choices.clone(),
        }
    }

    /// As a file says it.
    pub(super) fn to_toml(&self) -> toml::Value {
        let (Self::Real { log, .. } | Self::Whole { log, .. }) = self else { return self.ends().into() };
        let ends = ["low", "high"].into_iter().map(String::from).zip(self.ends());
        let log = log.then(|| ("log".to_string(), true.into()));
        toml::Value::Table(ends.chain(log).collect())
    }

    fn limits(&self) -> (f64, f64) {
        match self {
            Self::Real { low, high, .. } => (*low, *high),
            Self::Whole { low, high, .. } => (*low as f64, *high as f64),
            Self::Choices(choices) => (0.0, choices.len() as f64),
        }
    }
}

fn lacking(table: &toml::Table) -> &'static str {
    match (table.contains_key("low"), table.contains_key("high")) {
        (true, _) => "high",
        (_, true) => "low",
        _ => "low and high",
    }
}

fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|x| x as f64)).filter(|x| x.is_finite())
}

/// A value as a table of results shows it: a text without quotes.
pub(crate) fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Float(x) => shown(*x),
        other => settings::shown(other),
    }
}

#[cfg(test)]
mod tests;
