//! What lanes that are stepped on the learning device need, there and on the host.

use uphill_envs::Spec;

use crate::{Config, Layout, device_lanes, moments};

/// Numbers of a step that a rollout keeps besides its observation, its action and the state that it led to: log-probability, reward, value,
/// the next value, whether it carries on, and what is made of them: advantage and target, and the columns on the way there.
const STEP: f64 = 12.0;
/// Bytes of it on the host: reward, end, and its place among minibatches.
const TOLD: f64 = 24.0;
/// Numbers of a row of a minibatch besides its observation and action: what is gathered of it, and the terms of the loss.
const ROW: f64 = 48.0;
/// Numbers that are kept of each unit of a network for a row's way back: its product, its sum, what its activation makes of it, and a
/// derivative.
const OF_UNIT: f64 = 4.0;
/// Numbers of a lane besides those of its state and observation: its episode, and what is drawn for a step.
const LANE: f64 = 64.0;
/// Copies of a lane's state and observation: where it stands, stood and goes to.
const PLACES: f64 = 4.0;
/// Bytes of what is drawn together, at most.
const DRAWN: f64 = (size_of::<f32>() * device_lanes::TOGETHER) as f64;
/// Bytes that the moments of one number take while they are made: it, what it is apart from the mean, and the square of that.
const MOMENT: usize = 3 * size_of::<f64>();
/// Bytes of all whose moments are made together, at most.
const MOMENTS: f64 = (MOMENT * moments::TOGETHER) as f64;
/// Bytes of what is there besides, whatever its size: the program of the environments, and what is made on the way.
const BESIDES: f64 = (1 << 20) as f64;

/// Bytes of a lane, of a step of a rollout, and of what goes through the network together besides.
pub(super) struct OfDevice {
    pub(super) lane: f64,
    pub(super) step: f64,
    pub(super) together: f64,
}

impl OfDevice {
    /// Of lanes with so many numbers of state, by a network of this layout, with so many steps a rollout, all lanes together, in so many
    /// minibatches.
    pub(super) fn of(
        config: &Config,
        spec: &Spec,
        (layout, state): (&Layout, usize),
        (steps, minibatches): (f64, f64),
    ) -> Self {
        let (seen, action) = (spec.observation_len() as f64, spec.action.flat_len().max(spec.action.choices()) as f64);
        let units: usize =
            layout.blocks().iter().filter(|block| block.shape.len() > 1).map(|block| block.shape[0]).sum();
        let (state, scales) = (state as f64, config.normalize_observation);
        let row = 4.0 * (if scales { 3.0 } else { 1.0 } * seen + 4.0 * action + OF_UNIT * units as f64 + ROW);
        let moments = |width: f64| (MOMENT as f64 * steps * width).min(MOMENTS);
        let of_observations = if scales { moments(seen) } else { 0.0 };
        // Targets and values in a unit of their own besides.
        let of_targets = if config.normalize_value { moments(1.0) + 8.0 * steps } else { 0.0 };
        Self {
            lane: 4.0 * (PLACES * (state + seen) + LANE),
            step: 4.0 * (seen + action + state + STEP) + TOLD,
            together: row * (steps / minibatches).max(config.envs as f64)
                + (16.0 * steps).min(DRAWN)
                + of_observations.max(of_targets)
                + BESIDES,
        }
    }
}
