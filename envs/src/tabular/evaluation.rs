//! What a given policy is worth, exactly.

use nalgebra::{DMatrix, DVector};

use super::{FiniteMdp, MOST_SOLVED, MdpError, check_discount};

/// The exact values of one policy π at one discount γ. Every method is a dense linear solve, `O(S³)`.
///
/// Policies are `[S, A]`, a distribution in each row.
impl FiniteMdp {
    /// The value of each state, `[S]`:
    ///
    ///   V(s) = Σₐ π(a|s) Σ P(s'|s,a) (r + γ·\[not terminal\]·V(s'))
    ///
    /// Sutton and Barto 2018, eq. 4.4, <http://incompleteideas.net/book/the-book-2nd.html>.
    ///
    /// # Errors
    /// [`MdpError::Length`] or [`MdpError::Distribution`] for what is no policy, [`MdpError::Discount`], and
    /// [`MdpError::Improper`] or [`MdpError::Singular`] where γ = 1 and the policy may never end, or hardly ever does;
    /// [`MdpError::ManyStates`] for a matrix that would fill the memory.
    pub fn state_values(&self, policy: &[f64], gamma: f64) -> Result<Vec<f64>, MdpError> {
        let system = self.bellman(policy, gamma)?;
        let mut reward = DVector::zeros(self.states());
        for (state, probability, outcome) in self.steps(policy) {
            reward[state] += probability * outcome.reward;
        }
        solve(system, &reward)
    }

    /// The value of each action in each state, `[S, A]`: Q(s,a) = Σ P(s'|s,a) (r + γ·\[not terminal\]·V(s')).
    ///
    /// # Errors
    /// As [`state_values`](Self::state_values).
    pub fn action_values(&self, policy: &[f64], gamma: f64) -> Result<Vec<f64>, MdpError> {
        Ok(self.backup(&self.state_values(policy, gamma)?, gamma))
    }

    /// The expected discounted return of an episode, J(π) = Σₛ start(s) V(s).
    ///
    /// # Errors
    /// As [`state_values`](Self::state_values).
    pub fn start_value(&self, policy: &[f64], gamma: f64) -> Result<f64, MdpError> {
        let values = self.state_values(policy, gamma)?;
        Ok(self.start.iter().zip(values).map(|(p, v)| p * v).sum())
    }

    /// The expected discounted number of actions taken in each state during an episode, `[S]`:
    ///
    ///   d(s) = Σₜ γᵗ Pr(sₜ = s and the episode goes on)
    ///
    /// It is 0 for terminal states and sums to 1 / (1 − γ) where no episode ever ends.
    ///
    /// # Errors
    /// As [`state_values`](Self::state_values).
    pub fn occupancy(&self, policy: &[f64], gamma: f64) -> Result<Vec<f64>, MdpError> {
        solve(self.bellman(policy, gamma)?.transpose(), &DVector::from_column_slice(&self.start))
    }

    /// What turns the gradient of a policy into the gradient of its value, `[S, A]`: c(s,a) = d(s) Q(s,a), so that
    ///
    ///   ∇J = Σₛ d(s) Σₐ ∇π(a|s) Q(s,a) = Σₛₐ c(s,a) ∇π(a|s)
    ///
    /// for any differentiable policy: with c held fixed, the gradient of Σ c·π is exact. The discount stands in d too
    /// (γᵗ before each step). Most implementations leave that out: what they follow on average has the same Q, but in the
    /// place of d the [`occupancy`](Self::occupancy) at γ = 1 (whole episodes) or [`visits`](Self::visits) (windows).
    ///
    /// The policy gradient theorem: Sutton et al. 2000, theorem 1,
    /// <https://papers.nips.cc/paper/1713-policy-gradient-methods-for-reinforcement-learning-with-function-approximation>.
    ///
    /// # Errors
    /// As [`state_values`](Self::state_values).
    pub fn gradient_coefficients(&self, policy: &[f64], gamma: f64) -> Result<Vec<f64>, MdpError> {
        let occupancy = self.occupancy(policy, gamma)?;
        let mut coefficients = self.action_values(policy, gamma)?;
        for (row, visits) in coefficients.chunks_exact_mut(self.actions).zip(occupancy) {
            row.iter_mut().for_each(|q| *q *= visits);
        }
        Ok(coefficients)
    }

    /// One application of the Bellman operator to state values, `[S]` to `[S, A]`.
    pub(super) fn backup(&self, values: &[f64], gamma: f64) -> Vec<f64> {
        let future = |next: usize, terminal: bool| if terminal { 0.0 } else { gamma * values[next] };
        let expect = |outcomes: &Vec<super::Outcome>| {
            outcomes.iter().map(|o| o.probability * (o.reward + future(o.next, o.terminal))).sum()
        };
        self.outcomes.iter().map(expect).collect()
    }

    /// I − γP of a policy, where P only counts outcomes after which the episode goes on.
    fn bellman(&self, policy: &[f64], gamma: f64) -> Result<DMatrix<f64>, MdpError> {
        check_discount(gamma)?;
        self.check_policy(policy)?;
        if gamma == 1.0 {
            self.check_proper(policy)?;
        }
        if self.states() > MOST_SOLVED {
            return Err(MdpError::ManyStates { states: self.states() });
        }
        let mut system = DMatrix::identity(self.states(), self.states());
        for (state, probability, outcome) in self.steps(policy).filter(|(_, _, outcome)| !outcome.terminal) {
            system[(state, outcome.next)] -= gamma * probability;
        }
        Ok(system)
    }

    /// Without discount the system has a solution only if an end can be reached from every state.
    fn check_proper(&self, policy: &[f64]) -> Result<(), MdpError> {
        let mut ends: Vec<bool> = (0..self.states()).map(|state| self.is_terminal(state)).collect();
        loop {
            let mut found = false;
            for (state, probability, outcome) in self.steps(policy) {
                if probability > 0.0 && !ends[state] && (outcome.terminal || ends[outcome.next]) {
                    ends[state] = true;
                    found = true;
                }
            }
            if !found {
                break;
            }
        }
        match ends.iter().position(|&ends| !ends) {
            None => Ok(()),
            Some(state) => Err(MdpError::Improper { state }),
        }
    }
}

/// The solution of a square system, which an end that is reached almost never leaves singular.
fn solve(system: DMatrix<f64>, right: &DVector<f64>) -> Result<Vec<f64>, MdpError> {
    let solution = system.lu().solve(right).ok_or(MdpError::Singular)?;
    if solution.iter().all(|x| x.is_finite()) {
        Ok(solution.iter().copied().collect())
    } else {
        Err(MdpError::Singular)
    }
}
