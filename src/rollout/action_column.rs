//! The actions of many steps.

use std::ops::Range;

use uphill_envs::Actions;

/// What an action is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ActionKind {
    /// Indices.
    #[default]
    Discrete,
    /// Numbers.
    Continuous,
}

/// Actions of many steps or lanes, `[B, K]` row by row, all of one kind.
///
/// ```
/// use uphill::ActionColumn;
/// use uphill::envs::Actions;
///
/// let chosen = ActionColumn::from(vec![2, 0, 1]);
/// assert_eq!((chosen.indices(), chosen.numbers().len()), (&[2, 0, 1][..], 0));
/// assert_eq!(ActionColumn::from(vec![0.5, -1.0]).view(), Actions::Continuous(&[0.5, -1.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ActionColumn {
    /// Indices.
    Discrete(Vec<u32>),
    /// Numbers.
    Continuous(Vec<f32>),
}

/// Room for one action.
#[derive(Debug)]
pub enum ActionMut<'a> {
    /// Indices, `[K]`.
    Discrete(&'a mut [u32]),
    /// Numbers, `[K]`.
    Continuous(&'a mut [f32]),
}

impl ActionColumn {
    /// None yet, of this kind.
    #[must_use]
    pub fn new(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Discrete => Self::Discrete(Vec::new()),
            ActionKind::Continuous => Self::Continuous(Vec::new()),
        }
    }

    /// Their kind.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Discrete(_) => ActionKind::Discrete,
            Self::Continuous(_) => ActionKind::Continuous,
        }
    }

    /// Numbers or indices in all, `B·K`.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Discrete(indices) => indices.len(),
            Self::Continuous(numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The indices, `[B, K]`; none of actions that are numbers.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        match self {
            Self::Discrete(indices) => indices,
            Self::Continuous(_) => &[],
        }
    }

    /// The numbers, `[B, K]`; none of actions that are indices.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        match self {
            Self::Discrete(_) => &[],
            Self::Continuous(numbers) => numbers,
        }
    }

    /// All of them as environments take them.
    #[must_use]
    pub fn view(&self) -> Actions<'_> {
        match self {
            Self::Discrete(indices) => Actions::Discrete(indices),
            Self::Continuous(numbers) => Actions::Continuous(numbers),
        }
    }

    /// Room for one at these places of the flat column.
    pub(crate) fn room(&mut self, places: Range<usize>) -> ActionMut<'_> {
        match self {
            Self::Discrete(indices) => ActionMut::Discrete(&mut indices[places]),
            Self::Continuous(numbers) => ActionMut::Continuous(&mut numbers[places]),
        }
    }

    /// Forgets all, for actions of this kind from now on. Room is kept from one of a kind to the next.
    pub fn clear(&mut self, kind: ActionKind) {
        match (self, kind) {
            (Self::Discrete(indices), ActionKind::Discrete) => indices.clear(),
            (Self::Continuous(numbers), ActionKind::Continuous) => numbers.clear(),
            (other, kind) => *other = Self::new(kind),
        }
    }

    /// Makes it of this length, with zeros for what there is not.
    pub(crate) fn resize(&mut self, len: usize) {
        match self {
            Self::Discrete(indices) => indices.resize(len, 0),
            Self::Continuous(numbers) => numbers.resize(len, 0.0),
        }
    }

    /// Replaces them by those of `from` in these rows of length `k`.
    #[track_caller]
    pub(super) fn take(&mut self, from: &Self, rows: &[usize], k: usize) {
        fn pick<T: Copy>(to: &mut Vec<T>, from: &[T], rows: &[usize], k: usize) {
            match k {
                1 => to.extend(rows.iter().map(|&i| from[i])),
                k => rows.iter().for_each(|&i| to.extend_from_slice(&from[i * k..(i + 1) * k])),
            }
        }
        self.clear(from.kind());
        match (self, from) {
            (Self::Discrete(to), Self::Discrete(from)) => pick(to, from, rows, k),
            (Self::Continuous(to), Self::Continuous(from)) => pick(to, from, rows, k),
            _ => {}
        }
    }
}

impl Default for ActionColumn {
    fn default() -> Self {
        Self::new(ActionKind::default())
    }
}

impl From<Vec<u32>> for ActionColumn {
    fn from(indices: Vec<u32>) -> Self {
        Self::Discrete(indices)
    }
}

impl From<Vec<f32>> for ActionColumn {
    fn from(numbers: Vec<f32>) -> Self {
        Self::Continuous(numbers)
    }
}
