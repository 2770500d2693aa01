//! A vector of environments with one mistake.

use uphill_envs::{Action, Actions, End, EnvError, NumpyRng, Space, Spec, Spread, Transitions, VecEnv};

/// Lanes of coins, with a mistake.
pub(crate) struct Coins {
    spec: Spec,
    mistake: &'static str,
    rngs: Vec<NumpyRng>,
    tosses: Vec<u32>,
}

impl Coins {
    pub(crate) fn new(mistake: &'static str, lanes: usize) -> Self {
        let spec = Spec {
            id: "Coins".into(),
            observation: Space::uniform_box(1, 0.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        let lanes = if mistake == "another number of lanes" { lanes + 1 } else { lanes };
        Self { spec, mistake, rngs: vec![NumpyRng::new(0); lanes], tosses: vec![0; lanes] }
    }
}

impl VecEnv for Coins {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.rngs.len()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if self.mistake != "takes any room" && observation.len() != self.lanes() {
            return Err(EnvError::Length { what: "observation", expected: self.lanes(), got: observation.len() });
        }
        for lane in 0..self.lanes() {
            let own = if self.mistake == "one seed for all" { 0 } else { lane as u64 };
            if let Some(seed) = seed {
                self.rngs[lane] = NumpyRng::new(seed + own);
            }
            self.tosses[lane] = 0;
            if let Some(observation) = observation.get_mut(lane) {
                *observation = self.rngs[lane].random() as f32;
            }
        }
        Ok(())
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        for (lane, &active) in active.iter().enumerate() {
            if !active && self.mistake != "never rests" {
                if self.mistake == "writes the resting" {
                    out.observation[lane] = 0.25;
                }
                continue;
            }
            let Action::Discrete(guess) = actions.lane(lane, &self.spec.action) else { continue };
            let which = if self.mistake == "one generator" { 0 } else { lane };
            let coin = self.rngs[which].random() as f32;
            out.reward[lane] = f32::from((coin > 0.5) == (guess == 1));
            self.tosses[lane] += 1;
            out.end[lane] = if self.tosses[lane] == 10 { End::Terminated } else { End::Not };
            out.observation[lane] = coin;
            if out.end[lane].ended() {
                out.final_observation[lane] = coin;
                self.tosses[lane] = 0;
                out.observation[lane] = self.rngs[which].random() as f32;
            }
        }
        Ok(())
    }

    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        _: Spread<'_>,
    ) -> Result<(), EnvError> {
        if self.mistake == "spreads something else" {
            self.rngs[0].random();
        }
        self.step(actions, active, out)
    }
}
