//! Environments whose velocities are hidden.

use crate::wrappers::as_within;
use crate::{Action, CartPole, Env, EnvError, MountainCar, Pendulum, Space, Spec, Step};

/// An environment without some numbers of its observations, velocities for one: what they said has to be remembered from what was
/// seen before. All else is as it was.
#[derive(Debug, Clone)]
pub struct WithoutVelocity<E> {
    env: E,
    spec: Spec,
    /// Places of the numbers that are seen.
    seen: Vec<usize>,
    whole: Vec<f32>,
}

impl WithoutVelocity<CartPole> {
    /// `CartPole-v1` with the cart's position and the pole's angle alone, as `CartPoleNoVelocity-v0`.
    ///
    /// # Errors
    /// None.
    pub fn cart_pole() -> Result<Self, EnvError> {
        Self::as_hard("CartPoleNoVelocity-v0", CartPole::new(), &[1, 3])
    }
}

impl WithoutVelocity<MountainCar> {
    /// `MountainCar-v0` with the car's position alone, as `MountainCarNoVelocity-v0`.
    ///
    /// # Errors
    /// None.
    pub fn mountain_car() -> Result<Self, EnvError> {
        Self::as_hard("MountainCarNoVelocity-v0", MountainCar::new(), &[1])
    }
}

impl WithoutVelocity<Pendulum> {
    /// `Pendulum-v1` with the angle's cosine and sine alone, as `PendulumNoVelocity-v0`.
    ///
    /// # Errors
    /// None.
    pub fn pendulum() -> Result<Self, EnvError> {
        Self::as_hard("PendulumNoVelocity-v0", Pendulum::new(), &[2])
    }
}

impl<E: Env> WithoutVelocity<E> {
    /// An environment of box observations under a name of its own, without the numbers at these places; a threshold of what is
    /// within is none of this task's.
    ///
    /// # Errors
    /// [`EnvError::Option`] for what is [no name](Spec::check_id), for observations that are no box, and for places that are not
    /// among its numbers, all of them, or one of them twice.
    pub fn new(id: &str, env: E, hidden: &[usize]) -> Result<Self, EnvError> {
        Spec::check_id(id)?;
        let wrong = |expected| EnvError::Option { name: "places", value: format!("{hidden:?}"), expected };
        let Space::Box { low, high } = &env.spec().observation else {
            return Err(wrong(
                "numbers can be hidden of a box only: `flatten` makes one of an image, `one_hot` of choices",
            ));
        };
        if hidden.iter().enumerate().any(|(i, place)| hidden[..i].contains(place)) {
            return Err(wrong("each of them stands there once"));
        }
        let seen: Vec<usize> = (0..low.len()).filter(|place| !hidden.contains(place)).collect();
        if seen.is_empty() || hidden.iter().any(|&place| place >= low.len()) {
            return Err(wrong("they count an observation's numbers from 0, and leave some of them"));
        }
        let of = |bound: &[f32]| seen.iter().map(|&place| bound[place]).collect();
        let observation = Space::Box { low: of(low), high: of(high) };
        let spec = Spec { id: id.into(), observation, reward_threshold: None, ..env.spec().clone() };
        let whole = vec![0.0; low.len()];
        Ok(Self { env, spec, seen, whole })
    }

    /// The same where what is within is solved when this is: from two observations all of it follows.
    fn as_hard(id: &str, env: E, hidden: &[usize]) -> Result<Self, EnvError> {
        let mut hiding = Self::new(id, env, hidden)?;
        hiding.spec.reward_threshold = hiding.env.spec().reward_threshold;
        Ok(hiding)
    }

    fn show(&self, observation: &mut [f32]) {
        observation.iter_mut().zip(&self.seen).for_each(|(to, &place)| *to = self.whole[place]);
    }
}

impl<E: Env> Env for WithoutVelocity<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.seen.len(), observation.len())?;
        self.env.reset(seed, &mut self.whole)?;
        self.show(observation);
        Ok(())
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.seen.len(), observation.len())?;
        self.env.reset_wide(seed, &mut self.whole)?;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.seen.len(), observation.len())?;
        let step = self.env.step(action, &mut self.whole)?;
        self.show(observation);
        Ok(step)
    }

    as_within!(save, action_mask, draw);
}

#[cfg(test)]
mod tests {
    use super::WithoutVelocity;
    use crate::{Action, CartPole, Env};

    #[test]
    fn what_is_seen_is_what_the_environment_within_shows() {
        let (mut env, mut inner) = (WithoutVelocity::cart_pole().expect("a cart"), CartPole::new());
        let (mut seen, mut whole) = ([0.0; 2], [0.0; 4]);
        env.reset(Some(3), &mut seen).expect("a reset");
        inner.reset(Some(3), &mut whole).expect("a reset");
        for _ in 0..5 {
            assert_eq!(seen, [whole[0], whole[2]]);
            let step = env.step(Action::Discrete(1), &mut seen).expect("a step");
            assert_eq!(step, inner.step(Action::Discrete(1), &mut whole).expect("a step"));
        }
        for hidden in [&[0, 1, 2, 3][..], &[4], &[1, 1]] {
            assert!(WithoutVelocity::new("Blind-v0", CartPole::new(), hidden).is_err());
        }
    }
}
