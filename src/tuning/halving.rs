//! Which trials go on.

use serde::{Deserialize, Serialize};

/// What ends trials before their last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pruner {
    /// Nothing.
    None,
    /// Successive halving: all trials run to the first rung, the best `1/eta` of them go on to the next, `eta` times as far,
    /// and so on to the last, which is the whole length. Jamieson and Talwalkar 2016, <https://arxiv.org/abs/1502.07943>.
    Halving,
}

/// The steps that each rung is at: `steps / etaᵏ`, the last one `steps`.
pub(super) fn rungs(pruner: Pruner, steps: u64, eta: u64, rungs: u32) -> Vec<u64> {
    match pruner {
        Pruner::None => vec![steps],
        Pruner::Halving => (0..rungs).rev().map(|k| steps / eta.saturating_pow(k)).collect(),
    }
}

/// How many of so many trials go on from rung `k`, from 0: at least one.
pub(super) fn survivors(trials: usize, eta: u64, k: usize) -> usize {
    let share = eta.saturating_pow(u32::try_from(k + 1).unwrap_or(u32::MAX));
    usize::try_from(trials as u64 / share).unwrap_or(usize::MAX).max(1)
}

/// How a trial stands at a rung.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Standing {
    Score(f64),
    /// Nothing can be told of it yet: no episode of it has ended.
    Unknown,
    Diverged,
}

/// The places of the `count` best; of equals, the first. Where fewer have a score those go on, too, of which nothing is known yet, the
/// first of them: their episodes may be the longest. What has diverged never is among them.
pub(super) fn best(standings: &[Standing], count: usize) -> Vec<usize> {
    let with = |i: usize| match standings[i] {
        Standing::Score(score) => Some((i, Some(score))),
        Standing::Unknown => Some((i, None)),
        Standing::Diverged => None,
    };
    let mut going: Vec<(usize, Option<f64>)> = (0..standings.len()).filter_map(with).collect();
    going.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    going.truncate(count);
    let mut places: Vec<usize> = going.into_iter().map(|(i, _)| i).collect();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::Standing::{Diverged, Score, Unknown};
    use super::{Pruner, best, rungs, survivors};

    #[test]
    fn rungs_end_at_the_whole_length() {
        assert_eq!(rungs(Pruner::Halving, 100_000, 3, 3), [11_111, 33_333, 100_000]);
        assert_eq!(rungs(Pruner::Halving, 64, 2, 4), [8, 16, 32, 64]);
        assert_eq!(rungs(Pruner::None, 100_000, 3, 3), [100_000]);
    }

    #[test]
    fn a_share_of_all_trials_goes_on_and_one_at_least() {
        assert_eq!([0, 1, 2, 3].map(|k| survivors(32, 3, k)), [10, 3, 1, 1]);
        assert_eq!([0, 1, 2].map(|k| survivors(16, 2, k)), [8, 4, 2]);
        assert_eq!(survivors(2, 3, 0), 1);
    }

    #[test]
    fn the_best_go_on_the_first_of_equals_and_none_that_diverged() {
        let standings = [Score(1.0), Diverged, Score(3.0), Score(2.0), Score(3.0), Score(-1.0)];
        assert_eq!(best(&standings, 3), [2, 3, 4]);
        assert_eq!(best(&standings, 1), [2]);
        assert_eq!(best(&standings, 9), [0, 2, 3, 4, 5]);
        assert_eq!(best(&[Diverged, Diverged], 1), [0usize; 0]);
    }

    #[test]
    fn what_cannot_be_judged_yet_goes_on_where_there_is_room() {
        assert_eq!(best(&[Unknown, Diverged, Unknown, Unknown], 2), [0, 2]);
        assert_eq!(best(&[Unknown, Score(-5.0), Unknown, Diverged], 2), [0, 1]);
        assert_eq!(best(&[Unknown, Score(-5.0), Score(1.0)], 2), [1, 2]);
    }
}
