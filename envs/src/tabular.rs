//! Finite Markov decision processes that are known completely: the oracle that sampled learning is measured by.

mod evaluation;
mod limited;
mod optimal;
mod visits;

use thiserror::Error;

use crate::shown;

/// How far a sum of probabilities may be from 1: policies often come from f32.
const TOLERANCE: f64 = 1e-5;

/// The most outcomes of a map's model, 32 MiB of them.
pub(crate) const MOST_OUTCOMES: usize = 1 << 20;
/// The most numbers of the observations of a map's model, 256 MiB of them.
const MOST_NUMBERS: usize = 1 << 26;
/// The most states whose values are solved for, 512 MiB of a matrix.
const MOST_SOLVED: usize = 1 << 13;

/// So many rows of so many numbers, each of so many bytes.
fn mebibytes(rows: usize, numbers: usize, bytes: usize) -> String {
    format!("{:.0} MiB", (rows as f64) * (numbers as f64) * (bytes as f64) / f64::from(1 << 20))
}

/// One way that an action in a state can turn out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// How likely it is.
    pub probability: f64,
    /// The state it leads to.
    pub next: usize,
    /// What it pays.
    pub reward: f64,
    /// Whether it ends the episode. Nothing that comes after `next` counts then.
    pub terminal: bool,
}

/// What is no decision process, no policy of one, or has no answer.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum MdpError {
    /// A table of the wrong size.
    #[error("{what} has length {got}, expected {expected}")]
    Length {
        /// Which table.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A distribution with a negative or NaN probability, or whose sum is not 1.
    #[error("{what} is no distribution: its probabilities sum to {}, or one of them is negative", shown(*sum))]
    Distribution {
        /// Which distribution.
        what: String,
        /// Its sum.
        sum: f64,
    },
    /// An outcome that cannot be.
    #[error("an outcome of action {action} in state {state} {what}")]
    Outcome {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A discount outside `[0, 1]`.
    #[error("gamma = {} is impossible: a discount lies in 0 to 1", shown(*.0))]
    Discount(f64),
    /// A number of steps that must be at least 1.
    #[error("{0} = 0 is impossible: take at least 1")]
    Zero(&'static str),
    /// An undiscounted return that is not finite.
    #[error("without discount, this policy has no finite value: from state {state} it may never end")]
    Improper {
        /// A state from which no end can be reached.
        state: usize,
    },
    /// The end is so rare that f64 cannot tell it from never.
    #[error("this policy ends its episodes too rarely for its values to be computed")]
    Singular,
    /// A model that would fill the memory.
    #[error(
        "the model has more than {most} outcomes: a smaller map has fewer, and so has one with few starts where there are cliffs, with few goals where they are drawn, or with few boxes"
    )]
    TooLarge {
        /// How many it may have.
        most: usize,
    },
    /// Observations that would fill the memory.
    #[error(
        "the observations of the model's {states} states, {numbers} numbers each, would need {}, and may {}: a smaller map has fewer, and row_column shows a cell in 2 numbers",
        mebibytes(*states, *numbers, 4),
        mebibytes(MOST_NUMBERS, 1, 4)
    )]
    ManyNumbers {
        /// Its states.
        states: usize,
        /// The numbers of each observation.
        numbers: usize,
    },
    /// A dense system of equations that would fill the memory.
    #[error(
        "the exact values of {states} states need a matrix of {}, and may {}: {} states at most",
        mebibytes(*states, *states, 8),
        mebibytes(MOST_SOLVED, MOST_SOLVED, 8),
        MOST_SOLVED
    )]
    ManyStates {
        /// Its states.
        states: usize,
    },
    /// A state that goes on and where no action is legal.
    #[error("the masks allow no action in state {state}")]
    NoLegalAction {
        /// The state.
        state: usize,
    },
    /// Values that go on growing, or shrink too slowly.
    #[error(
        "the optimal values still moved by {} after {sweeps} sweeps: they are infinite, or gamma is too near 1",
        shown(*change)
    )]
    NotConverged {
        /// The sweeps done.
        sweeps: usize,
        /// The largest change in the last one.
        change: f64,
    },
}

