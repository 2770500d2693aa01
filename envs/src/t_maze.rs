//! A corridor, a fork, and which way to turn told only at the start.

use crate::{Action, End, Env, EnvError, NumpyRng, Space, Spec, Step};

/// Paid for the right turn.
const RIGHT: f32 = 4.0;
/// Paid for the other turn, and for running into a wall.
const WRONG: f32 = -0.1;

/// A T-maze: a corridor of `length` steps to the east, at whose end lies the goal to the north or to the south, by chance.
///
/// - Observation, `[2]`: the cue, 1 for north and −1 for south, in the first observation of an episode and 0 ever after; and 1 at
///   the junction, else 0.
/// - Action: 0 north, 1 east, 2 south, 3 west.
/// - Reward: 4 for the turn to the goal, −0.1 for the other one, both of which end the episode, −0.1 for a step against a wall, 0 for
///   any other.
/// - Limit: 20 steps for each of the corridor's and one more.
///
/// The best return is 4, in `length + 1` steps. At the junction both mazes look the same: a policy that does not remember the cue
/// turns to the goal half the time at most, and cannot expect more than 1.95.
///
/// Bakker 2002, *Reinforcement learning with long short-term memory*,
/// <https://papers.nips.cc/paper/1953-reinforcement-learning-with-long-short-term-memory>.
#[derive(Debug, Clone)]
pub struct TMaze {
    spec: Spec,
    length: u32,
    rng: NumpyRng,
    north: bool,
    place: u32,
    /// Whether the present observation is the episode's first.
    first: bool,
    needs_reset: bool,
}

impl TMaze {
    /// A maze with a corridor of so many steps.
    ///
    /// # Errors
    /// [`EnvError::Option`] for none, or more than a million.
    pub fn new(length: u32) -> Result<Self, EnvError> {
        if !(1..=1_000_000).contains(&length) {
            let expected = "a corridor has 1 to 1000000 steps";
            return Err(EnvError::Option { name: "length", value: length.to_string(), expected });
        }
        let spec = Spec {
            id: "TMaze-v0".into(),
            observation: Space::Box { low: vec![-1.0, 0.0], high: vec![1.0, 1.0] },
            action: Space::Discrete { n: 4 },
            max_episode_steps: Some(20 * (length + 1)),
            reward_threshold: None,
        };
        let rng = NumpyRng::default();
        Ok(Self { spec, length, rng, north: false, place: 0, first: true, needs_reset: true })
    }

    fn observe(&self, observation: &mut [f32]) {
        let cue = if self.north { 1.0 } else { -1.0 };
        let junction = self.place == self.length;
        observation.copy_from_slice(&[if self.first { cue } else { 0.0 }, if junction { 1.0 } else { 0.0 }]);
    }
}

impl Env for TMaze {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 2, observation.len())?;
        self.rng.restart(seed);
        self.north = self.rng.random() < 0.5;
        (self.place, self.first, self.needs_reset) = (0, true, false);
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", 2, observation.len())?;
        let action = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        self.first = false;
        let junction = self.place == self.length;
        let (reward, end) = match action {
            0 | 2 if junction => (if (action == 0) == self.north { RIGHT } else { WRONG }, End::Terminated),
            1 if !junction => {
                self.place += 1;
                (0.0, End::Not)
            }
            3 if self.place > 0 => {
                self.place -= 1;
                (0.0, End::Not)
            }
            _ => (WRONG, End::Not),
        };
        self.needs_reset = end.ended();
        self.observe(observation);
        Ok(Step { reward, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.place.into());
        state.extend([self.north, self.first, self.needs_reset].map(u64::from));
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        match *state {
            [place, north @ 0..=1, first @ 0..=1, needs_reset @ 0..=1, low, high, drawn]
                if place <= self.length.into() =>
            {
                self.place = place as u32;
                (self.north, self.first, self.needs_reset) = (north == 1, first == 1, needs_reset == 1);
                self.rng = NumpyRng::at([low, high, drawn]);
                Ok(())
            }
            _ => {
                let problem = "expected a place in the corridor, three times 0 or 1, and a generator's three words";
                Err(EnvError::Saved { problem })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TMaze;
    use crate::{Action, End, Env};

    #[test]
    fn the_cue_is_seen_once_and_the_best_return_is_4() {
        let (mut maze, mut seen) = (TMaze::new(3).expect("a maze"), [0.0; 2]);
        let mut cues = [0; 2];
        for seed in 0..100 {
            maze.reset(Some(seed), &mut seen).expect("a reset");
            let cue = seen[0];
            assert!(cue.abs() == 1.0 && seen[1] == 0.0, "{seen:?}");
            cues[usize::from(cue > 0.0)] += 1;
            // Against a wall, and back to where the cue was.
            let steps = [(0, -0.1, 0.0), (3, -0.1, 0.0), (1, 0.0, 0.0), (3, 0.0, 0.0), (1, 0.0, 0.0), (1, 0.0, 0.0)];
            for (action, reward, junction) in steps.into_iter().chain([(1, 0.0, 1.0), (1, -0.1, 1.0)]) {
                let step = maze.step(Action::Discrete(action), &mut seen).expect("a step");
                assert_eq!((step.reward, step.end, seen), (reward, End::Not, [0.0, junction]), "{action}");
            }
            let good = seed % 2 == 0;
            let turn = if (cue > 0.0) == good { 0 } else { 2 };
            let step = maze.step(Action::Discrete(turn), &mut seen).expect("a step");
            assert_eq!((step.reward, step.end), (if good { 4.0 } else { -0.1 }, End::Terminated));
            assert!(maze.step(Action::Discrete(1), &mut seen).is_err());
        }
        assert!(cues.iter().all(|&n| n > 30), "{cues:?}");
        assert!(TMaze::new(0).is_err());
    }
}
