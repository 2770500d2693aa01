//! Observations as plain numbers.

use super::as_within;
use crate::{Env, EnvError, Space, Spec};

/// An environment whose image is a box: the same numbers in the same order, and no picture to a network any more. Choices are
/// flattened by [`OneHot`](crate::OneHot).
#[derive(Debug, Clone)]
pub struct Flatten<E> {
    env: E,
    spec: Spec,
}

impl<E: Env> Flatten<E> {
    /// Flattens the observations of `env`; those of a box are flat.
    ///
    /// # Errors
    /// [`EnvError::Option`] for observations that are choices.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let observation = match &env.spec().observation {
            space @ Space::Box { .. } => space.clone(),
            space @ &Space::Image { max, .. } => Space::uniform_box(space.flat_len(), 0.0, max.into()),
            other => {
                let expected = "choices are no numbers of a box: put it in a OneHot";
                return Err(EnvError::Option { name: "observations", value: other.kind().into(), expected });
            }
        };
        let spec = Spec { observation, ..env.spec().clone() };
        Ok(Self { env, spec })
    }
}

impl<E: Env> Env for Flatten<E> {
    as_within!(reset, step, save, action_mask, draw);

    fn spec(&self) -> &Spec {
        &self.spec
    }
}
