//! The sets that observations and actions come from.

use crate::{Action, EnvError};

/// A set of observations or actions.
#[derive(Debug, Clone, PartialEq)]
pub enum Space {
    /// The integers `0..n`.
    Discrete {
        /// How many there are.
        n: usize,
    },
    /// Several choices at once: vectors of integers, component `k` of them in `0..n[k]`.
    MultiDiscrete {
        /// How many there are in each component, `[K]`.
        n: Vec<usize>,
    },
    /// Several switches at once: vectors of zeros and ones.
    MultiBinary {
        /// How many there are.
        n: usize,
    },
    /// A box in `R^D`, closed; bounds may be infinite.
    Box {
        /// Lower bound of each dimension, `[D]`.
        low: Vec<f32>,
        /// Upper bound of each dimension, `[D]`.
        high: Vec<f32>,
    },
    /// Images: whole numbers, `0..=max`, row by row from the top, pixel by pixel from the left, channels last, as Gymnasium's
    /// `Box(0, max, (height, width, channels), uint8)`. They are observations; there are no actions of this kind.
    Image {
        /// Rows.
        height: usize,
        /// Pixels of a row.
        width: usize,
        /// Numbers of a pixel.
        channels: usize,
        /// The largest number: 255 of usual images, 1 of planes that say where something is.
        max: u8,
    },
}

impl Space {
    /// A box with the same bounds in each of `len` dimensions.
    #[must_use]
    pub fn uniform_box(len: usize, low: f32, high: f32) -> Space {
        Space::Box { low: vec![low; len], high: vec![high; len] }
    }

    /// Numbers in one element written flat: `D` for a box, `height·width·channels` for an image, `K` for several choices, 1 for one.
    #[must_use]
    pub fn flat_len(&self) -> usize {
        match self {
            Space::Discrete { .. } => 1,
            Space::MultiDiscrete { n } => n.len(),
            Space::MultiBinary { n } => *n,
            Space::Box { low, .. } => low.len(),
            &Space::Image { height, width, channels, .. } => height.saturating_mul(width).saturating_mul(channels),
        }
    }

    /// Choices in all: `n`, or the sum of all components', one after the other; 0 of switches, a box and an image. That many entries has a mask.
    #[must_use]
    pub fn choices(&self) -> usize {
        match self {
            Space::Discrete { n } => *n,
            Space::MultiDiscrete { n } => n.iter().fold(0, |sum, &n| sum.saturating_add(n)),
            Space::MultiBinary { .. } | Space::Box { .. } | Space::Image { .. } => 0,
        }
    }

