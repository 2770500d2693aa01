//! A finite decision process as tensors: what may come of an action is looked up.

use candle_core::{DType, Device, Tensor};
use uphill_envs::{FiniteMdp, Spec, quoted};

use super::{TensorEnv, TensorStep};
use crate::{Error, Result};

/// The most states that an episode may start in: each lane is compared with all of them.
const MOST_STARTS: usize = 1 << 10;
/// The most numbers of a table, which f32 counts without a gap.
const MOST_ROWS: usize = 1 << 24;

/// The twin of an environment whose exact model is known: a grid world, a lake, a corridor. Its state is the number of one of the model's.
///
/// Rewards, ends and observations are the host's bit for bit, and so is every trajectory in which nothing happens by chance. What does
/// is drawn by inversion from probabilities that are rounded to f32, with numbers of its own: as often, not at the same steps.
#[derive(Debug, Clone)]
pub struct Table {
    spec: Spec,
    actions: u32,
    /// `K`, the most outcomes of an action.
    outcomes: u32,
    /// `[S·A, K]`: the probability of each outcome and those before it, the last possible one's above 1.
    below: Tensor,
    /// `[S·A·K]` each.
    next: Tensor,
    reward: Tensor,
    terminal: Tensor,
    /// `[S, D]`.
    observation: Tensor,
    /// `[M]`: the states that episodes start in, and how likely they and those before are.
    starts: Tensor,
    starts_below: Tensor,
}

/// What is likely up to each place, in f32. Nothing is drawn past the last that is possible.
fn below(probabilities: impl Iterator<Item = f64>) -> Vec<f32> {
    let mut sum = 0.0;
    let mut below: Vec<f32> = probabilities
        .map(|probability| {
            sum += probability;
            sum as f32
        })
        .collect();
    if let Some(last) = below.last_mut() {
        *last = 2.0;
    }
    below
}

/// How many of the numbers of a row, `[N, K]`, are no larger than that of its lane, `[N, 1]`: the place drawn by inversion.
fn drawn(below: &Tensor, uniform: &Tensor) -> candle_core::Result<Tensor> {
    below.broadcast_le(uniform)?.to_dtype(DType::U32)?.sum(1)
}

impl Table {
    /// The twin of the environment of this kind that does what a model says.
    ///
    /// # Errors
    /// [`Error::Config`] for a model in which an action is illegal, and for one whose table would be too large;
    /// [`Error::Tensor`] if the device fails.
    pub fn new(spec: Spec, model: &FiniteMdp, device: &Device) -> Result<Self> {
        let impossible = |problem: &str, remedy: &str| {
            Error::Config(format!("{} has no form as a table: {problem}; {remedy}", quoted(&spec.id)))
        };
        if model.masks().is_some() {
            return Err(impossible("it forbids actions", "step it on the host"));
        }
        let (states, actions) = (model.states(), model.actions());
        let rows = (0..states).flat_map(|state| (0..actions).map(move |action| (state, action)));
        let outcomes =
            rows.clone().map(|(state, action)| model.outcomes(state, action).len()).max().unwrap_or(0).max(1);
        let numbers = states.saturating_mul(actions).saturating_mul(outcomes);
        if numbers > MOST_ROWS {
            return Err(impossible(&format!("its {numbers} outcomes may be {MOST_ROWS}"), "take a smaller map"));
        }
        let starts: Vec<usize> = (0..states).filter(|&state| model.start()[state] > 0.0).collect();
        if starts.len() > MOST_STARTS {
            let problem = format!("episodes start in {} states, and may in {MOST_STARTS}", starts.len());
            return Err(impossible(&problem, "take a smaller map, or one with fewer starts"));
        }
        let (mut cumulated, mut next) = (Vec::with_capacity(numbers), Vec::with_capacity(numbers));
        let (mut reward, mut terminal) = (Vec::with_capacity(numbers), Vec::with_capacity(numbers));
        for (state, action) in rows {
            let (row, len) = (model.outcomes(state, action), cumulated.len() + outcomes);
            cumulated.extend(below(row.iter().map(|outcome| outcome.probability)));
            next.extend(row.iter().map(|outcome| outcome.next as f32));
            reward.extend(row.iter().map(|outcome| outcome.reward as f32));
            terminal.extend(row.iter().map(|outcome| u8::from(outcome.terminal)));
            // After the end there are none, and where another action has more of them there are fewer.
            cumulated.resize(len, 2.0);
            next.resize(len, state as f32);
            reward.resize(len, 0.0);
            terminal.resize(len, 1);
        }
        let starts_below = below(starts.iter().map(|&state| model.start()[state]));
        Ok(Self {
            actions: actions as u32,
            outcomes: outcomes as u32,
            below: Tensor::from_vec(cumulated, (states * actions, outcomes), device)?,
            next: Tensor::from_vec(next, numbers, device)?,
            reward: Tensor::from_vec(reward, numbers, device)?,
            terminal: Tensor::from_vec(terminal, numbers, device)?,
            observation: Tensor::from_slice(model.observations(), (states, model.observation_len()), device)?,
            starts_below: Tensor::from_vec(starts_below, (1, starts.len()), device)?,
            starts: Tensor::from_iter(starts.into_iter().map(|state| state as f32), device)?,
            spec,
        })
    }
}

impl TensorEnv for Table {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn state_len(&self) -> usize {
        1
    }

    fn start_draws(&self) -> usize {
        1
    }

    fn step_draws(&self) -> usize {
        usize::from(self.outcomes > 1)
    }

    fn start(&self, uniform: &Tensor) -> Result<Tensor> {
        let places = drawn(&self.starts_below, uniform)?;
        Ok(self.starts.index_select(&places, 0)?.unsqueeze(1)?)
    }

    fn step(&self, state: &Tensor, action: &Tensor, uniform: Option<&Tensor>) -> Result<TensorStep> {
        let row = (state.squeeze(1)?.to_dtype(DType::U32)? * f64::from(self.actions))?;
        let row = (row + action)?;
        let place = match uniform {
            Some(uniform) => {
                let drawn = drawn(&self.below.index_select(&row, 0)?, uniform)?;
                ((row * f64::from(self.outcomes))? + drawn)?
            }
            None => (row * f64::from(self.outcomes))?,
        };
        let at = |table: &Tensor| table.index_select(&place, 0);
        Ok(TensorStep {
            state: at(&self.next)?.unsqueeze(1)?,
            reward: at(&self.reward)?,
            terminated: at(&self.terminal)?,
        })
    }

    fn observe(&self, state: &Tensor) -> Result<Tensor> {
        Ok(self.observation.index_select(&state.squeeze(1)?.to_dtype(DType::U32)?, 0)?)
    }
}
