//! An environment whose episodes do not end.

use std::time::Duration;

use uphill::envs::{Action, End, Env, EnvError, Lanes, Space, Spec, Step, VecEnv};
use uphill::{Config, Result};

/// Never ends.
#[derive(Clone)]
pub(crate) struct Endless {
    pub(crate) spec: Spec,
    pub(crate) steps: u64,
    pub(crate) pause: Duration,
}

impl Endless {
    pub(crate) fn new(max_episode_steps: Option<u32>) -> Self {
        let spec = Spec {
            id: "Endless-v0".into(),
            observation: Space::uniform_box(2, 0.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps,
            reward_threshold: None,
        };
        Self { spec, steps: 0, pause: Duration::ZERO }
    }

    pub(crate) fn lanes(self, lanes: usize) -> Result<Box<dyn VecEnv>> {
        Ok(Box::new(Lanes::new(vec![self; lanes])?))
    }
}

impl Env for Endless {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.steps = 0;
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        std::thread::sleep(self.pause);
        self.steps += 1;
        observation.fill(1.0 / self.steps as f32);
        let reward = if action == Action::Discrete(0) { 1.0 } else { 0.0 };
        Ok(Step { reward, end: End::Not })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.steps);
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[steps] = state else { return Err(EnvError::Saved { problem: "expected a count" }) };
        self.steps = steps;
        Ok(())
    }
}

/// A small run in it.
pub(crate) fn endless(algo: &str) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    let defaults = if ["reinforce", "rloo"].contains(&algo) { Config { episodes: 2, ..defaults } } else { defaults };
    Config { env: "Endless-v0".into(), envs: 2, hidden: vec![4], threads: 1, steps: 100_000, ..defaults }
}
