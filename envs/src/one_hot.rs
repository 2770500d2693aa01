//! Environments whose choices are shown as switches.

use crate::wrappers::as_within;
use crate::{Action, Env, EnvError, Space, Spec, Step};

/// An environment of discrete observations, one or several, as one-hot numbers: of each `0..n` there are `n`, 1 where it is and 0
/// elsewhere. A network sees no order in them then. All else is as it was.
///
/// The environments of this crate that have such states, [`Taxi`](crate::Taxi), [`FrozenLake`](crate::FrozenLake) and grid worlds,
/// show them so by themselves.
#[derive(Debug, Clone)]
pub struct OneHot<E> {
    env: E,
    spec: Spec,
    /// How many each component has.
    sizes: Vec<usize>,
    whole: Vec<f32>,
}

impl<E: Env> OneHot<E> {
    /// Shows discrete observations as one-hot numbers.
    ///
    /// # Errors
    /// [`EnvError::Option`] for other observations.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let sizes = match &env.spec().observation {
            Space::Discrete { n } => vec![*n],
            Space::MultiDiscrete { n } => n.clone(),
            other => {
                let expected = "discrete observations, one or several, are shown as one-hot numbers";
                return Err(EnvError::Option { name: "observation space", value: other.kind().into(), expected });
            }
        };
        let observation = Space::uniform_box(env.spec().observation.choices(), 0.0, 1.0);
        let spec = Spec { observation, ..env.spec().clone() };
        Ok(Self { env, spec, whole: vec![0.0; sizes.len()], sizes })
    }

    fn show(&self, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        let mut first = 0;
        for (place, (&value, &n)) in self.whole.iter().zip(&self.sizes).enumerate() {
            if !(value >= 0.0 && value.fract() == 0.0 && (value as usize) < n) {
                return Err(EnvError::NotAnIndex { place, value, n });
            }
            observation[first + value as usize] = 1.0;
            first += n;
        }
        Ok(())
    }
}

impl<E: Env> Env for OneHot<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        self.env.reset(seed, &mut self.whole)?;
        self.show(observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        self.env.reset_wide(seed, &mut self.whole)?;
        self.show(observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let step = self.env.step(action, &mut self.whole)?;
        self.show(observation)?;
        Ok(step)
    }

    as_within!(save, action_mask, draw);
}
