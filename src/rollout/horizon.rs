//! How long a rollout is.

/// How much one rollout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// So many steps in every lane, cutting episodes where they stand; the next rollout goes on from there.
    Steps(usize),
    /// So many whole episodes in every lane. A lane that has played its own waits for the others, so that every
    /// episode counts alike: taking the first to finish would prefer short ones.
    Episodes(usize),
}
