//! What a policy did and what came of it, as structures of arrays.

use uphill_envs::End;

/// Steps of `N` lanes, time-major: step `t` of lane `n` stands at `t * N + n` of every `[T, N]` array.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rollout {
    /// `N`.
    pub lanes: usize,
    /// `D`.
    pub observation_len: usize,
    /// `[T, N, D]`: what the action answered to.
    pub observation: Vec<f32>,
    /// `[T, N]`.
    pub action: Vec<u32>,
    /// `[T, N]`: log-probability of the action under the policy that chose it.
    pub log_prob: Vec<f32>,
    /// `[T, N]`.
    pub reward: Vec<f32>,
    /// `[T, N]`: whether, and how, the step ended its episode.
    pub end: Vec<End>,
    /// `[T, N]`: false where a lane was parked, its episodes all played. Nothing else is meant at such a place.
    pub valid: Vec<bool>,
    /// `[T, N]`: V of the observation; zero where the policy has no critic.
    pub value: Vec<f32>,
    /// `[T, N]`: V of the state that the action led to, never of the state after a reset: at a truncated step V of the
    /// episode's last observation, at a terminated one zero.
    pub next_value: Vec<f32>,
}

impl Rollout {
    /// An empty rollout of so many lanes.
    #[must_use]
    pub fn new(lanes: usize, observation_len: usize) -> Self {
        Self { lanes, observation_len, ..Self::default() }
    }

    /// Forgets all steps, and keeps the room.
    pub fn clear(&mut self, lanes: usize, observation_len: usize) {
        (self.lanes, self.observation_len) = (lanes, observation_len);
        for column in
            [&mut self.observation, &mut self.log_prob, &mut self.reward, &mut self.value, &mut self.next_value]
        {
            column.clear();
        }
        self.action.clear();
        self.end.clear();
        self.valid.clear();
    }

    /// `T`.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.reward.len().checked_div(self.lanes).unwrap_or(0)
    }

    /// The places of all valid steps, in order.
    pub fn valid_steps(&self) -> impl Iterator<Item = usize> {
        self.valid.iter().enumerate().filter(|(_, valid)| **valid).map(|(i, _)| i)
    }

    /// The observation at place `i` of `[T, N]`, `[D]`.
    #[must_use]
    pub fn observation_at(&self, i: usize) -> &[f32] {
        &self.observation[i * self.observation_len..(i + 1) * self.observation_len]
    }
}
