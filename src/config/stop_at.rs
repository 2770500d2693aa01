//! The return at which training is over.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A mean return at which training stops: a number, or whatever the environment counts as solved.
///
/// ```
/// use uphill::{Config, StopAt};
///
/// let config = Config { eval_every: 10_000, stop_at_return: 475.0.into(), ..Config::for_algo("ppo")? };
/// config.validate()?;
/// let config = Config::from_toml("eval_every = 10_000\nstop_at_return = 'reward_threshold'")?;
/// assert_eq!(config.stop_at_return, StopAt::RewardThreshold);
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopAt {
    /// This one; infinity never stops.
    Return(f64),
    /// The environment's own [`reward_threshold`](crate::envs::Spec::reward_threshold).
    RewardThreshold,
}

/// The word for it.
const WORD: &str = "reward_threshold";

impl StopAt {
    /// Training goes on, whatever is returned.
    pub(crate) const NEVER: Self = Self::Return(f64::INFINITY);

    /// The return, where the environment has this threshold.
    pub(crate) fn number(self, threshold: Option<f64>) -> Option<f64> {
        match self {
            Self::Return(number) => Some(number),
            Self::RewardThreshold => threshold,
        }
    }
}

impl From<f64> for StopAt {
    fn from(number: f64) -> Self {
        Self::Return(number)
    }
}

impl fmt::Display for StopAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Return(number) => f.write_str(&uphill_envs::shown(*number)),
            Self::RewardThreshold => f.write_str(WORD),
        }
    }
}

impl Serialize for StopAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Return(number) => serializer.serialize_f64(*number),
            Self::RewardThreshold => serializer.serialize_str(WORD),
        }
    }
}

impl<'de> Deserialize<'de> for StopAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Float(number) => Ok(number.into()),
            toml::Value::Integer(number) => Ok((number as f64).into()),
            toml::Value::String(word) if word == WORD => Ok(Self::RewardThreshold),
            _ => Err(de::Error::custom(format!("it must be a number, or the word \"{WORD}\""))),
        }
    }
}
