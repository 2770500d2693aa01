//! The end of a joint, which gives way a little.

use super::mass::Mass;

/// MuJoCo's smallest and largest impedance, and the depth, m, over which it goes from one to the other, as its defaults are.
const IMPEDANCE: (f64, f64) = (0.9, 0.95);
const WIDTH: f64 = 0.001;

/// A limit on either side of a sliding joint, as a soft constraint of MuJoCo's.
///
/// Past the limit a critically damped spring asks for an acceleration back, and the force is what minimises Gauss' principle with a
/// regulariser: for one constraint alone, as only one side can be passed, in closed form,
/// `f = max(0, (wanted − acceleration) / (mobility + regulariser))`.
///
/// MuJoCo's documentation, <https://mujoco.readthedocs.io/en/3.2.0/modeling.html#solver-parameters> and
/// <https://mujoco.readthedocs.io/en/3.2.0/computation/index.html#constraint-model>.
pub(super) struct Limit {
    /// How far the joint goes to either side, m.
    pub(super) range: f64,
    /// Of the spring, s.
    pub(super) time_constant: f64,
    /// [`Mass::mobility`] in the pose that the model is defined in.
    pub(super) mobility: f64,
}

impl Limit {
    /// The force on a joint past its limit that would accelerate so without it; none within the limit.
    pub(super) fn force(&self, position: f64, velocity: f64, acceleration: f64, mass: &Mass) -> Option<f64> {
        let depth = position.abs() - self.range;
        if depth <= 0.0 {
            return None;
        }
        let back = -position.signum();
        let impedance = impedance(depth);
        let damping = 2.0 / (IMPEDANCE.1 * self.time_constant);
        let stiffness = (IMPEDANCE.1 * self.time_constant).powi(-2);
        let wanted = stiffness * impedance * depth - damping * back * velocity;
        let regulariser = (1.0 - impedance) / impedance * self.mobility;
        Some(back * ((wanted - back * acceleration) / (mass.mobility() + regulariser)).max(0.0))
    }
}

/// Two parabolas that meet in the middle, from the smallest to the largest.
fn impedance(depth: f64) -> f64 {
    let share = (depth / WIDTH).min(1.0);
    let risen = if share < 0.5 { 2.0 * share * share } else { 1.0 - 2.0 * (1.0 - share).powi(2) };
    IMPEDANCE.0 + risen * (IMPEDANCE.1 - IMPEDANCE.0)
}
