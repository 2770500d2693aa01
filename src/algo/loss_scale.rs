//! What a loss in f16 is multiplied by.

use crate::optim::Slot;
use crate::{Error, Result};

/// Dynamic loss scaling: so much is the loss multiplied by before its way back, and the gradient divided by after it, in f32.
///
/// ```math
///   s ← s/2 where a gradient is not finite, and its step is not taken          s ← 2·s after 2,000 steps that are, in a row
/// ```
///
/// Powers of two, so that neither rounds. A gradient that is not finite at `s = 1` is a divergence. Numbers are those of
/// `torch.amp.GradScaler`, <https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling>; Micikevicius et al. 2018, section 3.2,
/// <https://arxiv.org/abs/1710.03740>.
#[derive(Debug, Clone, PartialEq)]
pub struct LossScale {
    scale: f64,
    /// Steps taken since it last changed.
    taken: u64,
    skipped: u64,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { scale: Self::INITIAL, taken: 0, skipped: 0 }
    }
}

impl LossScale {
    /// What it begins at.
    pub const INITIAL: f64 = 65_536.0;
    /// Steps taken in a row after which it is doubled.
    pub const INTERVAL: u64 = 2_000;

    /// `s`.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Steps that were not taken.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether a step is to be taken by a gradient that is finite or not.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where no smaller scale would make it finite.
    pub(super) fn takes(&mut self, is_finite: bool) -> Result<bool> {
        if is_finite {
            self.taken += 1;
            if self.taken == Self::INTERVAL {
                (self.scale, self.taken) = (2.0 * self.scale, 0);
            }
            return Ok(true);
        }
        if self.scale <= 1.0 {
            return Err(Error::NotFinite { what: "the gradient of the parameters in f16".into() });
        }
        (self.scale, self.taken) = (self.scale / 2.0, 0);
        self.skipped += 1;
        Ok(false)
    }

    /// What a row of the metrics says of it.
    pub(crate) fn report(&self) -> [(&'static str, f64); 2] {
        [("loss_scale", self.scale), ("skipped_steps", self.skipped as f64)]
    }

    /// Shows what it remembers. Writing to the slots restores it.
    pub(super) fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("scale", Slot::Scalar(&mut self.scale));
        visit("taken", Slot::Count(&mut self.taken));
        visit("skipped", Slot::Count(&mut self.skipped));
    }

    /// Refuses what it cannot have come to.
    pub(super) fn check(&self) -> Result<()> {
        let is_power = self.scale.is_normal() && self.scale.to_bits().trailing_zeros() >= f64::MANTISSA_DIGITS - 1;
        match is_power && self.scale >= 1.0 && self.taken < Self::INTERVAL {
            true => Ok(()),
            false => {
                let Self { scale, taken, .. } = self;
                Err(Error::Checkpoint(format!("no loss scale comes to {scale} after {taken} steps without a change")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LossScale;

    #[test]
    fn it_is_halved_where_a_gradient_is_not_finite_and_doubled_after_2000_that_are() {
        let mut scale = LossScale::default();
        for _ in 0..1_999 {
            assert!(scale.takes(true).expect("a step"));
        }
        assert_eq!((scale.scale(), scale.skipped()), (65_536.0, 0));
        assert!(scale.takes(true).expect("a step"));
        assert_eq!((scale.scale(), scale.skipped()), (131_072.0, 0));
        (0..1_999).for_each(|_| assert!(scale.takes(true).expect("a step")));
        assert!(!scale.takes(false).expect("a smaller scale"));
        assert_eq!((scale.scale(), scale.skipped()), (65_536.0, 1));
        // Those before it count no longer.
        (0..1_999).for_each(|_| assert!(scale.takes(true).expect("a step")));
        assert_eq!(scale.scale(), 65_536.0);
        assert!(scale.takes(true).expect("a step"));
        assert_eq!(scale.scale(), 131_072.0);
    }

    #[test]
    fn a_gradient_that_is_never_finite_is_a_divergence_in_the_end() {
        let mut scale = LossScale::default();
        (0..16).for_each(|_| assert!(!scale.takes(false).expect("a smaller scale")));
        assert_eq!((scale.scale(), scale.skipped()), (1.0, 16));
        let error = scale.takes(false).expect_err("no smaller scale").to_string();
        assert!(error.contains("the gradient of the parameters in f16"), "{error}");
        assert_eq!((scale.scale(), scale.skipped()), (1.0, 16));
    }

    #[test]
    fn what_it_cannot_have_come_to_is_refused() {
        for (scale, taken, is_possible) in [
            (1.0, 0, true),
            (65_536.0, 1_999, true),
            (65_536.0, 2_000, false),
            (0.5, 0, false),
            (-2.0, 0, false),
            (3.0, 0, false),
            (0.0, 0, false),
            (f64::INFINITY, 0, false),
            (f64::NAN, 0, false),
        ] {
            assert_eq!(LossScale { scale, taken, skipped: 0 }.check().is_ok(), is_possible, "{scale} {taken}");
        }
    }
}
