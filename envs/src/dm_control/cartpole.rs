//! The pole on a cart on a rail with two ends.

use std::f64::consts::PI;

use crate::probes::normal;
use crate::{Drawing, NumpyRng};

use super::domain::Domain;
use super::limit::Limit;
use super::mass::Mass;
use super::page::{BODY, DECORATION, Page};
use super::runge_kutta::runge_kutta;
use super::tolerance::{gaussian, indicator, quadratic};
use super::{GRAVITY, capsule};

/// kg.
const CART_MASS: f64 = 1.0;
/// kg.
const POLE_MASS: f64 = 0.1;
/// m, without the round ends.
const POLE_LENGTH: f64 = 1.0;
/// m.
const POLE_RADIUS: f64 = 0.045;
/// From the hinge to the pole's centre of mass, m.
const CENTRE: f64 = POLE_LENGTH / 2.0;
/// N, at a control of 1.
const FORCE: f64 = 10.0;
/// N·s/m of the slider and N·m·s of the hinge.
const DAMPING: [f64; 2] = [5e-4, 2e-6];
/// Seconds a step.
const SECONDS: f64 = 0.01;
const RAIL: Limit = Limit { range: 1.8, time_constant: 0.08, mobility: mass(1.0).mobility() };
/// How far from the middle the cart may be, m, and the smallest cosine of the pole's angle where a sparse reward is paid.
const BOUNDS: (f64, f64) = (0.25, 0.995);

/// dm_control's `cartpole`: push a cart, to left or right along a rail, so that its pole stands up.
///
/// - Observation, `[5]`: the cart's position (m), cosine and sine of the pole's angle from upright, the cart's velocity (m/s), the
///   angular velocity (rad/s).
/// - Action: the force on the cart, ±10 N, for 0.01 s.
/// - Reward, a product: `(1 + cos θ)/2`, `(4 + (1 − u²))/5`, `(1 + g(θ̇/5))/2`, `(1 + g(x/2))/2`, where `g(d) = 0.1^(d²)`. Sparse: 1
///   where the cart is within 0.25 m of the middle and the cosine is 0.995 at least, 0 elsewhere.
/// - Start: [`balance`](Self::balance) has the position uniform in ±0.1 and the angle in ±0.034; [`swingup`](Self::swingup) has both
///   normal, with deviation 0.01, around the middle and hanging down. Both velocities are normal with deviation 0.01.
///
/// A cart of 1 kg slides along a rail and bears a capsule of 0.1 kg, 1 m long with a radius of 0.045 m, on a hinge at its end; both
/// joints are damped a little. At ±1.8 m the rail ends softly, as MuJoCo's limits are: the cart may come to ±2.1 m. Integrated by
/// the method of Runge and Kutta.
#[derive(Debug, Clone, Copy)]
pub struct DmCartPole {
    swing_up: bool,
    sparse: bool,
}

impl DmCartPole {
    /// `dm_control/cartpole-balance-v0`: the pole starts almost upright.
    #[must_use]
    pub fn balance() -> Self {
        Self { swing_up: false, sparse: false }
    }

    /// `dm_control/cartpole-balance_sparse-v0`.
    #[must_use]
    pub fn balance_sparse() -> Self {
        Self { swing_up: false, sparse: true }
    }

    /// `dm_control/cartpole-swingup-v0`: the pole starts hanging down.
    #[must_use]
    pub fn swingup() -> Self {
        Self { swing_up: true, sparse: false }
    }

    /// `dm_control/cartpole-swingup_sparse-v0`.
    #[must_use]
    pub fn swingup_sparse() -> Self {
        Self { swing_up: true, sparse: true }
    }
}

/// Position and angle, and their velocities.
type State = [f64; 4];

/// The inertia of position and angle, at a cosine of the angle.
const fn mass(cos: f64) -> Mass {
    Mass {
        first: CART_MASS + POLE_MASS,
        both: POLE_MASS * CENTRE * cos,
        second: capsule::inertia(POLE_MASS, POLE_RADIUS, POLE_LENGTH) + POLE_MASS * CENTRE * CENTRE,
    }
}

/// The derivative of a state under a control: Lagrange's equations with `x + l·sin θ` and `l·cos θ` as the pole's centre of mass.
fn rate([x, theta, x_dot, theta_dot]: State, control: f64) -> State {
    let (sin, cos) = theta.sin_cos();
    let mass = mass(cos);
    let push = FORCE * control + POLE_MASS * CENTRE * sin * theta_dot * theta_dot - DAMPING[0] * x_dot;
    let turn = POLE_MASS * CENTRE * GRAVITY * sin - DAMPING[1] * theta_dot;
    let free = mass.accelerations([push, turn]);
    let stop = RAIL.force(x, x_dot, free[0], &mass);
    let [x_acc, theta_acc] = stop.map_or(free, |stop| mass.accelerations([push + stop, turn]));
    [x_dot, theta_dot, x_acc, theta_acc]
}

impl Domain<4> for DmCartPole {
    const OBSERVED: usize = 5;

    fn id(&self) -> &'static str {
        match (self.swing_up, self.sparse) {
            (false, false) => "dm_control/cartpole-balance-v0",
            (false, true) => "dm_control/cartpole-balance_sparse-v0",
            (true, false) => "dm_control/cartpole-swingup-v0",
            (true, true) => "dm_control/cartpole-swingup_sparse-v0",
        }
    }

    fn start(&self, rng: &mut NumpyRng) -> State {
        let [x, theta] = if self.swing_up {
            [0.01 * normal(rng), PI + 0.01 * normal(rng)]
        } else {
            [rng.uniform(-0.1, 0.1), rng.uniform(-0.034, 0.034)]
        };
        [x, theta, 0.01 * normal(rng), 0.01 * normal(rng)]
    }

    #[inline]
    fn advance(&self, state: State, control: f64) -> State {
        runge_kutta(state, SECONDS, |state| rate(state, control))
    }

    #[inline]
    fn observe(&self, [x, theta, x_dot, theta_dot]: State, observation: &mut [f32]) {
        let (sin, cos) = theta.sin_cos();
        observation.copy_from_slice(&[x, cos, sin, x_dot, theta_dot].map(|x| x as f32));
    }

    #[inline]
    fn reward(&self, [x, theta, _, theta_dot]: State, control: f64) -> f64 {
        let cos = theta.cos();
        if self.sparse {
            return indicator(x.abs() <= BOUNDS.0 && cos >= BOUNDS.1);
        }
        let upright = (1.0 + cos) / 2.0;
        let small_control = (4.0 + quadratic(control)) / 5.0;
        let slow = (1.0 + gaussian(theta_dot, 5.0)) / 2.0;
        let centred = (1.0 + gaussian(x, 2.0)) / 2.0;
        upright * small_control * slow * centred
    }

    fn draw(&self, [x, theta, ..]: State) -> Drawing {
        let page = Page { width: 600.0, height: 400.0, scale: 115.0 };
        let (sin, cos) = theta.sin_cos();
        let mut shapes = page.rod((-2.0, 0.0), (2.0, 0.0), 0.02, DECORATION).to_vec();
        shapes.push(page.block((x, 0.0), (0.2, 0.1), BODY));
        shapes.extend(page.rod((x, 0.0), (x + POLE_LENGTH * sin, POLE_LENGTH * cos), POLE_RADIUS as f32, BODY));
        page.drawing(shapes)
    }
}