    /// Refuses a mask of choices, `[choices]`, that leaves none, or none in some component.
    ///
    /// # Errors
    /// [`EnvError::NoLegalAction`], [`EnvError::Length`] for another length.
    pub fn check_mask(&self, mask: &[bool]) -> Result<(), EnvError> {
        EnvError::check_len("action mask", self.choices(), mask.len())?;
        let mut rest = mask;
        let mut leaves_any = |n: usize| rest.split_off(..n).is_some_and(|component| component.contains(&true));
        match self {
            Space::Discrete { n } if !leaves_any(*n) => Err(EnvError::NoLegalAction { component: None }),
            Space::MultiDiscrete { n } => match n.iter().position(|&n| !leaves_any(n)) {
                Some(k) => Err(EnvError::NoLegalAction { component: Some(k) }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Whether every number of a flat element lies within the bounds; NaN lies in none.
    #[must_use]
    pub fn contains(&self, element: &[f32]) -> bool {
        let is_index = |x: f32, n: usize| x >= 0.0 && x.fract() == 0.0 && (x as usize) < n;
        match self {
            Space::Discrete { n } => element.len() == 1 && is_index(element[0], *n),
            Space::MultiDiscrete { n } => {
                element.len() == n.len() && element.iter().zip(n).all(|(&x, &n)| is_index(x, n))
            }
            Space::MultiBinary { n } => element.len() == *n && element.iter().all(|&x| is_index(x, 2)),
            Space::Box { low, high } => {
                element.len() == low.len()
                    && element.iter().zip(low.iter().zip(high)).all(|(x, (lo, hi))| lo <= x && x <= hi)
            }
            Space::Image { max, .. } => {
                element.len() == self.flat_len() && element.iter().all(|&x| is_index(x, usize::from(*max) + 1))
            }
        }
    }

    /// The index of a discrete action of this space.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] if the action or the space is not discrete, [`EnvError::ActionOutOfRange`] past the end.
    pub fn discrete(&self, action: Action<'_>) -> Result<usize, EnvError> {
        match (self, action) {
            (Space::Discrete { n }, Action::Discrete(a)) if (a as usize) < *n => Ok(a as usize),
            (Space::Discrete { n }, Action::Discrete(action)) => {
                Err(EnvError::ActionOutOfRange { component: None, action, n: *n })
            }
            (space, action) => Err(space.another_kind(action)),
        }
    }

    /// The indices of an action of several choices or switches, `[K]`.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] if the action or the space is not one of several choices, [`EnvError::Length`] for another
    /// number of components, [`EnvError::ActionOutOfRange`] for the first component past its end.
    pub fn multi_discrete<'a>(&self, action: Action<'a>) -> Result<&'a [u32], EnvError> {
        let Action::MultiDiscrete(indices) = action else { return Err(self.another_kind(action)) };
        let of = |k: usize| match self {
            Space::MultiDiscrete { n } => n[k],
            _ => 2,
        };
        if !matches!(self, Space::MultiDiscrete { .. } | Space::MultiBinary { .. }) {
            return Err(self.another_kind(action));
        }
        EnvError::check_len("action", self.flat_len(), indices.len())?;
        match indices.iter().enumerate().find(|&(k, &action)| action as usize >= of(k)) {
            Some((k, &action)) => Err(EnvError::ActionOutOfRange { component: Some(k), action, n: of(k) }),
            None => Ok(indices),
        }
    }

    /// The numbers of a continuous action, `[D]`. Only whether they are numbers is asked: numbers outside the box are clipped
    /// or refused by the environment.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] if the action or the space is not continuous, [`EnvError::Length`] for another number of
    /// dimensions, [`EnvError::NotFinite`] for the first that is not finite.
    pub fn continuous<'a>(&self, action: Action<'a>) -> Result<&'a [f32], EnvError> {
        let (Space::Box { low, .. }, Action::Continuous(numbers)) = (self, action) else {
            return Err(self.another_kind(action));
        };
        EnvError::check_len("action", low.len(), numbers.len())?;
        match numbers.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            Some((k, &value)) => Err(EnvError::NotFinite { what: format!("action[{k}]"), value }),
            None => Ok(numbers),
        }
    }

    fn another_kind(&self, action: Action<'_>) -> EnvError {
        let got = match action {
            Action::Discrete(_) => DISCRETE,
            Action::MultiDiscrete(_) => MULTI_DISCRETE,
            Action::Continuous(_) => CONTINUOUS,
        };
        EnvError::ActionKind { expected: self.kind(), got }
    }

    /// Refuses an action that is not one of this space.
    ///
    /// Of a continuous action only the length is asked, and whether its numbers are finite: whether those outside a box are
    /// clipped or refused is the environment's affair.
    ///
    /// # Errors
    /// [`EnvError::ActionKind`] for one of another kind, [`EnvError::ActionOutOfRange`] past the end of a choice,
    /// [`EnvError::Length`] for one of another length, [`EnvError::NotFinite`] for a number that is none.
    pub fn check(&self, action: Action<'_>) -> Result<(), EnvError> {
        match (self, action) {
            (Space::Box { .. }, _) => self.continuous(action).map(drop),
            (Space::MultiDiscrete { .. } | Space::MultiBinary { .. }, _) => self.multi_discrete(action).map(drop),
            _ => self.discrete(action).map(drop),
        }
    }

    /// Refuses a space that has no actions.
    ///
    /// # Errors
    /// [`EnvError::Option`] where there is none to choose, or none in some component, for a box of no dimension, and for images.
    pub fn check_actions(&self) -> Result<(), EnvError> {
        let (possible, expected) = match self {
            Space::Discrete { n } => (*n > 0, "at least 1 action"),
            Space::MultiDiscrete { n } => {
                (!n.is_empty() && !n.contains(&0), "at least 1 component, and at least 1 action in each")
            }
            Space::MultiBinary { n } => (*n > 0, "at least 1 switch"),
            Space::Box { low, .. } => (!low.is_empty(), "at least 1 dimension"),
            Space::Image { .. } => (false, "images are observations, not actions"),
        };
        let value = || format!("{self:?}");
        if possible { Ok(()) } else { Err(EnvError::Option { name: "action space", value: value(), expected }) }
    }

    /// Refuses a space that no observation tells anything of.
    ///
    /// # Errors
    /// [`EnvError::Option`] for images without a pixel or a channel, and for those whose numbers are all 0.
    pub fn check_observations(&self) -> Result<(), EnvError> {
        let &Space::Image { height, width, channels, max } = self else { return Ok(()) };
        if height.min(width).min(channels) > 0 && max > 0 {
            return Ok(());
        }
        let expected = "an image has at least 1 row, 1 column, 1 channel, and a largest number of at least 1";
        Err(EnvError::Option { name: "observation space", value: format!("{self:?}"), expected })
    }

    /// What elements of this space are called in messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Space::Discrete { .. } => DISCRETE,
            Space::MultiDiscrete { .. } => MULTI_DISCRETE,
            Space::MultiBinary { .. } => MULTI_BINARY,
            Space::Box { .. } => CONTINUOUS,
            Space::Image { .. } => IMAGE,
        }
    }
}

const DISCRETE: &str = "discrete";
const MULTI_DISCRETE: &str = "multi-discrete";
const MULTI_BINARY: &str = "multi-binary";
const CONTINUOUS: &str = "continuous";
const IMAGE: &str = "image";
