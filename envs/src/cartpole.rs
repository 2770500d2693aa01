//! The pole on a cart.

use std::f64::consts::PI;

use crate::{Action, Colour, Drawing, Dynamics, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// m/s².
pub const GRAVITY: f64 = 9.8;
/// kg.
pub const CART_MASS: f64 = 1.0;
/// kg.
pub const POLE_MASS: f64 = 0.1;
/// kg.
pub const TOTAL_MASS: f64 = POLE_MASS + CART_MASS;
/// Half of the pole's length, m.
pub const HALF_LENGTH: f64 = 0.5;
/// kg·m.
pub const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_LENGTH;
/// N, to the right for action 1 and to the left for action 0.
pub const FORCE: f64 = 10.0;
/// Seconds a step.
pub const TAU: f64 = 0.02;
/// An episode fails past this angle on either side: 12 degrees, in radians.
pub const ANGLE_LIMIT: f64 = 12.0 * 2.0 * PI / 360.0;
/// An episode fails past this position on either side, m.
pub const POSITION_LIMIT: f64 = 2.4;
/// Each of the four numbers of the first state is uniform in ± this.
pub const START_RANGE: f64 = 0.05;

/// Gymnasium 1.3's `CartPole-v1`: keep a pole upright by pushing its cart left or right.
///
/// - Observation, `[4]`: cart position (m), cart velocity (m/s), pole angle (rad), its angular velocity (rad/s).
/// - Actions: 0 pushes to the left, 1 to the right, with 10 N for 0.02 s.
/// - Reward: 1 for every step, the one that fails too.
/// - Start: four numbers uniform in ±0.05, in the order of the observation.
/// - Terminates when the cart passes ±2.4 m or the pole ±12 degrees. Limit 500 steps, solved at a mean return of 475.
///
/// The state is f64 and takes one Euler step in Gymnasium's order of operations; observations are its f32 rounding.
///
/// Barto, Sutton and Anderson 1983, <https://ieeexplore.ieee.org/document/6313077>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/classic_control/cartpole.py>.
#[derive(Debug, Clone)]
pub struct CartPole {
    spec: Spec,
    rng: NumpyRng,
    reward: Reward,
    state: State,
    needs_reset: bool,
}

/// Position, velocity, angle and angular velocity.
type State = [f64; 4];

/// What a step pays.
#[derive(Debug, Clone, Copy)]
struct Reward {
    upright: f32,
    fallen: f32,
}

impl Default for CartPole {
    fn default() -> Self {
        Self::new()
    }
}

impl CartPole {
    /// `gymnasium.make("CartPole-v1")`, without its time limit.
    #[must_use]
    pub fn new() -> Self {
        Self::with_reward(Reward { upright: 1.0, fallen: 1.0 }, 475.0)
    }

    /// `gymnasium.make("CartPole-v1", sutton_barto_reward=True)`: reward 0 for a step, −1 for the one that fails.
    ///
    /// The threshold is then 0, as Gymnasium's documentation of the option has it.
    #[must_use]
    pub fn sutton_barto() -> Self {
        Self::with_reward(Reward { upright: 0.0, fallen: -1.0 }, 0.0)
    }

    fn with_reward(reward: Reward, threshold: f64) -> Self {
        // Twice the limits, so that the observation that ends an episode still lies within.
        let high = vec![(2.0 * POSITION_LIMIT) as f32, f32::INFINITY, (2.0 * ANGLE_LIMIT) as f32, f32::INFINITY];
        let low = high.iter().map(|bound| -bound).collect();
        let spec = Spec {
            id: "CartPole-v1".into(),
            observation: Space::Box { low, high },
            action: Space::Discrete { n: 2 },
            max_episode_steps: Some(500),
            reward_threshold: Some(threshold),
        };
        Self { spec, rng: NumpyRng::default(), reward, state: [0.0; 4], needs_reset: true }
    }
}

/// The state that an episode starts in.
fn first(rng: &mut NumpyRng) -> State {
    std::array::from_fn(|_| rng.uniform(-START_RANGE, START_RANGE))
}

/// One Euler step of the equations of motion under `force`.
///
/// Florian 2007, eqs. 23-24 without friction, <https://coneural.org/florian/papers/05_cart_pole.pdf>. The order of the
/// operations is Gymnasium's: another one rounds otherwise, and trajectories drift apart. Sine and cosine are half of
/// the cost. A polynomial within 1 ulp of them made a step of many lanes 1.5 times as fast, but of 5,000 balanced episodes
/// of 500 steps 8 went astray by more than 0.01: a falling pole magnifies the last bit.
fn euler([x, x_dot, theta, theta_dot]: State, force: f64) -> State {
    let (sin, cos) = theta.sin_cos();
    let temp = (force + POLE_MASS_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL_MASS;
    let theta_acc = (GRAVITY * sin - cos * temp) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) / TOTAL_MASS));
    let x_acc = temp - POLE_MASS_LENGTH * theta_acc * cos / TOTAL_MASS;
    [x + TAU * x_dot, x_dot + TAU * x_acc, theta + TAU * theta_dot, theta_dot + TAU * theta_acc]
}

