//! The car between two hills.

use crate::underway::Underway;
use crate::{Action, Colour, Drawing, Dynamics, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// The wall on the left.
pub const MIN_POSITION: f64 = -1.2;
/// The car goes no further to the right.
pub const MAX_POSITION: f64 = 0.6;
/// On either side.
pub const MAX_SPEED: f64 = 0.07;
/// Where the flag stands, on top of the right hill.
pub const GOAL_POSITION: f64 = 0.5;
/// What action 0 takes from the velocity and action 2 adds to it.
pub const FORCE: f64 = 0.001;
/// What a slope takes from the velocity at most.
pub const GRAVITY: f64 = 0.0025;
/// The first position is uniform between these.
pub const START: (f64, f64) = (-0.6, -0.4);

/// Gymnasium 1.3's `MountainCar-v0`: rock an underpowered car up the right one of two hills.
///
/// - Observation, `[2]`: position and velocity.
/// - Actions: 0 accelerates to the left, 1 not at all, 2 to the right.
/// - Reward: −1 for every step, the one that reaches the flag too.
/// - Start: a position uniform in −0.6 to −0.4, at rest.
/// - Terminates at position 0.5 or past it. Limit 200 steps, solved at a mean return of −110.
///
/// The state is f64 and moves in Gymnasium's order of operations; observations are its f32 rounding. Within the limit a
/// uniformly random policy hardly ever reaches the flag.
///
/// Moore 1990, <https://www.cl.cam.ac.uk/techreports/UCAM-CL-TR-209.pdf>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/classic_control/mountain_car.py>.
#[derive(Debug, Clone)]
pub struct MountainCar {
    spec: Spec,
    underway: Underway<State>,
}

/// Position and velocity.
type State = [f64; 2];

impl Default for MountainCar {
    fn default() -> Self {
        Self::new()
    }
}

impl MountainCar {
    /// `gymnasium.make("MountainCar-v0")`, without its time limit.
    #[must_use]
    pub fn new() -> Self {
        let spec = Spec {
            id: "MountainCar-v0".into(),
            observation: Space::Box {
                low: vec![MIN_POSITION as f32, -MAX_SPEED as f32],
                high: vec![MAX_POSITION as f32, MAX_SPEED as f32],
            },
            action: Space::Discrete { n: 3 },
            max_episode_steps: Some(200),
            reward_threshold: Some(-110.0),
        };
        Self { spec, underway: Underway::new([0.0; 2]) }
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let state = self.underway.begin(rng, first);
        self.observe(state, observation);
        Ok(())
    }
}

/// The state that an episode starts in.
fn first(rng: &mut NumpyRng) -> State {
    [rng.uniform(START.0, START.1), 0.0]
}

/// One step of the car; the wall on the left takes all its speed.
fn advance([position, velocity]: State, action: u32) -> (State, Step) {
    let push = (f64::from(action) - 1.0) * FORCE + (3.0 * position).cos() * -GRAVITY;
    let velocity = (velocity + push).clamp(-MAX_SPEED, MAX_SPEED);
    let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
    let velocity = if position == MIN_POSITION && velocity < 0.0 { 0.0 } else { velocity };
    // Gymnasium asks for a velocity of at least 0 as well; no car comes to the flag from the right.
    let end = if position >= GOAL_POSITION && velocity >= 0.0 { End::Terminated } else { End::Not };
    ([position, velocity], Step { reward: -1.0, end })
}

impl Dynamics<2> for MountainCar {
    #[inline]
    fn start(&self, rng: &mut NumpyRng) -> State {
        first(rng)
    }

    #[inline]
    fn advance(&self, state: State, action: u32) -> (State, Step) {
        advance(state, action)
    }

    #[inline]
    fn observe(&self, state: State, observation: &mut [f32]) {
        observation.copy_from_slice(&state.map(|x| x as f32));
    }
}

impl Env for MountainCar {
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

    fn draw(&self) -> Option<Drawing> {
        Some(drawn(self.underway.state()[0] as f32, GOAL_POSITION as f32))
    }
}

/// Gymnasium's picture: 600 x 400, the track a line, the car black on two grey wheels, the flag yellow.
pub(crate) fn drawn(position: f32, goal: f32) -> Drawing {
    const WIDTH: f32 = 600.0;
    const HEIGHT: f32 = 400.0;
    const CAR: (f32, f32) = (40.0, 20.0);
    const CLEARANCE: f32 = 10.0;
    const TRACK_PIECES: u8 = 99;
    let (left, right) = (MIN_POSITION as f32, MAX_POSITION as f32);
    let scale = WIDTH / (right - left);
    // y points down.
    let track = |position: f32| {
        let height = (3.0 * position).sin() * 0.45 + 0.55;
        ((position - left) * scale, HEIGHT - height * scale)
    };
    let points = (0..=TRACK_PIECES).map(|i| track(left + (right - left) * f32::from(i) / f32::from(TRACK_PIECES)));
    let line: Vec<(f32, f32)> = points.clone().chain(points.rev().map(|(x, y)| (x, y + 1.0))).collect();

    let foot = track(position);
    let (sin, cos) = (3.0 * position).cos().sin_cos();
    let tilt = |along: f32, up: f32| (foot.0 + along * cos - up * sin, foot.1 - CLEARANCE - along * sin - up * cos);
    let (half, top) = (CAR.0 / 2.0, CAR.1);
    let wheel = |along| Shape::Disc { centre: tilt(along, 0.0), radius: top / 2.5, colour: Colour(128, 128, 128) };
    let flag = track(goal);
    let black = Colour(0, 0, 0);
    Drawing {
        width: WIDTH,
        height: HEIGHT,
        background: Colour(255, 255, 255),
        shapes: vec![
            Shape::Polygon(line, black),
            Shape::Polygon(vec![tilt(-half, 0.0), tilt(-half, top), tilt(half, top), tilt(half, 0.0)], black),
            wheel(CAR.0 / 4.0),
            wheel(-CAR.0 / 4.0),
            Shape::rectangle(flag.0, flag.1 - 50.0, flag.0 + 1.0, flag.1, black),
            Shape::Polygon(
                vec![(flag.0, flag.1 - 50.0), (flag.0, flag.1 - 40.0), (flag.0 + 25.0, flag.1 - 45.0)],
                Colour(204, 204, 0),
            ),
        ],
    }
}
