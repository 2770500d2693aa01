//! What one domain of the suite is to the environment around it.

use crate::{Drawing, NumpyRng};

/// A body and what is asked of it. Its state is `S` numbers, MuJoCo's `qpos` and then `qvel`.
pub trait Domain<const S: usize>: Send {
    /// Numbers in an observation.
    const OBSERVED: usize;

    /// The registered name of the task.
    fn id(&self) -> &'static str;

    /// The state that an episode starts in.
    fn start(&self, rng: &mut NumpyRng) -> [f64; S];

    /// The state one control step later; `control` is within ±1.
    fn advance(&self, state: [f64; S], control: f64) -> [f64; S];

    /// Writes the observation of a state.
    fn observe(&self, state: [f64; S], observation: &mut [f32]);

    /// What it pays that `control` has led to a state, 0 to 1.
    fn reward(&self, state: [f64; S], control: f64) -> f64;

    /// A state as shapes.
    fn draw(&self, state: [f64; S]) -> Drawing;
}
