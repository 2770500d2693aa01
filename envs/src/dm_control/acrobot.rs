//! Two arms, of which only the joint between them is turned.

use std::f64::consts::PI;

use crate::{Drawing, NumpyRng};

use super::domain::Domain;
use super::mass::Mass;
use super::page::{BODY, DECORATION, Page, TARGET};
use super::runge_kutta::runge_kutta;
use super::tolerance::{gaussian, indicator};
use super::{GRAVITY, capsule};

/// Of either arm, kg.
const MASS: f64 = 1.0;
/// Of either arm without its round ends, m.
const LENGTH: f64 = 1.0;
/// Of the upper and of the lower arm, m.
const RADIUS: [f64; 2] = [0.05, 0.049];
/// From an arm's joint to its centre of mass, m.
const CENTRE: f64 = LENGTH / 2.0;
/// Of either arm about its own joint, kg·m².
const INERTIA: [f64; 2] = [
    capsule::inertia(MASS, RADIUS[0], LENGTH) + MASS * CENTRE * CENTRE,
    capsule::inertia(MASS, RADIUS[1], LENGTH) + MASS * CENTRE * CENTRE,
];
/// What the bend between the arms couples, kg·m².
const COUPLING: f64 = MASS * LENGTH * CENTRE;
/// N·m, at a control of 1.
const TORQUE: f64 = 2.0;
/// Of either joint, N·m·s.
const DAMPING: f64 = 0.05;
/// Seconds a step.
const SECONDS: f64 = 0.01;
/// Above the shoulder, m.
const TARGET_HEIGHT: f64 = 2.0;
/// m.
const TARGET_RADIUS: f64 = 0.2;

/// dm_control's `acrobot`: bring the tip of two arms up to a target above them, and keep it there, by turning the joint between them.
///
/// - Observation, `[6]`: the sines of the upper and of the lower arm's angle from upright, their cosines, the angular velocities of
///   shoulder and elbow (rad/s). The elbow's velocity is that of the lower arm against the upper one.
/// - Action: the torque at the elbow, ±2 N·m, for 0.01 s.
/// - Reward: 1 where the tip is in the target, a ball of 0.2 m around where it is when both arms are upright; outside of it, at a
///   distance of `d` from its surface, `0.1^(d²)`. Sparse: 0 outside of it.
/// - Start: both angles uniform in ±π, at rest.
///
/// Two capsules of 1 kg, 1 m long with a radius of 0.05 m and of 0.049 m; both joints are damped. Integrated by the method of Runge
/// and Kutta.
#[derive(Debug, Clone, Copy)]
pub struct DmAcrobot {
    sparse: bool,
}

impl DmAcrobot {
    /// `dm_control/acrobot-swingup-v0`.
    #[must_use]
    pub fn swingup() -> Self {
        Self { sparse: false }
    }

    /// `dm_control/acrobot-swingup_sparse-v0`.
    #[must_use]
    pub fn swingup_sparse() -> Self {
        Self { sparse: true }
    }
}

/// The angles of shoulder and elbow, and their velocities.
type State = [f64; 4];

/// The derivative of a state under a control: Lagrange's equations, with the elbow's angle counted from the upper arm.
fn rate([shoulder, elbow, shoulder_dot, elbow_dot]: State, control: f64) -> State {
    let (bend_sin, bend_cos) = elbow.sin_cos();
    let both = INERTIA[1] + COUPLING * bend_cos;
    let mass = Mass {
        first: INERTIA[0] + MASS * LENGTH * LENGTH + INERTIA[1] + 2.0 * COUPLING * bend_cos,
        both,
        second: INERTIA[1],
    };
    let upper_pull = MASS * GRAVITY * (CENTRE + LENGTH) * shoulder.sin();
    let lower_pull = MASS * GRAVITY * CENTRE * (shoulder + elbow).sin();
    let whirl = COUPLING * bend_sin;
    let first = upper_pull + lower_pull + whirl * (2.0 * shoulder_dot + elbow_dot) * elbow_dot - DAMPING * shoulder_dot;
    let second = lower_pull - whirl * shoulder_dot * shoulder_dot - DAMPING * elbow_dot + TORQUE * control;
    let [shoulder_acc, elbow_acc] = mass.accelerations([first, second]);
    [shoulder_dot, elbow_dot, shoulder_acc, elbow_acc]
}

/// From the tip to the middle of the target, m.
fn distance(shoulder: f64, elbow: f64) -> f64 {
    let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (shoulder.sin_cos(), (shoulder + elbow).sin_cos());
    (LENGTH * (upper_sin + lower_sin)).hypot(TARGET_HEIGHT - LENGTH * (upper_cos + lower_cos))
}

impl Domain<4> for DmAcrobot {
    const OBSERVED: usize = 6;

    fn id(&self) -> &'static str {
        if self.sparse { "dm_control/acrobot-swingup_sparse-v0" } else { "dm_control/acrobot-swingup-v0" }
    }

    fn start(&self, rng: &mut NumpyRng) -> State {
        [rng.uniform(-PI, PI), rng.uniform(-PI, PI), 0.0, 0.0]
    }

    #[inline]
    fn advance(&self, state: State, control: f64) -> State {
        runge_kutta(state, SECONDS, |state| rate(state, control))
    }

    #[inline]
    fn observe(&self, [shoulder, elbow, shoulder_dot, elbow_dot]: State, observation: &mut [f32]) {
        let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (shoulder.sin_cos(), (shoulder + elbow).sin_cos());
        let numbers = [upper_sin, lower_sin, upper_cos, lower_cos, shoulder_dot, elbow_dot];
        observation.copy_from_slice(&numbers.map(|x| x as f32));
    }

    #[inline]
    fn reward(&self, [shoulder, elbow, ..]: State, _control: f64) -> f64 {
        let outside = distance(shoulder, elbow) - TARGET_RADIUS;
        if self.sparse { indicator(outside <= 0.0) } else { gaussian(outside.max(0.0), 1.0) }
    }

    fn draw(&self, [shoulder, elbow, ..]: State) -> Drawing {
        let page = Page { width: 500.0, height: 500.0, scale: 108.0 };
        let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (shoulder.sin_cos(), (shoulder + elbow).sin_cos());
        let bend = (LENGTH * upper_sin, LENGTH * upper_cos);
        let tip = (bend.0 + LENGTH * lower_sin, bend.1 + LENGTH * lower_cos);
        let mut shapes = vec![page.disc((0.0, TARGET_HEIGHT), TARGET_RADIUS as f32, TARGET)];
        shapes.extend(page.rod((0.0, 0.0), bend, RADIUS[0] as f32, BODY));
        shapes.push(page.disc((0.0, 0.0), 0.051, DECORATION));
        shapes.extend(page.rod(bend, tip, RADIUS[1] as f32, BODY));
        page.drawing(shapes)
    }
}
