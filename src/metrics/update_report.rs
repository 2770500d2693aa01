//! What an algorithm tells of an update.

use crate::{Error, Result};

/// What one update was like: means over its gradient steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateReport {
    /// What the objective's terms reported, such as `policy_loss`.
    pub terms: Vec<(&'static str, f64)>,
    /// Norm of the gradient, before clipping.
    pub grad_norm: f64,
    /// Norm of the change of the parameters.
    pub update_norm: f64,
    /// `1 − Var[target − value] / Var[target]` over the rollout; NaN without a critic or where targets are constant.
    pub explained_variance: f64,
}

/// The mean of several, by the names of their terms.
#[derive(Debug, Default)]
pub(crate) struct Mean {
    sum: UpdateReport,
    count: f64,
}

impl Mean {
    /// Takes one more.
    pub(crate) fn add(&mut self, report: UpdateReport) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = report;
            return;
        }
        let sum = &mut self.sum;
        report.terms.into_iter().for_each(|(name, value)| sum.add_term(name, value));
        sum.grad_norm += report.grad_norm;
        sum.update_norm += report.update_norm;
        sum.explained_variance += report.explained_variance;
    }

    /// What they come to.
    pub(crate) fn mean(self) -> UpdateReport {
        self.sum.over(self.count)
    }
}

impl UpdateReport {
    /// Adds to a term.
    pub(crate) fn add_term(&mut self, name: &'static str, value: f64) {
        match self.terms.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += value,
            None => self.terms.push((name, value)),
        }
    }

    /// Of sums over so many their means.
    pub(crate) fn over(mut self, count: f64) -> Self {
        let Self { terms, grad_norm, update_norm, explained_variance } = &mut self;
        let terms = terms.iter_mut().map(|(_, total)| total);
        terms.chain([grad_norm, update_norm, explained_variance]).for_each(|total| *total /= count);
        self
    }

    /// The same, if all that it reports is finite; there may be no explained variance.
    pub(crate) fn finite(self) -> Result<Self> {
        let norms = [("grad_norm", self.grad_norm), ("update_norm", self.update_norm)];
        match self.terms.iter().chain(&norms).find(|(_, value)| !value.is_finite()) {
            Some((name, _)) => Err(Error::NotFinite { what: format!("the {name} of the update") }),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mean, UpdateReport};

    #[test]
    fn several_reports_are_their_mean_term_by_term() {
        let report = |entropy, grad_norm, update_norm, explained_variance| {
            let terms = vec![("entropy", entropy), ("value_loss", 2.0 * entropy)];
            UpdateReport { terms, grad_norm, update_norm, explained_variance }
        };
        let mut mean = Mean::default();
        mean.add(report(1.0, 2.0, 3.0, 0.5));
        assert_eq!(Mean { sum: report(1.0, 2.0, 3.0, 0.5), count: 1.0 }.mean(), report(1.0, 2.0, 3.0, 0.5));
        mean.add(report(2.0, 4.0, 5.0, 0.25));
        mean.add(report(6.0, 0.0, 1.0, 0.75));
        assert_eq!(mean.mean(), report(3.0, 2.0, 3.0, 0.5));
    }
}
