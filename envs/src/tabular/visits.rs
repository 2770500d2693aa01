//! Where a policy spends its time when episodes follow each other.

use super::{FiniteMdp, MdpError};

impl FiniteMdp {
    /// The distribution of the state that an action is taken in, averaged over the first `steps` steps of a lane that is
    /// reset in the step that ends its episode, `[S]`:
    ///
    ///   ρ₀ = start,   ρₜ₊₁(s') = Σₛₐ ρₜ(s) π(a|s) P(s'|s,a) \[goes on\] + Pr(ended at t) start(s'),   (1/T) Σₜ ρₜ
    ///
    /// This is what a collector with auto-reset sees on average in its first rollout of `steps` steps a lane: the states
    /// that windowed estimators (n-step, GAE) average over. `limit` is that of a [`TimeLimit`](crate::TimeLimit):
    /// episodes end after so many steps in any case.
    ///
    /// # Errors
    /// [`MdpError::Length`] or [`MdpError::Distribution`] for what is no policy, [`MdpError::Zero`] for no steps.
    pub fn visits(&self, policy: &[f64], steps: usize, limit: Option<u32>) -> Result<Vec<f64>, MdpError> {
        self.check_policy(policy)?;
        if steps == 0 {
            return Err(MdpError::Zero("steps"));
        }
        if limit == Some(0) {
            return Err(MdpError::Zero("limit"));
        }
        // How many steps an episode is old matters only to the limit, and no episode gets older than `steps`.
        let ages = limit.map_or(1, |limit| steps.min(limit as usize));
        let limited = limit.is_some_and(|limit| limit as usize == ages);
        let mut now = vec![vec![0.0; self.states()]; ages];
        now[0].copy_from_slice(&self.start);
        let mut total = vec![0.0; self.states()];
        for t in 0..steps {
            let mut next = vec![vec![0.0; self.states()]; ages];
            let mut ended = 0.0;
            for (age, mass) in now.iter().enumerate().take(t + 1) {
                total.iter_mut().zip(mass).for_each(|(total, mass)| *total += mass);
                let older = if limit.is_none() { 0 } else { age + 1 };
                for (state, probability, outcome) in self.steps(policy) {
                    let flow = mass[state] * probability;
                    match next.get_mut(older).filter(|_| !outcome.terminal) {
                        Some(layer) => layer[outcome.next] += flow,
                        // Past the last age lies the limit, or a time after the last step.
                        None if outcome.terminal || limited => ended += flow,
                        None => {}
                    }
                }
            }
            next[0].iter_mut().zip(&self.start).for_each(|(mass, start)| *mass += ended * start);
            now = next;
        }
        total.iter_mut().for_each(|mass| *mass /= steps as f64);
        Ok(total)
    }
}