/// A decision process with `S` states and `A` actions whose every probability is known.
///
/// Tables over states and actions are `[S, A]`, row by row. A state without any outcome is terminal: its value is 0, and
/// a policy's row for it is not used, though it must be a distribution.
///
/// ```
/// use uphill_envs::{GridWorld, GridWorldConfig};
///
/// let mdp = GridWorld::new(GridWorldConfig::four_by_four())?.model()?;
/// let uniform = vec![0.25; mdp.states() * mdp.actions()];
/// let best = mdp.optimal_policy(1.0)?;
/// assert!(mdp.start_value(&uniform, 1.0)? < 0.0);
/// assert!((mdp.start_value(&best, 1.0)? - 0.995).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FiniteMdp {
    actions: usize,
    outcomes: Vec<Vec<Outcome>>,
    start: Vec<f64>,
    observations: Vec<f32>,
    /// `[S, A]`, or none at all.
    masks: Vec<bool>,
}

impl FiniteMdp {
    /// A process of these outcomes.
    ///
    /// - `actions`: `A`, at least 1.
    /// - `outcomes`: `[S, A]`, for each state and action a distribution; empty for all actions of a terminal state.
    /// - `start`: `[S]`, how likely an episode starts in each state.
    /// - `observations`: `[S, D]`, what an agent sees of each state, terminal ones too.
    ///
    /// # Errors
    /// [`MdpError::Length`], [`MdpError::Distribution`], [`MdpError::Outcome`] or [`MdpError::Zero`] for tables that are
    /// none of this.
    pub fn new(
        actions: usize,
        outcomes: Vec<Vec<Outcome>>,
        start: Vec<f64>,
        observations: Vec<f32>,
    ) -> Result<Self, MdpError> {
        let states = start.len();
        if actions == 0 {
            return Err(MdpError::Zero("actions"));
        }
        if states == 0 {
            return Err(MdpError::Zero("states"));
        }
        check_len("outcomes", states.saturating_mul(actions), outcomes.len())?;
        if !observations.len().is_multiple_of(states) {
            let expected = observations.len() / states * states;
            return Err(MdpError::Length { what: "observations", expected, got: observations.len() });
        }
        check_distribution(|| "start".into(), start.iter().copied())?;
        let mdp = Self { actions, outcomes, start, observations, masks: Vec::new() };
        for state in 0..states {
            for action in 0..actions {
                mdp.check_outcomes(state, action)?;
            }
            if mdp.start[state] > 0.0 && mdp.is_terminal(state) {
                return Err(MdpError::Outcome { state, action: 0, what: "is missing: episodes start in that state" });
            }
        }
        Ok(mdp)
    }

    /// Refuses a map's model of so many states, with so many numbers an observation, before it fills the memory.
    pub(crate) fn check_size(states: usize, numbers: usize) -> Result<(), MdpError> {
        if states > MOST_OUTCOMES {
            return Err(MdpError::TooLarge { most: MOST_OUTCOMES });
        }
        match states.saturating_mul(numbers) > MOST_NUMBERS {
            true => Err(MdpError::ManyNumbers { states, numbers }),
            false => Ok(()),
        }
    }

    /// The same where only some actions are legal, `[S, A]`: the best policy, and the one that draws uniformly, take no other.
    /// A terminal state may have none.
    ///
    /// # Errors
    /// [`MdpError::Length`], and [`MdpError::NoLegalAction`] for a state that goes on and is left none.
    pub fn with_masks(self, masks: Vec<bool>) -> Result<Self, MdpError> {
        check_len("masks", self.outcomes.len(), masks.len())?;
        let lacks = |state: &usize| !masks[state * self.actions..(state + 1) * self.actions].contains(&true);
        match (0..self.states()).filter(|&state| !self.is_terminal(state)).find(lacks) {
            Some(state) => Err(MdpError::NoLegalAction { state }),
            None => Ok(Self { masks, ..self }),
        }
    }

    /// The same where all actions are legal.
    #[must_use]
    pub fn without_masks(self) -> Self {
        Self { masks: Vec::new(), ..self }
    }

    /// Which actions are legal in each state, `[S, A]`; `None` where all are.
    #[must_use]
    pub fn masks(&self) -> Option<&[bool]> {
        (!self.masks.is_empty()).then_some(&self.masks)
    }

    /// Whether an action is legal in a state.
    fn is_legal(&self, state: usize, action: usize) -> bool {
        self.masks.get(state * self.actions + action).is_none_or(|&legal| legal)
    }

