//! The observations of many steps.

use std::borrow::Cow;

use uphill_envs::Space;

/// How a number of an observation is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObservationKind {
    /// As it is, in four bytes.
    #[default]
    Number,
    /// In one byte: of an image, whose numbers are whole and at most 255.
    Byte,
}

impl ObservationKind {
    /// That of observations of a space.
    #[must_use]
    pub fn of(space: &Space) -> Self {
        if matches!(space, Space::Image { .. }) { Self::Byte } else { Self::Number }
    }

    /// Bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Number => size_of::<f32>(),
            Self::Byte => size_of::<u8>(),
        }
    }
}

/// Observations of many steps or lanes, `[B, D]` row by row, all of one kind.
///
/// ```
/// use uphill::ObservationColumn;
///
/// let mut pixels = ObservationColumn::Byte(Vec::new());
/// pixels.extend(&[0.0, 255.0, 7.0]);
/// assert_eq!(pixels, ObservationColumn::Byte(vec![0, 255, 7]));
/// assert_eq!(*pixels.numbers(1..3), [255.0, 7.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ObservationColumn {
    /// Numbers as they are.
    Number(Vec<f32>),
    /// Whole numbers up to 255.
    Byte(Vec<u8>),
}

impl ObservationColumn {
    /// None yet, of this kind.
    #[must_use]
    pub fn new(kind: ObservationKind) -> Self {
        match kind {
            ObservationKind::Number => Self::Number(Vec::new()),
            ObservationKind::Byte => Self::Byte(Vec::new()),
        }
    }

    /// Their kind.
    #[must_use]
    pub fn kind(&self) -> ObservationKind {
        match self {
            Self::Number(_) => ObservationKind::Number,
            Self::Byte(_) => ObservationKind::Byte,
        }
    }

    /// Numbers in all, `B·D`.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(numbers) => numbers.len(),
            Self::Byte(bytes) => bytes.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them as numbers: borrowed where they are kept as they are.
    #[must_use]
    pub fn all(&self) -> Cow<'_, [f32]> {
        self.numbers(0..self.len())
    }

    /// The numbers at these places of the flat column: borrowed where they are kept as they are.
    ///
    /// # Panics
    /// If there are no such places.
    #[must_use]
    #[track_caller]
    pub fn numbers(&self, places: std::ops::Range<usize>) -> Cow<'_, [f32]> {
        match self {
            Self::Number(numbers) => Cow::Borrowed(&numbers[places]),
            Self::Byte(bytes) => Cow::Owned(bytes[places].iter().map(|&byte| byte.into()).collect()),
        }
    }

    /// Appends observations. Bytes are the nearest ones to the numbers, which are these numbers themselves where the guard of
    /// environments has let them through.
    pub fn extend(&mut self, observations: &[f32]) {
        match self {
            Self::Number(numbers) => numbers.extend_from_slice(observations),
            Self::Byte(bytes) => bytes.extend(observations.iter().map(|&x| x as u8)),
        }
    }

    /// Forgets all, for observations of this kind from now on. Room is kept from one of a kind to the next.
    pub fn clear(&mut self, kind: ObservationKind) {
        match (self, kind) {
            (Self::Number(numbers), ObservationKind::Number) => numbers.clear(),
            (Self::Byte(bytes), ObservationKind::Byte) => bytes.clear(),
            (other, kind) => *other = Self::new(kind),
        }
    }

    /// Makes it of this length, with zeros for what there is not.
    pub(crate) fn resize(&mut self, len: usize) {
        match self {
            Self::Number(numbers) => numbers.resize(len, 0.0),
            Self::Byte(bytes) => bytes.resize(len, 0),
        }
    }

    /// Appends those in these rows of length `d`, as numbers, to `to`.
    #[track_caller]
    pub(crate) fn numbers_at(&self, rows: impl Iterator<Item = usize>, d: usize, to: &mut Vec<f32>) {
        match self {
            Self::Number(from) => rows.for_each(|i| to.extend(from[i * d..(i + 1) * d].iter().copied())),
            Self::Byte(from) => {
                rows.for_each(|i| to.extend(from[i * d..(i + 1) * d].iter().map(|&byte| f32::from(byte))));
            }
        }
    }
}

impl ObservationColumn {
    /// Goes through all of them as numbers, rows of length `d`: all at once where they are kept as numbers, else some rows at a
    /// time, so that these numbers take little room.
    pub(crate) fn each<E>(
        &self,
        d: usize,
        room: &mut Vec<f32>,
        mut with: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Number(numbers) => with(numbers),
            Self::Byte(_) => self.each_of((AT_ONCE / d.max(1)).clamp(1, MOST_ROWS) * d, room, with),
        }
    }

    /// The same, so many numbers at a time.
    pub(crate) fn each_of<E>(
        &self,
        len: usize,
        room: &mut Vec<f32>,
        mut with: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Number(numbers) => numbers.chunks(len.max(1)).try_for_each(with),
            Self::Byte(bytes) => bytes.chunks(len.max(1)).try_for_each(|bytes| {
                room.clear();
                room.extend(bytes.iter().map(|&byte| f32::from(byte)));
                with(room)
            }),
        }
    }
}

/// Bytes that are made numbers at once, and rows.
const AT_ONCE: usize = 1 << 20;
const MOST_ROWS: usize = 256;

impl Default for ObservationColumn {
    fn default() -> Self {
        Self::new(ObservationKind::default())
    }
}

impl From<Vec<f32>> for ObservationColumn {
    fn from(numbers: Vec<f32>) -> Self {
        Self::Number(numbers)
    }
}

impl From<Vec<u8>> for ObservationColumn {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Byte(bytes)
    }
}
