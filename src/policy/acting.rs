//! What acting takes besides observations: how an action is chosen, and what is remembered of each lane.

use crate::seed::Rng;

/// How an action is chosen of a policy's distribution.
#[derive(Debug)]
pub enum Mode<'a> {
    /// The likeliest one, the first of equals.
    Likeliest,
    /// One drawn with this generator, lane after lane: from the same state it draws the same.
    Sampled(&'a mut Rng),
}

impl Mode<'_> {
    /// The same once more.
    pub(super) fn again(&mut self) -> Mode<'_> {
        match self {
            Mode::Likeliest => Mode::Likeliest,
            Mode::Sampled(rng) => Mode::Sampled(rng),
        }
    }
}

/// What a policy remembers of each lane it plays in, from one observation to the next: nothing where its network has no
/// [memory](crate::Model::memory). [`Policy::memory`](crate::Policy::memory) makes one, for lanes that begin an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    lanes: usize,
    /// `[lanes, width]`.
    pub(super) numbers: Vec<f32>,
}

impl Memory {
    pub(super) fn new(lanes: usize, width: usize) -> Self {
        Self { lanes, numbers: vec![0.0; lanes * width] }
    }

    /// Lanes that it is of.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Forgets a lane whose episode has ended, before the first observation of the next; nothing where there is no such lane.
    pub fn forget(&mut self, lane: usize) {
        let width = self.numbers.len() / self.lanes.max(1);
        if let Some(own) = self.numbers.get_mut(lane * width..(lane + 1) * width) {
            own.fill(0.0);
        }
    }
}
