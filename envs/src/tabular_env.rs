//! A model as an environment.

use crate::{Action, End, Env, EnvError, FiniteMdp, NumpyRng, Outcome, Space, Spec, Step};

/// An environment that does what a [`FiniteMdp`] says: what is learnt in it can be compared with what is exactly true.
///
/// ```
/// use uphill_envs::{Action, Env, TabularEnv, corridor};
///
/// let model = corridor(3)?;
/// let mut env = TabularEnv::new("Corridor-v0", model, Some(60))?;
/// let mut seen = [0.0; 4];
/// env.reset(Some(1), &mut seen)?;
/// let step = env.step(Action::Discrete(1), &mut seen)?;
/// assert_eq!((step.reward, seen), (-1.0, [0.0, 1.0, 0.0, 0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TabularEnv {
    spec: Spec,
    model: FiniteMdp,
    rng: NumpyRng,
    state: usize,
    needs_reset: bool,
}

impl TabularEnv {
    /// The environment of a model, under a name, that [`TimeLimit`](crate::TimeLimit) may cut off after so many steps.
    ///
    /// # Errors
    /// [`EnvError::Option`] for what is [no name](Spec::check_id).
    pub fn new(id: &str, model: FiniteMdp, max_episode_steps: Option<u32>) -> Result<Self, EnvError> {
        Spec::check_id(id)?;
        let (d, all) = (model.observation_len(), model.observations());
        let bound = |of: fn(f32, f32) -> f32| -> Vec<f32> {
            (0..d).map(|k| all.iter().skip(k).step_by(d).copied().reduce(of).unwrap_or_default()).collect()
        };
        let spec = Spec {
            id: id.into(),
            observation: Space::Box { low: bound(f32::min), high: bound(f32::max) },
            action: Space::Discrete { n: model.actions() },
            max_episode_steps,
            reward_threshold: None,
        };
        Ok(Self { spec, model, rng: NumpyRng::default(), state: 0, needs_reset: true })
    }

    /// What it does.
    #[must_use]
    pub fn model(&self) -> &FiniteMdp {
        &self.model
    }

    fn observe(&self, observation: &mut [f32]) {
        let d = self.model.observation_len();
        observation.copy_from_slice(&self.model.observations()[self.state * d..(self.state + 1) * d]);
    }
}

impl Env for TabularEnv {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.model.observation_len(), observation.len())?;
        self.rng.restart(seed);
        self.state = self.rng.categorical(self.model.start().iter().copied());
        self.needs_reset = false;
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.model.observation_len(), observation.len())?;
        let action = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let outcomes = self.model.outcomes(self.state, action);
        let Outcome { next, reward, terminal, .. } =
            outcomes[self.rng.categorical(outcomes.iter().map(|outcome| outcome.probability))];
        (self.state, self.needs_reset) = (next, terminal);
        self.observe(observation);
        Ok(Step { reward: reward as f32, end: if terminal { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend([self.state as u64, self.needs_reset.into()]);
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        match *state {
            [state, needs_reset @ 0..=1, low, high, drawn] if state < self.model.states() as u64 => {
                (self.state, self.needs_reset) = (state as usize, needs_reset == 1);
                self.rng = NumpyRng::at([low, high, drawn]);
                Ok(())
            }
            _ => {
                let problem = "expected a state of the model, 0 or 1, and a generator's three words";
                Err(EnvError::Saved { problem })
            }
        }
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        let n = self.model.actions();
        let legal = self.model.masks().map(|masks| &masks[self.state * n..(self.state + 1) * n]);
        legal.is_some_and(|legal| {
            mask.copy_from_slice(legal);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TabularEnv;
    use crate::{Action, End, Env, random_mdp};

    #[test]
    fn it_does_what_the_model_says_as_often_as_it_says() {
        let model = random_mdp(4, 2, 3, 0.2, 7).expect("a model");
        let mut env = TabularEnv::new("Random-v0", model.clone(), None).expect("an environment");
        let (mut seen, mut rewards, mut ends, n) = ([0.0; 4], 0.0, 0, 60_000);
        let mut visits = [0.0f64; 4];
        env.reset(Some(1), &mut seen).expect("a reset");
        for i in 0..n {
            let state = seen.iter().position(|&x| x == 1.0).expect("one of them");
            visits[state] += 1.0;
            let step = env.step(Action::Discrete(i % 2), &mut seen).expect("a step");
            rewards += f64::from(step.reward);
            if step.end == End::Terminated {
                ends += 1;
                env.reset(None, &mut seen).expect("a reset");
            }
        }
        // The mean return over episodes of the policy that takes each action half the time is close to the exact one: which
        // action comes in which state is as if by chance.
        let exact = model.start_value(&model.uniform_policy(), 1.0).expect("a value");
        let mean = rewards / f64::from(ends);
        assert!((mean - exact).abs() < 0.1, "{mean} {exact}");
        assert!((f64::from(ends) / f64::from(n) - 0.2).abs() < 0.01, "{ends}");
        let before = {
            let mut words = Vec::new();
            env.save(&mut words);
            words
        };
        let mut go = |env: &mut TabularEnv| -> Vec<u32> {
            let mut all = Vec::new();
            for i in 0..50 {
                let Ok(step) = env.step(Action::Discrete(i % 2), &mut seen) else {
                    env.reset(None, &mut seen).expect("a reset");
                    continue;
                };
                all.extend([step.reward.to_bits(), seen[0].to_bits()]);
            }
            all
        };
        let first = go(&mut env);
        env.restore(&before).expect("the same words");
        assert_eq!(go(&mut env), first);
        assert!(env.restore(&before[1..]).is_err() && env.restore(&[9, 0, 1, 2, 3]).is_err());
    }
}
