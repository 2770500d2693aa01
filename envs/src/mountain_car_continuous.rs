//! The car between two hills, pushed as hard as one likes.

use crate::mountain_car::{GRAVITY, MAX_POSITION, MAX_SPEED, MIN_POSITION, START, drawn};
use crate::underway::Underway;
use crate::{Action, Drawing, End, Env, EnvError, NumpyRng, Space, Spec, Step};

/// Where the flag stands.
pub const GOAL_POSITION: f32 = 0.45;
/// The hardest push.
pub const MAX_FORCE: f32 = 1.0;
/// What a push of 1 adds to the velocity.
pub const POWER: f64 = 0.0015;

/// Gymnasium 1.3's `MountainCarContinuous-v0`: rock an underpowered car up the right one of two hills, at the cost of every push.
///
/// - Observation, `[2]`: position and velocity.
/// - Action, `[1]`: the push to the right; beyond ±1 it moves the car as ±1, and costs what it says.
/// - Reward: 100 for reaching the flag, less `0.1·a²` every step.
/// - Start: a position uniform in −0.6 to −0.4, at rest.
/// - Terminates at position 0.45 or past it. Limit 999 steps, solved at a mean return of 90.
///
/// Whoever does nothing has a return of 0, and whoever pushes at random one below that: hardly any way leads to the flag by
/// chance.
///
/// An episode's first step is taken in f64, and all others in f32, as numpy does there; operations come in Gymnasium's order.
///
/// Moore 1990, <https://www.cl.cam.ac.uk/techreports/UCAM-CL-TR-209.pdf>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/classic_control/continuous_mountain_car.py>.
#[derive(Debug, Clone)]
pub struct MountainCarContinuous {
    spec: Spec,
    underway: Underway<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// One of f32 after the first step.
    position: f64,
    velocity: f32,
    /// Whether no step has been taken.
    first: bool,
}

impl Default for MountainCarContinuous {
    fn default() -> Self {
        Self::new()
    }
}

impl MountainCarContinuous {
    /// `gymnasium.make("MountainCarContinuous-v0")`, without its time limit.
    #[must_use]
    pub fn new() -> Self {
        let spec = Spec {
            id: "MountainCarContinuous-v0".into(),
            observation: Space::Box {
                low: vec![MIN_POSITION as f32, -MAX_SPEED as f32],
                high: vec![MAX_POSITION as f32, MAX_SPEED as f32],
            },
            action: Space::uniform_box(1, -MAX_FORCE, MAX_FORCE),
            max_episode_steps: Some(999),
            reward_threshold: Some(90.0),
        };
        Self { spec, underway: Underway::new(State { position: 0.0, velocity: 0.0, first: true }) }
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", 2, observation.len())?;
        let start = |rng: &mut NumpyRng| State { position: rng.uniform(START.0, START.1), velocity: 0.0, first: true };
        observe(self.underway.begin(rng, start), observation);
        Ok(())
    }
}

fn observe(State { position, velocity, .. }: State, observation: &mut [f32]) {
    observation.copy_from_slice(&[position as f32, velocity]);
}

/// What a step adds to the velocity. numpy takes a push within the bounds for one of f32, and the bound itself for one of f64.
fn gained(State { position, first, .. }: State, push: f32) -> f64 {
    let angle = if first { 3.0 * position } else { f64::from(3.0 * position as f32) };
    let pull = GRAVITY * angle.cos();
    if push.abs() > MAX_FORCE {
        f64::from(push.signum()) * POWER - pull
    } else {
        f64::from(push * POWER as f32 - pull as f32)
    }
}

/// One step of the car; the wall on the left takes all its speed.
fn advance(state: State, push: f32) -> (State, Step) {
    let gained = gained(state, push);
    let (position, velocity) = if state.first {
        // No start is near a wall, the flag or the largest speed.
        ((state.position + gained) as f32, gained as f32)
    } else {
        let velocity = (state.velocity + gained as f32).clamp(-MAX_SPEED as f32, MAX_SPEED as f32);
        ((state.position as f32 + velocity).clamp(MIN_POSITION as f32, MAX_POSITION as f32), velocity)
    };
    let velocity = if position == MIN_POSITION as f32 && velocity < 0.0 { 0.0 } else { velocity };
    let there = position >= GOAL_POSITION && velocity >= 0.0;
    let prize = if there { 100.0 } else { 0.0 };
    let reward = (prize - f64::from(push).powi(2) * 0.1) as f32;
    let state = State { position: position.into(), velocity, first: false };
    (state, Step { reward, end: if there { End::Terminated } else { End::Not } })
}

impl Env for MountainCarContinuous {
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
        EnvError::check_len("observation", 2, observation.len())?;
        let push = self.spec.action.continuous(action)?[0];
        let (state, step) = self.underway.step(|state, _| advance(state, push))?;
        observe(state, observation);
        Ok(step)
    }

    fn save(&self, saved: &mut Vec<u64>) -> bool {
        let State { position, velocity, first } = self.underway.state();
        self.underway.save([position.to_bits(), velocity.to_bits().into(), first.into()], saved)
    }

    fn restore(&mut self, saved: &[u64]) -> Result<(), EnvError> {
        self.underway.restore(saved, |[position, velocity, first]| {
            let velocity = f32::from_bits(u32::try_from(velocity).ok()?);
            (first <= 1).then_some(State { position: f64::from_bits(position), velocity, first: first == 1 })
        })
    }

    /// Gymnasium's picture, as that of [`MountainCar`](crate::MountainCar).
    fn draw(&self) -> Option<Drawing> {
        Some(drawn(self.underway.state().position as f32, GOAL_POSITION))
    }
}
