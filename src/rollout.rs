//! What a policy did and what came of it, as structures of arrays.

mod action_column;
mod device_rollout;
mod estimate;
mod horizon;
mod minibatch;
mod observation_column;
mod packed;

use std::borrow::Cow;

use uphill_envs::End;

pub use action_column::{ActionColumn, ActionKind, ActionMut};
pub use device_rollout::DeviceRollout;
pub use estimate::{Estimate, ValueUnit};
pub use horizon::Horizon;
pub use minibatch::Minibatch;
pub use observation_column::{ObservationColumn, ObservationKind};

/// Steps of `N` lanes, time-major: step `t` of lane `n` stands at `t * N + n` of every `[T, N]` array.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// `N`.
    pub lanes: usize,
    /// `D`.
    pub observation_len: usize,
    /// `K`, the numbers of an action.
    pub action_len: usize,
    /// `[T, N, D]`: what the action answered to, as the environment said it.
    pub observation: ObservationColumn,
    /// `[T, N, K]`: as it was drawn, before numbers are clipped to what an environment takes.
    pub action: ActionColumn,
    /// `A`, the choices that a mask has; 0 where no choice was ever forbidden.
    pub choices: usize,
    /// `[T, N, A]`: which choices were legal.
    pub mask: Vec<bool>,
    /// `[N, M]`: what the policy remembered of each lane before its first step; empty where it has no memory. It forgets a lane
    /// where `end` says that an episode is over.
    pub memory: Vec<f32>,
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
    /// Places in `[T, N]` of the truncated steps, in order.
    pub truncated: Vec<usize>,
    /// The observation that the episode of each finished on, `[D]`: no action answered to it.
    pub truncated_observation: Vec<f32>,
    /// `[N, D]`: what each lane shows after its last step, which no action has answered to yet.
    pub last_observation: Vec<f32>,
}

impl Rollout {
    /// The most steps of one, all lanes together.
    pub const MAX_STEPS: u64 = 1 << 24;

    /// An empty rollout of so many lanes, of actions of one number.
    #[must_use]
    pub fn new(lanes: usize, observation_len: usize) -> Self {
        Self {
            lanes,
            observation_len,
            action_len: 1,
            observation: ObservationColumn::default(),
            action: ActionColumn::default(),
            choices: 0,
            mask: Vec::new(),
            memory: Vec::new(),
            log_prob: Vec::new(),
            reward: Vec::new(),
            end: Vec::new(),
            valid: Vec::new(),
            value: Vec::new(),
            next_value: Vec::new(),
            truncated: Vec::new(),
            truncated_observation: Vec::new(),
            last_observation: Vec::new(),
        }
    }

    /// Forgets all steps, and keeps the room, for observations and actions of so many numbers of a kind, no action forbidden.
    pub fn clear(
        &mut self,
        lanes: usize,
        (observation_len, observation_kind): (usize, ObservationKind),
        (action_len, kind): (usize, ActionKind),
    ) {
        (self.lanes, self.observation_len, self.action_len) = (lanes, observation_len, action_len);
        for column in [&mut self.log_prob, &mut self.reward, &mut self.value, &mut self.next_value] {
            column.clear();
        }
        self.truncated.clear();
        self.truncated_observation.clear();
        self.last_observation.clear();
        self.observation.clear(observation_kind);
        self.action.clear(kind);
        self.choices = 0;
        self.mask.clear();
        self.memory.clear();
        self.end.clear();
        self.valid.clear();
    }

