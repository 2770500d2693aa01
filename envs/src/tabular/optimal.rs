//! What the best policy is worth.

use super::{FiniteMdp, MdpError, check_discount};

/// Sweeps after which value iteration gives up: enough for a discount of 0.9999.
const MAX_SWEEPS: usize = 1_000_000;
/// A sweep that changes no value by more than this, relative to the largest, is the last.
const CONVERGED: f64 = 1e-14;
/// Action values this near, relative to the largest, count as equal: they differ by rounding.
const TIE: f64 = 1e-10;

impl FiniteMdp {
    /// The best value of each state that any policy reaches, `[S]`, by value iteration from 0:
    ///
    ///   V(s) ← maxₐ Σ P(s'|s,a) (r + γ·\[not terminal\]·V(s'))
    ///
    /// Sutton and Barto 2018, eq. 4.10, <http://incompleteideas.net/book/the-book-2nd.html>.
    ///
    /// # Errors
    /// [`MdpError::Discount`]; [`MdpError::NotConverged`] where the values are infinite or γ is very near to 1.
    pub fn optimal_values(&self, gamma: f64) -> Result<Vec<f64>, MdpError> {
        check_discount(gamma)?;
        let mut values = vec![0.0; self.states()];
        let mut change = 0.0;
        for _ in 0..MAX_SWEEPS {
            let best = self.backup(&values, gamma);
            (change, values) = best.chunks_exact(self.actions).zip(&values).enumerate().fold(
                (0.0_f64, Vec::with_capacity(values.len())),
                |(change, mut next), (state, (row, old))| {
                    let new = self.best_of(state, row);
                    next.push(new);
                    (change.max((new - old).abs()), next)
                },
            );
            if change <= CONVERGED * (1.0 + max_abs(&values)) {
                return Ok(values);
            }
        }
        Err(MdpError::NotConverged { sweeps: MAX_SWEEPS, change })
    }

    /// A best policy, `[S, A]`: in each state the first of the actions whose value is the best.
    ///
    /// Where going round in circles costs nothing (γ = 1 and a step reward of 0) a circle is as good as the way to the
    /// goal, and this policy may go round; a step reward below 0 or γ < 1 tells them apart.
    ///
    /// # Errors
    /// As [`optimal_values`](Self::optimal_values).
    pub fn optimal_policy(&self, gamma: f64) -> Result<Vec<f64>, MdpError> {
        let action_values = self.backup(&self.optimal_values(gamma)?, gamma);
        let tie = TIE * (1.0 + max_abs(&action_values));
        let mut policy = vec![0.0; action_values.len()];
        let rows = action_values.chunks_exact(self.actions).zip(policy.chunks_exact_mut(self.actions));
        for (state, (row, chosen)) in rows.enumerate() {
            let best = self.best_of(state, row);
            let is_best = |(action, &value): (usize, &f64)| value >= best - tie && self.is_legal(state, action);
            let first = row.iter().enumerate().position(is_best).unwrap_or(0);
            chosen[first] = 1.0;
        }
        Ok(policy)
    }
}

fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}
