//! What one thread adds to a gradient, and the sum of all.

use std::ops::Range;

use crate::kernels::add;
use crate::objective::RowSums;
use crate::{Error, Result};

/// The most shares of a minibatch that is not a very large one.
const MOST: usize = 8;
/// The most of any, which take so many rows each, and numbers in all: more than threads need, for ranks.
const MOST_OF_ALL: usize = 64;
const ROWS: usize = 2_048;
const NUMBERS: usize = 1 << 22;

/// How many shares a minibatch of so many rows is split into, of which so many are worth one of their own, and for so many parameters.
/// It is the same on every machine, so that sums are taken in the same order everywhere.
pub(super) fn count(rows: usize, worth: usize, parameters: usize) -> usize {
    let of_a_large_one = (rows / ROWS).min(NUMBERS / parameters.max(1)).min(MOST_OF_ALL);
    rows.div_ceil(worth).clamp(1, MOST.max(of_a_large_one))
}

/// A share of a minibatch's gradient, in room that is kept from update to update.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// `[P]`.
    pub(super) gradient: Vec<f32>,
    /// Its part of the loss, a sum over rows.
    pub(super) loss: f64,
    /// What the terms reported, sums over rows.
    pub(super) sums: RowSums,
    /// Whether it was broken off.
    pub(super) interrupted: bool,
}

impl Share {
    /// Nothing yet, of so many parameters, in these places of the gradient; what is in others is nobody's.
    pub(super) fn begin(&mut self, parameters: usize, places: &[Range<usize>]) {
        self.gradient.resize(parameters, 0.0);
        places.iter().for_each(|places| self.gradient[places.clone()].fill(0.0));
        self.sums.clear();
        (self.loss, self.interrupted) = (0.0, false);
    }

    /// Exchanges all of its gradient for `gradient`, `[P]`, whose room it takes, and replaces `sums` by its own; returns its loss.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if it was broken off.
    pub(super) fn give(&mut self, gradient: &mut Vec<f32>, sums: &mut RowSums) -> Result<f64> {
        if self.interrupted {
            return Err(Error::Interrupted);
        }
        std::mem::swap(&mut self.gradient, gradient);
        std::mem::swap(&mut self.sums, sums);
        Ok(self.loss)
    }

    /// Replaces these places of `gradient`, and `sums`, by the sums over all shares, at least one, in their order; returns that of the
    /// losses.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if one of them was broken off.
    pub(super) fn total<'a>(
        shares: impl Iterator<Item = &'a Share> + Clone,
        (parameters, places): (usize, &[Range<usize>]),
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<f64> {
        if shares.clone().any(|share| share.interrupted) {
            return Err(Error::Interrupted);
        }
        gradient.resize(parameters, 0.0);
        sums.clear();
        let mut loss = 0.0;
        for (index, share) in shares.enumerate() {
            loss += share.loss;
            share.sums.entries().iter().for_each(|&(name, sum)| sums.add(name, sum));
            for places in places {
                let (sum, own) = (&mut gradient[places.clone()], &share.gradient[places.clone()]);
                if index == 0 { sum.copy_from_slice(own) } else { add(sum, own) }
            }
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn large_minibatches_have_shares_for_many_ranks() {
        assert_eq!([0, 1, 64, 65, 512, 18_431].map(|rows| count(rows, 64, 9_155)), [1, 1, 1, 2, 8, 8]);
        assert_eq!([18_432, 32_768, 131_072, 1 << 24].map(|rows| count(rows, 64, 9_155)), [9, 16, 64, 64]);
        // A share has the size of the network.
        assert_eq!([1 << 18, 1 << 20, 1 << 30].map(|parameters| count(1 << 17, 64, parameters)), [16, 8, 8]);
        assert_eq!(count(1 << 17, 1 << 16, 9_155), 2);
    }
}
