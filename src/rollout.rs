//! What a policy did and what came of it, as structures of arrays.

mod estimate;
mod horizon;
mod minibatch;

use uphill_envs::End;

pub use estimate::Estimate;
pub use horizon::Horizon;
pub use minibatch::Minibatch;

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
    /// The most steps of one, all lanes together.
    pub const MAX_STEPS: u64 = 1 << 24;

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

    /// Replaces this rollout by several side by side, in this order. Where one is shorter, nothing was done: such places
    /// are not valid.
    pub(crate) fn join<'a>(&mut self, parts: impl Iterator<Item = &'a Rollout> + Clone) {
        let observation_len = parts.clone().next().map_or(0, |part| part.observation_len);
        self.clear(parts.clone().map(|part| part.lanes).sum(), observation_len);
        let steps = parts.clone().map(Rollout::steps).max().unwrap_or(0);
        let len = steps * self.lanes;
        self.observation.resize(len * observation_len, 0.0);
        self.action.resize(len, 0);
        self.end.resize(len, End::Not);
        self.valid.resize(len, false);
        for column in [&mut self.log_prob, &mut self.reward, &mut self.value, &mut self.next_value] {
            column.resize(len, 0.0);
        }
        let (lanes, mut first) = (self.lanes, 0);
        for part in parts {
            fn put<T: Copy>(to: &mut [T], from: &[T], (stride, first, width): (usize, usize, usize)) {
                for (to, from) in to.chunks_exact_mut(stride).zip(from.chunks_exact(width)) {
                    to[first..first + width].copy_from_slice(from);
                }
            }
            let place = (lanes, first, part.lanes);
            put(
                &mut self.observation,
                &part.observation,
                (lanes * observation_len, first * observation_len, part.lanes * observation_len),
            );
            put(&mut self.action, &part.action, place);
            put(&mut self.log_prob, &part.log_prob, place);
            put(&mut self.reward, &part.reward, place);
            put(&mut self.end, &part.end, place);
            put(&mut self.valid, &part.valid, place);
            put(&mut self.value, &part.value, place);
            put(&mut self.next_value, &part.next_value, place);
            first += part.lanes;
        }
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
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    #[track_caller]
    pub fn observation_at(&self, i: usize) -> &[f32] {
        let (width, len) = (self.observation_len, self.observation.len());
        let end = i.checked_add(1).and_then(|next| next.checked_mul(width));
        match end.and_then(|end| self.observation.get(end - width..end)) {
            Some(observation) => observation,
            None => panic!("place {i} of a rollout whose observations, each of length {width}, have the length {len}"),
        }
    }
}
