//! A bandit: one decision, paid at random.

use crate::{Action, End, Env, EnvError, FiniteMdp, MdpError, NumpyRng, Outcome, Space, Spec, Step};

/// A Bernoulli bandit: an episode is one pull, and arm `i` of `n` pays 1 with probability `(i + 1) / (n + 1)`, else 0.
///
/// The observation is one number, 1. Robbins 1952, <https://doi.org/10.1090/S0002-9904-1952-09620-8>.
#[derive(Debug, Clone)]
pub struct Bandit {
    spec: Spec,
    arms: usize,
    rng: NumpyRng,
    needs_reset: bool,
}

impl Bandit {
    /// A bandit with so many arms.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no arm.
    pub fn new(arms: usize) -> Result<Self, EnvError> {
        if arms == 0 {
            return Err(EnvError::Option { name: "arms", value: "0".into(), expected: "a bandit has 1 arm at least" });
        }
        let spec = Spec {
            id: "Bandit-v0".into(),
            observation: Space::Box { low: vec![0.0], high: vec![1.0] },
            action: Space::Discrete { n: arms },
            max_episode_steps: Some(1),
            reward_threshold: None,
        };
        Ok(Self { spec, arms, rng: NumpyRng::default(), needs_reset: true })
    }

    /// How likely an arm pays.
    fn pays(&self, arm: usize) -> f64 {
        (arm + 1) as f64 / (self.arms + 1) as f64
    }

    /// Its exact model: one state.
    ///
    /// # Errors
    /// [`MdpError`] for more arms than a model holds.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let ways = |arm: usize| {
            let pays = self.pays(arm);
            let way = |probability, reward| Outcome { probability, next: 0, reward, terminal: true };
            vec![way(pays, 1.0), way(1.0 - pays, 0.0)]
        };
        FiniteMdp::new(self.arms, (0..self.arms).map(ways).collect(), vec![1.0], vec![1.0])
    }
}

impl Env for Bandit {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 1, observation.len())?;
        if let Some(seed) = seed {
            self.rng = NumpyRng::new(seed);
        }
        self.needs_reset = false;
        observation[0] = 1.0;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", 1, observation.len())?;
        let arm = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        self.needs_reset = true;
        observation[0] = 1.0;
        let paid = self.rng.random() < self.pays(arm);
        Ok(Step { reward: if paid { 1.0 } else { 0.0 }, end: End::Terminated })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.needs_reset.into());
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[needs_reset @ (0 | 1), low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected 0 or 1, and a generator's three words" });
        };
        self.needs_reset = needs_reset == 1;
        self.rng = NumpyRng::at([low, high, drawn]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Bandit;
    use crate::{Action, Env};

    #[test]
    fn each_arm_pays_as_often_as_the_model_says() {
        let mut bandit = Bandit::new(4).expect("a bandit");
        let model = bandit.model().expect("a model");
        assert_eq!(model.optimal_values(1.0).expect("values"), [0.8]);
        let mut observation = [0.0];
        bandit.reset(Some(1), &mut observation).expect("a reset");
        for arm in 0..4 {
            let mut total = 0.0;
            for _ in 0..10_000 {
                bandit.reset(None, &mut observation).expect("a reset");
                total += bandit.step(Action::Discrete(arm), &mut observation).expect("a step").reward;
            }
            let expected = f64::from(arm + 1) / 5.0;
            // Five standard errors.
            assert!((f64::from(total) / 1e4 - expected).abs() < 0.025, "{arm}: {total}");
        }
        assert!(bandit.step(Action::Discrete(0), &mut observation).is_err(), "a pull is an episode");
        assert!(Bandit::new(0).is_err());
    }
}
