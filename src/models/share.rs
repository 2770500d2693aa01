//! What one thread adds to a gradient, and the sum of all.

use std::ops::Range;

use crate::kernels::add;
use crate::objective::RowSums;
use crate::{Error, Result};

/// The most shares of one minibatch. Their number depends on the minibatch alone and not on the machine, so that sums are
/// taken in the same order everywhere.
pub(super) const MOST: usize = 8;

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
