//! Zeros for NaN and infinities.

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, Slot};
use crate::Result;

/// See [`zero_non_finite`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ZeroNonFinite {
    zeroed: u64,
}

/// Replaces NaN and infinite numbers of the gradient by 0, and counts them.
///
/// It must be the first link: a gradient that is not finite is an error to every other chain. How many numbers were
/// replaced so far is in [`Optimizer::report`](super::Optimizer::report) under `non_finite_zeroed`. As
/// `optax.zero_nans`, which lets infinities pass.
#[must_use]
pub fn zero_non_finite() -> ZeroNonFinite {
    ZeroNonFinite::default()
}

impl GradientTransform for ZeroNonFinite {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        for g in gradient.iter_mut().filter(|g| !g.is_finite()) {
            *g = 0.0;
            self.zeroed += 1;
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("zeroed", Slot::Count(&mut self.zeroed));
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        show("non_finite_zeroed", self.zeroed as f64);
    }

    fn mends_non_finite(&self) -> bool {
        true
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "zero_non_finite",
    summary: "zeroes NaN and infinite numbers, counts and reports them; must come first",
    params: &[],
    make: Make::Link(Place::First, |_| Ok(Chain::new().then(zero_non_finite()))),
}];
