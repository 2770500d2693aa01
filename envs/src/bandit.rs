//! A bandit: one decision, paid at random.

use crate::probes::normal;
use crate::{Action, End, Env, EnvError, FiniteMdp, MdpError, NumpyRng, Outcome, Space, Spec, Step};

/// A bandit: an episode is one pull, and arm `i` of `n` pays `(i + 1) / (n + 1)` on average, either 1 or 0
/// ([`new`](Self::new)) or a normal number ([`gaussian`](Self::gaussian)).
///
/// The observation is one number, 1; the best arm is the last. Robbins 1952, <https://doi.org/10.1090/S0002-9904-1952-09620-8>.
#[derive(Debug, Clone)]
pub struct Bandit {
    spec: Spec,
    arms: usize,
    /// The deviation of normal numbers; `None` where an arm pays 1 or 0.
    std: Option<f64>,
    rng: NumpyRng,
    needs_reset: bool,
}

impl Bandit {
    /// So many arms, each of which pays 1 or 0, as `Bandit-v0`.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no arm.
    pub fn new(arms: usize) -> Result<Self, EnvError> {
        Self::named("Bandit-v0", arms, None)
    }

    /// So many arms, each of which pays a normal number of this deviation, as `GaussianBandit-v0`.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no arm, and a deviation that is negative or not finite.
    pub fn gaussian(arms: usize, std: f64) -> Result<Self, EnvError> {
        if std >= 0.0 && std.is_finite() {
            return Self::named("GaussianBandit-v0", arms, Some(std));
        }
        let expected = "a deviation is finite and not negative";
        Err(EnvError::Option { name: "std", value: std.to_string(), expected })
    }

    fn named(id: &str, arms: usize, std: Option<f64>) -> Result<Self, EnvError> {
        if arms == 0 {
            return Err(EnvError::Option { name: "arms", value: "0".into(), expected: "a bandit has 1 arm at least" });
        }
        let spec = Spec {
            id: id.into(),
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

    /// Its exact model, of one state; where arms pay normal numbers its model in the mean.
    ///
    /// # Errors
    /// [`MdpError`] for more arms than a model holds.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let ways = |arm: usize| {
            let mean = self.mean(arm);
            let way = |probability, reward| Outcome { probability, next: 0, reward, terminal: true };
            match self.std {
                None => vec![way(mean, 1.0), way(1.0 - mean, 0.0)],
                Some(_) => vec![way(1.0, mean)],
            }
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
        let reward = match self.std {
            None => f32::from(u8::from(self.rng.random() < self.mean(arm))),
            Some(std) => (self.mean(arm) + std * normal(&mut self.rng)) as f32,
        };
        Ok(Step { reward, end: End::Terminated })
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

    #[test]
    fn each_arm_pays_on_average_what_the_model_says() {
        let mut bandit = Bandit::gaussian(4, 2.0).expect("a bandit");
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
        assert!(Bandit::gaussian(0, 1.0).is_err() && Bandit::gaussian(2, f64::NAN).is_err());
    }
}
