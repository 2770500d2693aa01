//! Actions that are brought back into their box.

use super::as_within;
use crate::{Action, Env, EnvError, Space, Spec, Step};

/// An environment whose continuous actions may be any numbers: those outside the box become the nearest in it, as Gymnasium's
/// `ClipAction`. Policies do so by themselves; environments that refuse what is outside may be acted in by others, too.
#[derive(Debug, Clone)]
pub struct ClipAction<E> {
    env: E,
    clipped: Vec<f32>,
}

impl<E: Env> ClipAction<E> {
    /// Clips the actions of `env`.
    ///
    /// # Errors
    /// [`EnvError::Option`] for actions that are no box.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let (low, _) = bounds(env.spec(), "actions")?;
        let clipped = vec![0.0; low.len()];
        Ok(Self { env, clipped })
    }
}

/// The bounds of continuous actions.
pub(super) fn bounds<'a>(spec: &'a Spec, name: &'static str) -> Result<(&'a [f32], &'a [f32]), EnvError> {
    match &spec.action {
        Space::Box { low, high } => Ok((low, high)),
        other => Err(EnvError::Option { name, value: other.kind().into(), expected: "actions of a box are numbers" }),
    }
}

impl<E: Env> Env for ClipAction<E> {
    as_within!(reset, save, action_mask, draw);

    fn spec(&self) -> &Spec {
        self.env.spec()
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let numbers = self.env.spec().action.continuous(action)?;
        let (low, high) = bounds(self.env.spec(), "actions")?;
        for (to, (x, (low, high))) in self.clipped.iter_mut().zip(numbers.iter().zip(low.iter().zip(high))) {
            *to = x.max(*low).min(*high);
        }
        self.env.step(Action::Continuous(&self.clipped), observation)
    }
}
