//! The pendulum with a weight at its end.

use std::f64::consts::PI;

use crate::{Drawing, NumpyRng};

use super::GRAVITY;
use super::domain::Domain;
use super::page::{BODY, DECORATION, EFFECTOR, Page};
use super::tolerance::indicator;

/// kg.
const MASS: f64 = 1.0;
/// Of the ball, m.
const RADIUS: f64 = 0.05;
/// From the hinge to the middle of the ball, m.
const LENGTH: f64 = 0.5;
/// Of the ball about the hinge, kg·m².
const INERTIA: f64 = 0.4 * MASS * RADIUS * RADIUS + MASS * LENGTH * LENGTH;
/// N·m, at a control of 1.
const TORQUE: f64 = 1.0;
/// N·m·s.
const DAMPING: f64 = 0.1;
/// Seconds a step.
const SECONDS: f64 = 0.02;
/// The largest angle from upright that pays, 8 degrees.
const BOUND: f64 = 8.0 * PI / 180.0;

/// dm_control's `pendulum`: swing a weight up, and keep it there, with a torque too weak to lift it at once.
///
/// - Observation, `[3]`: cosine and sine of the angle from upright, the angular velocity (rad/s).
/// - Action: the torque, ±1 N·m, for 0.02 s.
/// - Reward: 1 where the angle from upright is 8 degrees at most, 0 elsewhere.
/// - Start: any angle, at rest.
///
/// A ball of 1 kg with a radius of 0.05 m at the end of a rod of 0.5 m without mass. MuJoCo's Euler steps are semi-implicit: the new
/// velocity moves the angle, and the damping is that of the new velocity.
#[derive(Debug, Clone, Copy)]
pub struct DmPendulum {
    _swingup: (),
}

impl DmPendulum {
    /// `dm_control/pendulum-swingup-v0`.
    #[must_use]
    pub fn swingup() -> Self {
        Self { _swingup: () }
    }
}

impl Domain<2> for DmPendulum {
    const OBSERVED: usize = 3;

    fn id(&self) -> &'static str {
        "dm_control/pendulum-swingup-v0"
    }

    fn start(&self, rng: &mut NumpyRng) -> [f64; 2] {
        [rng.uniform(-PI, PI), 0.0]
    }

    #[inline]
    fn advance(&self, [theta, theta_dot]: [f64; 2], control: f64) -> [f64; 2] {
        let torque = TORQUE * control + MASS * LENGTH * GRAVITY * theta.sin() - DAMPING * theta_dot;
        // Damping at the new velocity: I·(v' − v) = h·(torque − d·(v' − v)).
        let theta_dot = theta_dot + SECONDS * torque / (INERTIA + SECONDS * DAMPING);
        [theta + SECONDS * theta_dot, theta_dot]
    }

    #[inline]
    fn observe(&self, [theta, theta_dot]: [f64; 2], observation: &mut [f32]) {
        let (sin, cos) = theta.sin_cos();
        observation.copy_from_slice(&[cos, sin, theta_dot].map(|x| x as f32));
    }

    #[inline]
    fn reward(&self, [theta, _]: [f64; 2], _control: f64) -> f64 {
        indicator(theta.cos() >= BOUND.cos())
    }

    fn draw(&self, [theta, _]: [f64; 2]) -> Drawing {
        let page = Page { width: 500.0, height: 500.0, scale: 350.0 };
        let (sin, cos) = theta.sin_cos();
        let end = (LENGTH * sin, LENGTH * cos);
        let mut shapes = page.rod((0.0, 0.0), end, 0.02, BODY).to_vec();
        shapes.push(page.disc((0.0, 0.0), 0.021, DECORATION));
        shapes.push(page.disc(end, RADIUS as f32, EFFECTOR));
        page.drawing(shapes)
    }
}
