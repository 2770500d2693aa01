//! Actions that an environment is tried with.

use crate::{Action, NumpyRng, Space};

/// An action, kept to be lent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    Index(u32),
    Indices(Vec<u32>),
    Numbers(Vec<f32>),
}

/// Where the numbers of a box without a bound are drawn from.
const FAR: f32 = 2.0;

impl Choice {
    /// An action of a space that has some, drawn among those that a mask allows, `[choices]`.
    pub(super) fn random(space: &Space, mask: Option<&[bool]>, rng: &mut NumpyRng) -> Self {
        let mut from = 0;
        let mut index = |n: usize, rng: &mut NumpyRng| {
            let legal: Vec<usize> = match mask.and_then(|mask| mask.get(from..from + n)) {
                Some(mask) => (0..n).filter(|&a| mask[a]).collect(),
                None => (0..n).collect(),
            };
            from += n;
            let drawn = (rng.random() * legal.len() as f64) as usize;
            legal.get(drawn).map_or(0, |&a| a as u32)
        };
        match space {
            Space::MultiDiscrete { n } => Self::Indices(n.iter().map(|&n| index(n, rng)).collect()),
            Space::MultiBinary { n } => Self::Indices((0..*n).map(|_| u32::from(rng.random() < 0.5)).collect()),
            Space::Box { low, high } => {
                let number = |(&low, &high): (&f32, &f32)| {
                    let (low, high) = (low.max(high.min(FAR) - 2.0 * FAR), high.min(low.max(-FAR) + 2.0 * FAR));
                    low + rng.random() as f32 * (high - low)
                };
                Self::Numbers(low.iter().zip(high).map(number).collect())
            }
            Space::Discrete { n } => Self::Index(index(*n, rng)),
            Space::Image { .. } => Self::Numbers(Vec::new()),
        }
    }

    pub(super) fn get(&self) -> Action<'_> {
        match self {
            Self::Index(index) => Action::Discrete(*index),
            Self::Indices(indices) => Action::MultiDiscrete(indices),
            Self::Numbers(numbers) => Action::Continuous(numbers),
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Indices(indices) => write!(f, "{indices:?}"),
            Self::Numbers(numbers) => write!(f, "{numbers:?}"),
        }
    }
}