    /// The policy that draws uniformly among all legal actions, `[S, A]`; in a state without any, among all.
    #[must_use]
    pub fn uniform_policy(&self) -> Vec<f64> {
        let row = |state: usize| {
            let legal = (0..self.actions).map(move |action| self.is_legal(state, action));
            let count = legal.clone().filter(|&legal| legal).count();
            let share = move |legal: bool| match count {
                0 => 1.0 / self.actions as f64,
                count => f64::from(u8::from(legal)) / count as f64,
            };
            legal.map(share)
        };
        (0..self.states()).flat_map(row).collect()
    }

    /// The largest of values that a state's legal actions have, `[A]`; of all where none is legal.
    fn best_of(&self, state: usize, values: &[f64]) -> f64 {
        let legal = values.iter().enumerate().filter(|&(action, _)| self.is_legal(state, action));
        let best = legal.map(|(_, &value)| value).fold(f64::NEG_INFINITY, f64::max);
        if best == f64::NEG_INFINITY { values.iter().copied().fold(best, f64::max) } else { best }
    }

    fn check_outcomes(&self, state: usize, action: usize) -> Result<(), MdpError> {
        let outcomes = self.outcomes(state, action);
        let wrong = |what| Err(MdpError::Outcome { state, action, what });
        if outcomes.is_empty() {
            return if self.is_terminal(state) { Ok(()) } else { wrong("is missing: other actions there have some") };
        }
        for outcome in outcomes {
            if outcome.next >= self.states() {
                return wrong("leads to a state that does not exist");
            }
            if !outcome.reward.is_finite() {
                return wrong("has a reward that is not finite");
            }
            if !outcome.terminal && self.is_terminal(outcome.next) {
                return wrong("goes on in a state that has no outcomes");
            }
        }
        check_distribution(
            || format!("action {action} in state {state}"),
            outcomes.iter().map(|outcome| outcome.probability),
        )
    }

    /// `S`.
    #[must_use]
    pub fn states(&self) -> usize {
        self.start.len()
    }

    /// `A`.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// The ways that `action` in `state` can turn out: none in a terminal state, nor where there is no such pair.
    #[must_use]
    pub fn outcomes(&self, state: usize, action: usize) -> &[Outcome] {
        let row = self.outcomes.chunks_exact(self.actions).nth(state).unwrap_or_default();
        row.get(action).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing comes after a state.
    #[must_use]
    pub fn is_terminal(&self, state: usize) -> bool {
        (0..self.actions).all(|action| self.outcomes(state, action).is_empty())
    }

    /// How likely an episode starts in each state, `[S]`.
    #[must_use]
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// What an agent sees of each state, `[S, D]`.
    #[must_use]
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }

    /// Numbers in one observation, `D`.
    #[must_use]
    pub fn observation_len(&self) -> usize {
        self.observations.len() / self.states()
    }

    fn check_policy(&self, policy: &[f64]) -> Result<(), MdpError> {
        check_len("policy", self.states() * self.actions, policy.len())?;
        for (state, row) in policy.chunks_exact(self.actions).enumerate() {
            check_distribution(|| format!("the policy in state {state}"), row.iter().copied())?;
        }
        Ok(())
    }

    /// Every outcome from every state that `policy` may take, as `(state, probability under the policy, outcome)`.
    fn steps<'a>(&'a self, policy: &'a [f64]) -> impl Iterator<Item = (usize, f64, &'a Outcome)> {
        self.outcomes.iter().zip(policy).enumerate().flat_map(|(pair, (outcomes, &chosen))| {
            let state = pair / self.actions;
            outcomes.iter().map(move |outcome| (state, chosen * outcome.probability, outcome))
        })
    }
}

fn check_len(what: &'static str, expected: usize, got: usize) -> Result<(), MdpError> {
    if expected == got { Ok(()) } else { Err(MdpError::Length { what, expected, got }) }
}

fn check_distribution(what: impl Fn() -> String, probabilities: impl Iterator<Item = f64>) -> Result<(), MdpError> {
    // Written so that NaN fails both.
    let (sum, none_negative) = probabilities.fold((0.0_f64, true), |(sum, good), p| (sum + p, good && p >= 0.0));
    let good = (sum - 1.0).abs() <= TOLERANCE && none_negative;
    if good { Ok(()) } else { Err(MdpError::Distribution { what: what(), sum }) }
}

fn check_discount(gamma: f64) -> Result<(), MdpError> {
    if (0.0..=1.0).contains(&gamma) { Ok(()) } else { Err(MdpError::Discount(gamma)) }
}
