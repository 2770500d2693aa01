//! A setting that is a number or a schedule.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Value, value};

/// A number, or a schedule of numbers in words, such as `linear(0.01, 0)`.
///
/// ```
/// use uphill::Config;
///
/// let config = Config { ent_coef: 0.02.into(), ..Config::new("ppo", "adam")? };
/// let falling = Config::from_toml("ent_coef = 'linear(0.02, 0)'")?;
/// assert_eq!((config.ent_coef.to_string(), falling.ent_coef.to_string()), ("0.02".into(), "linear(0.02, 0)".into()));
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduled(Value);

impl Scheduled {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.0.number()
    }
}

impl From<f64> for Scheduled {
    fn from(number: f64) -> Self {
        Self(Value::Number(number))
    }
}

impl fmt::Display for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Scheduled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_f64(number),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Scheduled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || de::Error::custom("it must be a number, or a schedule such as \"linear(0.01, 0)\"");
        let of_text = |text: &str| match value(text) {
            Ok(schedule @ Value::Spec(_)) => Ok(Self(schedule)),
            _ => Err(wrong()),
        };
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Float(x) => Ok(x.into()),
            toml::Value::Integer(x) => Ok((x as f64).into()),
            toml::Value::String(text) => of_text(&text),
            table @ toml::Value::Table(_) => match Value::from_toml(&table) {
                Ok(schedule @ Value::Spec(_)) => Ok(Self(schedule)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}
