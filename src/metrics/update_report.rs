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

impl UpdateReport {
    /// The same, if all that it reports is finite; there may be no explained variance.
    pub(crate) fn finite(self) -> Result<Self> {
        let norms = [("grad_norm", self.grad_norm), ("update_norm", self.update_norm)];
        match self.terms.iter().chain(&norms).find(|(_, value)| !value.is_finite()) {
            Some((name, _)) => Err(Error::NotFinite { what: format!("the {name} of the update") }),
            None => Ok(self),
        }
    }
}