impl Dynamics<4> for CartPole {
    #[inline]
    fn start(&self, rng: &mut NumpyRng) -> State {
        first(rng)
    }

    #[inline]
    fn advance(&self, state: State, action: u32) -> (State, Step) {
        let state = euler(state, if action == 1 { FORCE } else { -FORCE });
        let [x, _, theta, _] = state;
        let step = if x.abs() > POSITION_LIMIT || theta.abs() > ANGLE_LIMIT {
            Step { reward: self.reward.fallen, end: End::Terminated }
        } else {
            Step { reward: self.reward.upright, end: End::Not }
        };
        (state, step)
    }

    #[inline]
    fn observe(&self, state: State, observation: &mut [f32]) {
        observation.copy_from_slice(&state.map(|x| x as f32));
    }
}

impl CartPole {
    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.state.len(), observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        self.state = first(&mut self.rng);
        self.needs_reset = false;
        self.observe(self.state, observation);
        Ok(())
    }
}

impl Env for CartPole {
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
        EnvError::check_len("observation", self.state.len(), observation.len())?;
        let action = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let (state, step) = self.advance(self.state, action as u32);
        self.state = state;
        self.needs_reset = step.end.ended();
        self.observe(state, observation);
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.state.map(f64::to_bits));
        state.push(self.needs_reset.into());
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[x, x_dot, theta, theta_dot, needs_reset @ (0 | 1), low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected four numbers, 0 or 1, and a generator's three words" });
        };
        self.state = [x, x_dot, theta, theta_dot].map(f64::from_bits);
        self.needs_reset = needs_reset == 1;
        self.rng = NumpyRng::at([low, high, drawn]);
        Ok(())
    }

    /// Gymnasium's picture: 600 x 400, the track in full width, the cart black, the pole tan, the axle blue.
    fn draw(&self) -> Option<Drawing> {
        const WIDTH: f32 = 600.0;
        const HEIGHT: f32 = 400.0;
        const TRACK: f32 = 300.0;
        const CART: (f32, f32) = (50.0, 30.0);
        const POLE_WIDTH: f32 = 10.0;

        let scale = WIDTH / (2.0 * POSITION_LIMIT as f32);
        let cart_x = self.state[0] as f32 * scale + WIDTH / 2.0;
        let axle = (cart_x, TRACK - CART.1 / 4.0);
        let pole_length = scale * 2.0 * HALF_LENGTH as f32;
        let (sin, cos) = (self.state[2] as f32).sin_cos();
        // The pole stands up from the axle and leans to the right at a positive angle; y points down.
        let lean = |across: f32, up: f32| (axle.0 + across * cos + up * sin, axle.1 + across * sin - up * cos);
        let (half, top) = (POLE_WIDTH / 2.0, pole_length - POLE_WIDTH / 2.0);
        let black = Colour(0, 0, 0);
        Some(Drawing {
            width: WIDTH,
            height: HEIGHT,
            background: Colour(255, 255, 255),
            shapes: vec![
                Shape::rectangle(
                    cart_x - CART.0 / 2.0,
                    TRACK - CART.1 / 2.0,
                    cart_x + CART.0 / 2.0,
                    TRACK + CART.1 / 2.0,
                    black,
                ),
                Shape::Polygon(
                    vec![lean(-half, -half), lean(-half, top), lean(half, top), lean(half, -half)],
                    Colour(202, 152, 101),
                ),
                Shape::Disc { centre: axle, radius: half, colour: Colour(129, 132, 203) },
                Shape::rectangle(0.0, TRACK, WIDTH, TRACK + 1.0, black),
            ],
        })
    }
}
