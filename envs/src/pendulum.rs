//! The pendulum that is to be swung up.

use std::f64::consts::PI;

use crate::{Action, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// m/s².
pub const GRAVITY: f64 = 10.0;
/// kg.
pub const MASS: f64 = 1.0;
/// m.
pub const LENGTH: f64 = 1.0;
/// Seconds a step.
pub const DT: f64 = 0.05;
/// rad/s.
pub const MAX_SPEED: f64 = 8.0;
/// N·m.
pub const MAX_TORQUE: f32 = 2.0;
/// The first angle and angular velocity are uniform in ± these.
pub const START: [f64; 2] = [PI, 1.0];

/// Gymnasium 1.3's `Pendulum-v1`: swing a pendulum up, and keep it there, with a torque too weak to lift it at once.
///
/// - Observation, `[3]`: cosine and sine of the angle from upright, and the angular velocity (rad/s).
/// - Action, `[1]`: the torque in N·m, for 0.05 s; beyond ±2 it counts as ±2.
/// - Reward: `−(θ² + 0.1·θ̇² + 0.001·u²)` of the state before the step, the angle within ±π.
/// - Start: angle uniform in ±π, angular velocity in ±1.
/// - Never terminates. Limit 200 steps; its authors say no return at which it is solved.
///
/// The state is f64 and the torque f32, as they are there, and operations come in Gymnasium's order; observations are the
/// state's f32 rounding.
///
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/classic_control/pendulum.py>.
#[derive(Debug, Clone)]
pub struct Pendulum {
    spec: Spec,
    rng: NumpyRng,
    /// Angle and angular velocity.
    state: [f64; 2],
    needs_reset: bool,
}

impl Default for Pendulum {
    fn default() -> Self {
        Self::new()
    }
}

impl Pendulum {
    /// `gymnasium.make("Pendulum-v1")`, without its time limit.
    #[must_use]
    pub fn new() -> Self {
        let high = vec![1.0, 1.0, MAX_SPEED as f32];
        let spec = Spec {
            id: "Pendulum-v1".into(),
            observation: Space::Box { low: high.iter().map(|bound| -bound).collect(), high },
            action: Space::uniform_box(1, -MAX_TORQUE, MAX_TORQUE),
            max_episode_steps: Some(200),
            reward_threshold: None,
        };
        Self { spec, rng: NumpyRng::default(), state: [0.0; 2], needs_reset: true }
    }

    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 3, observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        self.state = START.map(|most| self.rng.uniform(-most, most));
        self.needs_reset = false;
        self.observe(observation);
        Ok(())
    }

    fn observe(&self, observation: &mut [f32]) {
        let [theta, theta_dot] = self.state;
        observation.copy_from_slice(&[theta.cos(), theta.sin(), theta_dot].map(|x| x as f32));
    }
}

/// One step of semi-implicit Euler under a torque, and what it costs.
fn swing([theta, theta_dot]: [f64; 2], torque: f32) -> ([f64; 2], f64) {
    let angle = (theta + PI).rem_euclid(2.0 * PI) - PI;
    // numpy multiplies the torque in f32 before anything wider comes to it.
    let cost = angle.powi(2) + 0.1 * theta_dot.powi(2) + f64::from(0.001 * (torque * torque));
    let pull = 3.0 * GRAVITY / (2.0 * LENGTH) * theta.sin();
    let push = f64::from((3.0 / (MASS * LENGTH * LENGTH)) as f32 * torque);
    let theta_dot = (theta_dot + (pull + push) * DT).clamp(-MAX_SPEED, MAX_SPEED);
    ([theta + theta_dot * DT, theta_dot], cost)
}

impl Env for Pendulum {
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
        EnvError::check_len("observation", 3, observation.len())?;
        let torque = self.spec.action.continuous(action)?[0];
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let (state, cost) = swing(self.state, torque.clamp(-MAX_TORQUE, MAX_TORQUE));
        self.state = state;
        self.observe(observation);
        Ok(Step { reward: -cost as f32, end: End::Not })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.state.map(f64::to_bits));
        state.push(self.needs_reset.into());
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[theta, theta_dot, needs_reset @ (0 | 1), low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected two numbers, 0 or 1, and a generator's three words" });
        };
        self.state = [theta, theta_dot].map(f64::from_bits);
        self.needs_reset = needs_reset == 1;
        self.rng = NumpyRng::at([low, high, drawn]);
        Ok(())
    }

    /// Gymnasium's picture without its arrow: 500 x 500, the rod red with round ends, the axle black.
    fn draw(&self) -> Option<Drawing> {
        const SIZE: f32 = 500.0;
        const SCALE: f32 = SIZE / 4.4;
        const HALF_WIDTH: f32 = 0.1 * SCALE;

        let (sin, cos) = (self.state[0] as f32).sin_cos();
        let middle = SIZE / 2.0;
        // Upright at 0, to the left at a positive angle; y points down.
        let lean = |across: f32, up: f32| (middle + across * cos - up * sin, middle - across * sin - up * cos);
        let red = Colour(204, 77, 77);
        let corners = [(-HALF_WIDTH, 0.0), (-HALF_WIDTH, SCALE), (HALF_WIDTH, SCALE), (HALF_WIDTH, 0.0)];
        let disc = |centre, radius, colour| Shape::Disc { centre, radius, colour };
        Some(Drawing {
            width: SIZE,
            height: SIZE,
            background: Colour(255, 255, 255),
            shapes: vec![
                Shape::Polygon(corners.map(|(across, up)| lean(across, up)).to_vec(), red),
                disc((middle, middle), HALF_WIDTH, red),
                disc(lean(0.0, SCALE), HALF_WIDTH, red),
                disc((middle, middle), 0.05 * SCALE, Colour(0, 0, 0)),
            ],
        })
    }
}
