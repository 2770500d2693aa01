//! What a transform needs.

use std::iter::Sum;
use std::ops::Add;

/// What a transform needs for parameters of some layout.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Need {
    /// Bytes that it keeps from step to step: its state, which goes into checkpoints.
    pub state: usize,
    /// Bytes that a step works in.
    pub work: usize,
    /// Multiplications of products and decompositions of matrices, about, in the mean over steps; 0 where a step takes but a
    /// few a parameter.
    pub multiplications: f64,
}

impl Need {
    /// Needs so much state, and nothing else.
    #[must_use]
    pub fn of_state(bytes: usize) -> Self {
        Self { state: bytes, ..Self::default() }
    }
}

impl Add for Need {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            state: self.state.saturating_add(other.state),
            work: self.work.saturating_add(other.work),
            multiplications: self.multiplications + other.multiplications,
        }
    }
}

impl Sum for Need {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}
