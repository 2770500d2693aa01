//! Two links that hang from a joint.

use std::f64::consts::PI;

use crate::underway::Underway;
use crate::{Action, Colour, Drawing, Dynamics, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// m/s².
pub const GRAVITY: f64 = 9.8;
/// Length of the upper link, m. Both links are as long.
pub const LENGTH: f64 = 1.0;
/// Mass of either link, kg.
pub const MASS: f64 = 1.0;
/// From a link's upper end to its centre of mass, m.
pub const CENTRE: f64 = 0.5;
/// Moment of inertia of either link, kg·m².
pub const INERTIA: f64 = 1.0;
/// Seconds a step.
pub const TAU: f64 = 0.2;
/// Bounds of the two angular velocities, rad/s.
pub const MAX_VELOCITY: [f64; 2] = [4.0 * PI, 9.0 * PI];
/// Each of the four numbers of the first state is uniform in ± this.
pub const START_RANGE: f64 = 0.1;

/// Gymnasium 1.3's `Acrobot-v1`: swing the free end of two links above a line by turning the joint between them.
///
/// - Observation, `[6]`: cosine and sine of the first link's angle from hanging down, cosine and sine of the second's
///   angle to the first, and the two angular velocities (rad/s).
/// - Actions: torques of −1, 0 and 1 N·m at the joint between the links, for 0.2 s.
/// - Reward: −1 for every step, 0 for the one that ends the episode.
/// - Start: both angles and both velocities uniform in ±0.1.
/// - Terminates when the free end is more than one link's length above the fixed joint. Limit 500 steps, solved at a
///   mean return of −100.
///
/// The state is f64 and takes one step of the classical Runge-Kutta method in Gymnasium's order of operations, with the
/// equations of the book; observations are its f32 rounding. The first state is rounded to f32 as there.
///
/// Sutton 1996, <https://proceedings.neurips.cc/paper/1995/file/8f1d43620bc6bb580df6e80b0dc05c48-Paper.pdf>; Sutton and
/// Barto 1998, section 11.3, <http://incompleteideas.net/book/11/node4.html>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/classic_control/acrobot.py>.
#[derive(Debug, Clone)]
pub struct Acrobot {
    spec: Spec,
    underway: Underway<State>,
}

/// The two angles and their velocities.
type State = [f64; 4];

impl Default for Acrobot {
    fn default() -> Self {
        Self::new()
    }
}

impl Acrobot {
    /// `gymnasium.make("Acrobot-v1")`, without its time limit.
    #[must_use]
    pub fn new() -> Self {
        let [first, second] = MAX_VELOCITY.map(|velocity| velocity as f32);
        let high = vec![1.0, 1.0, 1.0, 1.0, first, second];
        let low = high.iter().map(|bound| -bound).collect();
        let spec = Spec {
            id: "Acrobot-v1".into(),
            observation: Space::Box { low, high },
            action: Space::Discrete { n: 3 },
            max_episode_steps: Some(500),
            reward_threshold: Some(-100.0),
        };
        Self { spec, underway: Underway::new([0.0; 4]) }
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let state = self.underway.begin(rng, first);
        self.observe(state, observation);
        Ok(())
    }
}

/// Sine and cosine of an angle of a state.
///
/// numpy takes them in the precision of their argument, and the first state is of f32: a polynomial that is now and then
/// 1 ulp away from the nearest f32. A later state is of f64, and that an f32 holds its angle happens once in 2²⁹.
///
/// <https://github.com/numpy/numpy/blob/v2.4.6/numpy/_core/src/umath/loops_trigonometric.dispatch.cpp>, on processors with
/// fused multiplication and addition.
fn sin_cos(angle: f64) -> (f32, f32) {
    let x = angle as f32;
    if f64::from(x) != angle || x.abs() > START_RANGE as f32 {
        let (sin, cos) = angle.sin_cos();
        return (sin as f32, cos as f32);
    }
    let square = x * x;
    let polynomial = |coefficients: [f32; 5]| coefficients.into_iter().fold(0.0_f32, |sum, c| sum.mul_add(square, c));
    let sin = polynomial([2.840_409_7e-6, -1.985_649_1e-4, 8.333_397e-3, -0.166_666_67, 0.0]).mul_add(x, x);
    let cos = polynomial([2.437_226_6e-5, -1.388_652e-3, 4.166_662e-2, -0.5, 1.0]);
    (sin, cos)
}

/// The state that an episode starts in: numbers of f32.
fn first(rng: &mut NumpyRng) -> State {
    std::array::from_fn(|_| f64::from(rng.uniform(-START_RANGE, START_RANGE) as f32))
}

/// How fast the state changes under a torque.
fn derivative([theta1, theta2, dtheta1, dtheta2]: State, torque: f64) -> State {
    let (sin2, cos2) = theta2.sin_cos();
    let d1 = MASS * (CENTRE * CENTRE)
        + MASS * (LENGTH * LENGTH + CENTRE * CENTRE + 2.0 * LENGTH * CENTRE * cos2)
        + INERTIA
        + INERTIA;
    let d2 = MASS * (CENTRE * CENTRE + LENGTH * CENTRE * cos2) + INERTIA;
    let phi2 = MASS * CENTRE * GRAVITY * (theta1 + theta2 - PI / 2.0).cos();
    let phi1 = -MASS * LENGTH * CENTRE * (dtheta2 * dtheta2) * sin2
        - 2.0 * MASS * LENGTH * CENTRE * dtheta2 * dtheta1 * sin2
        + (MASS * CENTRE + MASS * LENGTH) * GRAVITY * (theta1 - PI / 2.0).cos()
        + phi2;
    let ddtheta2 = (torque + d2 / d1 * phi1 - MASS * LENGTH * CENTRE * (dtheta1 * dtheta1) * sin2 - phi2)
        / (MASS * (CENTRE * CENTRE) + INERTIA - d2 * d2 / d1);
    let ddtheta1 = -(d2 * ddtheta2 + phi1) / d1;
    [dtheta1, dtheta2, ddtheta1, ddtheta2]
}

/// One step of the classical Runge-Kutta method.
fn runge_kutta(state: State, torque: f64) -> State {
    let along = |slope: State, time: f64| std::array::from_fn(|i| state[i] + time * slope[i]);
    let k1 = derivative(state, torque);
    let k2 = derivative(along(k1, TAU / 2.0), torque);
    let k3 = derivative(along(k2, TAU / 2.0), torque);
    let k4 = derivative(along(k3, TAU), torque);
    std::array::from_fn(|i| state[i] + TAU / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The angle within ±π, by whole turns as Gymnasium takes them. Only after a state that no step leads to are they many.
fn wrapped(angle: f64) -> f64 {
    let mut angle = if angle.abs() < 1e3 { angle } else { angle % (2.0 * PI) };
    while angle > PI {
        angle -= 2.0 * PI;
    }
    while angle < -PI {
        angle += 2.0 * PI;
    }
    angle
}

fn advance(state: State, action: u32) -> (State, Step) {
    let [theta1, theta2, dtheta1, dtheta2] = runge_kutta(state, f64::from(action) - 1.0);
    let (theta1, theta2) = (wrapped(theta1), wrapped(theta2));
    let [max1, max2] = MAX_VELOCITY;
    let state = [theta1, theta2, dtheta1.clamp(-max1, max1), dtheta2.clamp(-max2, max2)];
    let step = if -theta1.cos() - (theta2 + theta1).cos() > 1.0 {
        Step { reward: 0.0, end: End::Terminated }
    } else {
        Step { reward: -1.0, end: End::Not }
    };
    (state, step)
}

impl Dynamics<4> for Acrobot {
    #[inline]
    fn start(&self, rng: &mut NumpyRng) -> State {
        first(rng)
    }

    #[inline]
    fn advance(&self, state: State, action: u32) -> (State, Step) {
        advance(state, action)
    }

    #[inline]
    fn observe(&self, [theta1, theta2, dtheta1, dtheta2]: State, observation: &mut [f32]) {
        let ((sin1, cos1), (sin2, cos2)) = (sin_cos(theta1), sin_cos(theta2));
        observation.copy_from_slice(&[cos1, sin1, cos2, sin2, dtheta1 as f32, dtheta2 as f32]);
    }
}

impl Env for Acrobot {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(seed.map(NumpyRng::new), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(Some(NumpyRng::wide(seed)), observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let action = self.spec.action.discrete(action)?;
        let (state, step) = self.underway.step(|state, _| advance(state, action as u32))?;
        self.observe(state, observation);
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.underway.save(self.underway.state().map(f64::to_bits), state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        self.underway.restore(state, |words| Some(words.map(f64::from_bits)))
    }

    /// Gymnasium's picture: 500 x 500, the line to reach black, the links blue, the joints yellow.
    fn draw(&self) -> Option<Drawing> {
        const SIDE: f32 = 500.0;
        const THICKNESS: f32 = 0.1;
        let length = LENGTH as f32;
        let (scale, middle) = (SIDE / (2.0 * (2.0 * length + 0.2)), SIDE / 2.0);
        // Metres to the right of the fixed joint and above it; y points down.
        let place = |(x, y): (f32, f32)| (middle + x * scale, middle - y * scale);
        let [theta1, theta2, ..] = self.underway.state().map(|x| x as f32);
        let end = |(x, y): (f32, f32), angle: f32| (x + length * angle.sin(), y - length * angle.cos());
        let link = |(x, y): (f32, f32), angle: f32| {
            let (sin, cos) = angle.sin_cos();
            let corner = |along: f32, aside: f32| place((x + along * sin + aside * cos, y - along * cos + aside * sin));
            let corners = [(0.0, -THICKNESS), (0.0, THICKNESS), (length, THICKNESS), (length, -THICKNESS)];
            Shape::Polygon(corners.map(|(along, aside)| corner(along, aside)).to_vec(), Colour(0, 204, 204))
        };
        let joint = |at| Shape::Disc { centre: place(at), radius: THICKNESS * scale, colour: Colour(204, 204, 0) };
        let (fixed, elbow) = ((0.0, 0.0), end((0.0, 0.0), theta1));
        let line = place((0.0, length)).1;
        Some(Drawing {
            width: SIDE,
            height: SIDE,
            background: Colour(255, 255, 255),
            shapes: vec![
                Shape::rectangle(0.0, line, SIDE, line + 1.0, Colour(0, 0, 0)),
                link(fixed, theta1),
                joint(fixed),
                link(elbow, theta1 + theta2),
                joint(elbow),
            ],
        })
    }
}
