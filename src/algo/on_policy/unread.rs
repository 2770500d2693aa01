//! What minibatches have come to on a device, until it is read.

use candle_core::Tensor;

use super::descent::Totals;
use crate::Result;
use crate::algo::loss_gradient::{LeftThere, check_loss};

/// Losses of minibatches and what their terms report, scalars on a device: read together, as the host waits for the device at each
/// reading.
#[derive(Debug, Default)]
pub(super) struct Unread {
    scalars: Vec<Tensor>,
    /// The terms of each minibatch, whose scalars come after its loss.
    terms: Vec<Vec<&'static str>>,
}

impl Unread {
    /// Keeps the scalars; gives the gradient.
    pub(super) fn put(&mut self, left: LeftThere) -> Tensor {
        let (terms, scalars): (Vec<_>, Vec<_>) = left.report.entries().iter().cloned().unzip();
        self.scalars.push(left.loss);
        self.scalars.extend(scalars);
        self.terms.push(terms);
        left.gradient
    }

    /// How many minibatches are unread.
    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    /// Forgets those after the first so many.
    pub(super) fn truncate(&mut self, minibatches: usize) {
        self.terms.truncate(minibatches);
        self.scalars.truncate(self.terms.iter().map(|terms| 1 + terms.len()).sum());
    }

    /// Whether it has what the terms of the last minibatch report.
    pub(super) fn has_terms(&self) -> bool {
        self.terms.last().is_some_and(|terms| !terms.is_empty())
    }

    /// Adds to the totals all that is unread.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) for a loss that is not finite, [`Error::Tensor`](crate::Error::Tensor) if the
    /// device fails.
    pub(super) fn read(&mut self, totals: &mut Totals, kl_name: Option<&str>) -> Result<()> {
        let Self { scalars, terms } = std::mem::take(self);
        if scalars.is_empty() {
            return Ok(());
        }
        let mut numbers = Tensor::stack(&scalars, 0)?.to_vec1::<f32>()?.into_iter().map(f64::from);
        for terms in terms {
            check_loss(numbers.next().unwrap_or(f64::NAN))?;
            if !terms.is_empty() {
                totals.add(terms.into_iter().zip(&mut numbers), kl_name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{Totals, Unread};
    use crate::algo::loss_gradient::LeftThere;
    use crate::objective::Report;

    fn left(loss: f32, means: &[(&'static str, f32)]) -> LeftThere {
        let scalar = |x: f32| Tensor::new(x, &Device::Cpu).expect("a scalar");
        let mut report = Report::default();
        means.iter().for_each(|&(name, mean)| report.push(name, &scalar(mean)));
        LeftThere { gradient: scalar(0.5), loss: scalar(loss), report }
    }

    #[test]
    fn what_is_read_together_is_of_each_minibatch() {
        let (mut unread, mut totals) = (Unread::default(), Totals::default());
        assert!(!unread.has_terms());
        unread.put(left(1.0, &[("policy_loss", 2.0), ("approx_kl", 0.25)]));
        unread.put(left(3.0, &[("policy_loss", 4.0), ("approx_kl", 0.125)]));
        assert!(unread.has_terms());
        unread.read(&mut totals, Some("approx_kl")).expect("numbers");
        assert_eq!(totals.last_kl, 0.125);
        assert_eq!(totals.mean().terms, [("policy_loss", 3.0), ("approx_kl", 0.1875)]);
        assert!(!unread.has_terms());
    }

    #[test]
    fn a_loss_that_is_not_finite_is_told_when_it_is_read_and_what_came_before_it_counts() {
        let (mut unread, mut totals) = (Unread::default(), Totals::default());
        unread.put(left(1.0, &[("policy_loss", 2.0)]));
        unread.put(left(f32::NAN, &[("policy_loss", 3.0)]));
        let error = unread.read(&mut totals, None).expect_err("a loss that is no number").to_string();
        assert!(error.contains("the loss is not finite"), "{error}");
        assert_eq!(totals.mean().terms, [("policy_loss", 2.0)]);
    }
}
