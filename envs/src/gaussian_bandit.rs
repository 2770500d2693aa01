//! A bandit whose arms pay normal numbers.

use crate::probes::normal;
use crate::{Action, End, Env, EnvError, FiniteMdp, MdpError, NumpyRng, Outcome, Space, Spec, Step};

/// A Gaussian bandit: an episode is one pull, and arm `i` of `n` pays a normal number of mean `(i + 1) / (n + 1)` and a deviation
/// that all share. The observation is one number, 1; the best arm is the last.
#[derive(Debug, Clone)]
pub struct GaussianBandit {
    spec: Spec,
    arms: usize,
    std: f64,
    rng: NumpyRng,
    needs_reset: bool,
}

impl GaussianBandit {
    /// A bandit with so many arms, and the deviation of what each pays.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no arm, and a deviation that is negative or not finite.
    pub fn new(arms: usize, std: f64) -> Result<Self, EnvError> {
        if arms == 0 {
            return Err(EnvError::Option { name: "arms", value: "0".into(), expected: "a bandit has 1 arm at least" });
        }
        if !(std >= 0.0 && std.is_finite()) {
            let expected = "a deviation is finite and not negative";
            return Err(EnvError::Option { name: "std", value: std.to_string(), expected });
        }
        let spec = Spec {
            id: "GaussianBandit-v0".into(),
            observation: Space::Box { low: vec![0.0], high: vec![1.0] },
            action: Space::Discrete { n: arms },
            max_episode_steps: Some(1),
            reward_threshold: None,
        };
        Ok(Self { spec, arms, std, rng: NumpyRng::default(), needs_reset: true })
    }

    /// What an arm pays on average.
    fn mean(&self, arm: usize) -> f64 {
        (arm + 1) as f64 / (self.arms + 1) as f64
    }

    /// Its model in the mean: one state, and of every arm what it pays on average.
    ///
    /// # Errors
    /// [`MdpError`] for more arms than a model holds.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let way = |arm| vec![Outcome { probability: 1.0, next: 0, reward: self.mean(arm), terminal: true }];
        FiniteMdp::new(self.arms, (0..self.arms).map(way).collect(), vec![1.0], vec![1.0])
    }
}

impl Env for GaussianBandit {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 1, observation.len())?;
        self.rng.restart(seed);
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
        let reward = self.mean(arm) + self.std * normal(&mut self.rng);
        Ok(Step { reward: reward as f32, end: End::Terminated })
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
    use super::GaussianBandit;
    use crate::{Action, Env};

    #[test]
    fn each_arm_pays_on_average_what_the_model_says() {
        let mut bandit = GaussianBandit::new(4, 2.0).expect("a bandit");
        let model = bandit.model().expect("a model");
        assert_eq!(model.optimal_values(1.0).expect("values"), [0.8]);
        let (mut observation, n) = ([0.0], 20_000);
        bandit.reset(Some(1), &mut observation).expect("a reset");
        for arm in 0..4 {
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..n {
                bandit.reset(None, &mut observation).expect("a reset");
                let paid = f64::from(bandit.step(Action::Discrete(arm), &mut observation).expect("a step").reward);
                (sum, squares) = (sum + paid, squares + paid * paid);
            }
            let (mean, expected) = (sum / f64::from(n), f64::from(arm + 1) / 5.0);
            // Five standard errors.
            assert!((mean - expected).abs() < 0.07, "{arm}: {mean}");
            assert!((squares / f64::from(n) - mean * mean - 4.0).abs() < 0.2, "{arm}");
        }
        assert!(bandit.step(Action::Discrete(0), &mut observation).is_err(), "a pull is an episode");
        assert!(GaussianBandit::new(0, 1.0).is_err() && GaussianBandit::new(2, f64::NAN).is_err());
    }
}
