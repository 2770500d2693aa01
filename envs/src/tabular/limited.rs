//! What policies are worth under a time limit, undiscounted: the returns that episodes really have.

use super::{FiniteMdp, MdpError};

/// Values with `h` actions left, from `h = 0` on: V₀ = 0 and
///
/// ```text
///   Vₕ(s) = Σₐ π(a|s) Σ P(s'|s,a) (r + [not terminal]·Vₕ₋₁(s'))
/// ```
///
/// with `maxₐ` in the place of `Σₐ π(a|s)` for the optimum. Sutton and Barto 2018, section 4.1, over a finite horizon.
impl FiniteMdp {
    /// The expected undiscounted return of an episode that is cut off after `limit` actions, under a policy `[S, A]`.
    ///
    /// # Errors
    /// [`MdpError::Length`] or [`MdpError::Distribution`] for what is no policy.
    pub fn start_value_within(&self, policy: &[f64], limit: u32) -> Result<f64, MdpError> {
        self.check_policy(policy)?;
        Ok(self.within(limit, |state, values| {
            let row = policy.iter().skip(state * self.actions);
            row.zip(values).map(|(p, value)| p * value).sum()
        }))
    }

    /// The largest such return that any policy has, one that may count its steps included.
    #[must_use]
    pub fn optimal_value_within(&self, limit: u32) -> f64 {
        self.within(limit, |state, values| self.best_of(state, values))
    }

    /// The mean start value after so many sweeps of one backup, which `choose` makes of a state's action values.
    fn within(&self, limit: u32, choose: impl Fn(usize, &[f64]) -> f64) -> f64 {
        let mut values = vec![0.0; self.states()];
        for _ in 0..limit {
            let backed_up = self.backup(&values, 1.0);
            let rows = backed_up.chunks_exact(self.actions).enumerate();
            values = rows.map(|(state, row)| choose(state, row)).collect();
        }
        self.start.iter().zip(values).map(|(p, value)| p * value).sum()
    }
}
