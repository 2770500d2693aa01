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

/// The places of the best `count` of some scores; of equals, the first. What has none never is.
pub(super) fn best(scores: &[Option<f64>], count: usize) -> Vec<usize> {
    let mut scored: Vec<(usize, f64)> =
        scores.iter().enumerate().filter_map(|(i, score)| Some((i, (*score)?))).collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.truncate(count);
    let mut places: Vec<usize> = scored.into_iter().map(|(i, _)| i).collect();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
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
        let scores = [Some(1.0), None, Some(3.0), Some(2.0), Some(3.0), Some(-1.0)];
        assert_eq!(best(&scores, 3), [2, 3, 4]);
        assert_eq!(best(&scores, 1), [2]);
        assert_eq!(best(&scores, 9), [0, 2, 3, 4, 5]);
        assert_eq!(best(&[None, None], 1), [0usize; 0]);
    }
}
