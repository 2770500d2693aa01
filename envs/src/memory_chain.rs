//! One bit to be remembered for a time.

use crate::{Action, End, Env, EnvError, NumpyRng, Space, Spec, Step};

/// A bit is shown in the first of `length + 1` observations, and asked for in the last.
///
/// - Observation, `[3]`: the share of time left, `1 − t/length`; 1 with the last observation, which asks, else 0; and in the first
///   the bit, as 1 or −1, else 0.
/// - Action: 0 or 1; only the last counts.
/// - Reward: 1 for the bit, −1 for the other one, 0 before. The answer ends the episode.
/// - Every episode takes `length + 1` steps, which are the limit, too.
///
/// The best return is 1. A policy that does not remember expects 0, whatever it does.
///
/// As `memory_len` of bsuite, with one bit: Osband et al. 2020, <https://arxiv.org/abs/1908.03568>. There, as the code has it, the
/// first observation comes twice, and the question is a number that is 0 with one bit.
#[derive(Debug, Clone)]
pub struct MemoryChain {
    spec: Spec,
    length: u32,
    rng: NumpyRng,
    bit: bool,
    time: u32,
    needs_reset: bool,
}

impl MemoryChain {
    /// A chain of so many steps from the bit to the question.
    ///
    /// # Errors
    /// [`EnvError::Option`] for none, or more than a million.
    pub fn new(length: u32) -> Result<Self, EnvError> {
        if !(1..=1_000_000).contains(&length) {
            let expected = "it takes 1 to 1000000 steps from the bit to the question";
            return Err(EnvError::Option { name: "length", value: length.to_string(), expected });
        }
        let spec = Spec {
            id: "MemoryChain-v0".into(),
            observation: Space::Box { low: vec![0.0, 0.0, -1.0], high: vec![1.0; 3] },
            action: Space::Discrete { n: 2 },
            max_episode_steps: Some(length + 1),
            reward_threshold: None,
        };
        Ok(Self { spec, length, rng: NumpyRng::default(), bit: false, time: 0, needs_reset: true })
    }

    fn observe(&self, observation: &mut [f32]) {
        let left = 1.0 - f64::from(self.time) / f64::from(self.length);
        let asks = if self.time == self.length { 1.0 } else { 0.0 };
        let bit = if self.bit { 1.0 } else { -1.0 };
        observation.copy_from_slice(&[left as f32, asks, if self.time == 0 { bit } else { 0.0 }]);
    }
}

impl Env for MemoryChain {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 3, observation.len())?;
        self.rng.restart(seed);
        self.bit = self.rng.random() < 0.5;
        (self.time, self.needs_reset) = (0, false);
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", 3, observation.len())?;
        let answer = self.spec.action.discrete(action)? == 1;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        if self.time == self.length {
            self.needs_reset = true;
            self.observe(observation);
            return Ok(Step { reward: if answer == self.bit { 1.0 } else { -1.0 }, end: End::Terminated });
        }
        self.time += 1;
        self.observe(observation);
        Ok(Step { reward: 0.0, end: End::Not })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.time.into());
        state.extend([self.bit, self.needs_reset].map(u64::from));
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        match *state {
            [time, bit @ 0..=1, needs_reset @ 0..=1, low, high, drawn] if time <= self.length.into() => {
                self.time = time as u32;
                (self.bit, self.needs_reset) = (bit == 1, needs_reset == 1);
                self.rng = NumpyRng::at([low, high, drawn]);
                Ok(())
            }
            _ => {
                let problem = "expected a time within the chain, twice 0 or 1, and a generator's three words";
                Err(EnvError::Saved { problem })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryChain;
    use crate::{Action, End, Env};

    #[test]
    fn the_bit_is_seen_first_and_asked_for_last() {
        let (mut chain, mut seen) = (MemoryChain::new(4).expect("a chain"), [0.0; 3]);
        for seed in 0..20 {
            chain.reset(Some(seed), &mut seen).expect("a reset");
            let bit = seen[2];
            assert!(bit.abs() == 1.0 && seen[..2] == [1.0, 0.0], "{seen:?}");
            for (left, asks) in [(0.75, 0.0), (0.5, 0.0), (0.25, 0.0), (0.0, 1.0)] {
                let step = chain.step(Action::Discrete(seed as u32 % 2), &mut seen).expect("a step");
                assert_eq!((step.reward, step.end, seen), (0.0, End::Not, [left, asks, 0.0]));
            }
            let answer = seed % 3 == 0;
            let step = chain.step(Action::Discrete(answer.into()), &mut seen).expect("a step");
            assert_eq!((step.reward, step.end), (if answer == (bit > 0.0) { 1.0 } else { -1.0 }, End::Terminated));
        }
        assert!(MemoryChain::new(0).is_err());
    }
}