    /// Replaces this rollout by several side by side, in this order. Where one is shorter, nothing was done: such places
    /// are not valid.
    pub(crate) fn join<'a>(&mut self, parts: impl Iterator<Item = &'a Rollout> + Clone) {
        let kinds =
            |part: &Rollout| ((part.observation_len, part.observation.kind()), (part.action_len, part.action.kind()));
        let of_none = ((0, ObservationKind::default()), (1, ActionKind::default()));
        let (observations, actions) = parts.clone().next().map_or(of_none, kinds);
        let (observation_len, action_len) = (observations.0, actions.0);
        self.clear(parts.clone().map(|part| part.lanes).sum(), observations, actions);
        self.choices = parts.clone().next().map_or(0, |part| part.choices);
        let steps = parts.clone().map(Rollout::steps).max().unwrap_or(0);
        let len = steps * self.lanes;
        self.mask.resize(len * self.choices, true);
        self.observation.resize(len * observation_len);
        self.action.resize(len * action_len);
        self.end.resize(len, End::Not);
        self.valid.resize(len, false);
        for column in [&mut self.log_prob, &mut self.reward, &mut self.value, &mut self.next_value] {
            column.resize(len, 0.0);
        }
        let (lanes, mut first) = (self.lanes, 0);
        self.join_truncated(&parts, steps);
        for part in parts {
            self.memory.extend_from_slice(&part.memory);
            self.last_observation.extend_from_slice(&part.last_observation);
            fn put<T: Copy>(to: &mut [T], from: &[T], (stride, first, width): (usize, usize, usize)) {
                for (to, from) in to.chunks_exact_mut(stride).zip(from.chunks_exact(width)) {
                    to[first..first + width].copy_from_slice(from);
                }
            }
            let wide = |width: usize| (lanes * width, first * width, part.lanes * width);
            let place = wide(1);
            // The parts are of one kind of environment, and so are their observations and actions.
            match (&mut self.observation, &part.observation) {
                (ObservationColumn::Number(to), ObservationColumn::Number(from)) => {
                    put(to, from, wide(observation_len));
                }
                (ObservationColumn::Byte(to), ObservationColumn::Byte(from)) => put(to, from, wide(observation_len)),
                _ => {}
            }
            match (&mut self.action, &part.action) {
                (ActionColumn::Discrete(to), ActionColumn::Discrete(from)) => put(to, from, wide(action_len)),
                (ActionColumn::Continuous(to), ActionColumn::Continuous(from)) => put(to, from, wide(action_len)),
                _ => {}
            }
            if self.choices > 0 {
                put(&mut self.mask, &part.mask, wide(self.choices));
            }
            put(&mut self.log_prob, &part.log_prob, place);
            put(&mut self.reward, &part.reward, place);
            put(&mut self.end, &part.end, place);
            put(&mut self.valid, &part.valid, place);
            put(&mut self.value, &part.value, place);
            put(&mut self.next_value, &part.next_value, place);
            first += part.lanes;
        }
    }

    /// Takes the truncated steps of parts that are side by side, of so many steps at most, in order.
    fn join_truncated<'a>(&mut self, parts: &(impl Iterator<Item = &'a Rollout> + Clone), steps: usize) {
        let (lanes, width) = (self.lanes, self.observation_len);
        for t in 0..steps {
            let mut first = 0;
            for part in parts.clone() {
                let [from, to] = [t, t + 1].map(|t| part.truncated.partition_point(|&place| place < t * part.lanes));
                let places = part.truncated[from..to].iter();
                self.truncated.extend(places.map(|place| t * lanes + first + place % part.lanes));
                self.truncated_observation.extend_from_slice(&part.truncated_observation[from * width..to * width]);
                first += part.lanes;
            }
        }
    }

    /// Replaces `next` by V of the state that each action led to, `[T, N]`, given V of the observations, `[T, N]`, of the truncated
    /// ones and of the last ones: V of the next observation, unless the episode ended there.
    pub(crate) fn next_values(&self, value: &[f32], truncated: &[f32], last: &[f32], next: &mut Vec<f32>) {
        next.clear();
        next.extend(value.iter().skip(self.lanes).chain(last));
        for (next, end) in next.iter_mut().zip(&self.end) {
            if end.ended() {
                *next = 0.0;
            }
        }
        for (&place, &value) in self.truncated.iter().zip(truncated) {
            next[place] = value;
        }
    }

    /// `T`.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.reward.len().checked_div(self.lanes).unwrap_or(0)
    }

    /// Whether the step at a place of `[T, N]` is known to be the first of an episode: the one before in its lane ended one.
    pub(crate) fn begins(&self, place: usize) -> bool {
        place.checked_sub(self.lanes).is_some_and(|before| self.end[before].ended())
    }

    /// The places of all valid steps, in order.
    pub fn valid_steps(&self) -> impl Iterator<Item = usize> {
        self.valid.iter().enumerate().filter(|(_, valid)| **valid).map(|(i, _)| i)
    }

    /// Replaces `actions` by those at these places of `[T, N]`, `[B, K]`.
    ///
    /// # Panics
    /// If there is no such place.
    #[track_caller]
    pub fn actions_at(&self, places: &[usize], actions: &mut ActionColumn) {
        actions.take(&self.action, places, self.action_len);
    }

    /// Which choices were legal at these places of `[T, N]`, `[B, A]`, in place of what `mask` holds; none where none was forbidden.
    ///
    /// # Panics
    /// If there is no such place.
    #[track_caller]
    pub fn masks_at(&self, places: &[usize], mask: &mut Vec<bool>) {
        mask.clear();
        places.iter().for_each(|&i| mask.extend_from_slice(&self.mask[i * self.choices..(i + 1) * self.choices]));
    }

    /// Appends the observations at these places of `[T, N]`, as numbers, `[B, D]`, to `to`.
    ///
    /// # Panics
    /// If there is no such place.
    #[track_caller]
    pub fn observations_at(&self, places: &[usize], to: &mut Vec<f32>) {
        self.observation.numbers_at(places.iter().copied(), self.observation_len, to);
    }

    /// The observation at place `i` of `[T, N]`, `[D]`, as numbers.
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    #[track_caller]
    pub fn observation_at(&self, i: usize) -> Cow<'_, [f32]> {
        let (width, len) = (self.observation_len, self.observation.len());
        let end = i.checked_add(1).and_then(|next| next.checked_mul(width));
        match end.filter(|&end| end <= len) {
            Some(end) => self.observation.numbers(end - width..end),
            None => panic!("place {i} of a rollout whose observations, each of length {width}, have the length {len}"),
        }
    }
}

impl Default for Rollout {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

#[cfg(test)]
mod tests;
