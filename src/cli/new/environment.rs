//! What is to be solved. Change it until it is your task; `cargo test` says what is wrong with it.

use uphill::catalogue::{EnvRow, MakeEnv};
use uphill::envs::{Action, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step, TimeLimit};
use uphill::words::{Param, Range, Row};

/// Its name, what it is, and its arguments: `--env "NAME-v0(frost=0.5)"`.
pub const ROW: EnvRow = Row {
    name: "NAME-v0",
    summary: "a room to be kept warm, at the least cost",
    params: &[Param::fixed("frost", Range::Share, "0.3", "how much of its warmth the room loses in a step")],
    make: MakeEnv {
        // What actions at random and the best ones earn, for `compare` to score by: the mean of many episodes, and what dynamic
        // programming comes to; not known of another frost. Leave it out, and a comparison is to be told them.
        returns: Some(|args| Ok((args.number("frost")? == 0.3).then_some((61.1, 86.6)))),
        ..MakeEnv::one(|args| Ok(Box::new(TimeLimit::new(TYPE::new(args.number("frost")?)))))
    },
};

/// The temperature that is wanted, that at which the pipes freeze, and what a step of full heating adds.
const WANTED: f64 = 1.0;
const FROZEN: f64 = 0.0;
const HEATING: f64 = 0.6;

/// A room whose temperature falls, and a heater that is off, half on or on.
///
/// - Observation: the temperature, 0 to 2, and how it changed in the last step.
/// - Actions: 0 off, 1 half, 2 full.
/// - Reward: 1, less the distance from the temperature wanted, less 0.2 times what is heated.
/// - It ends where the pipes freeze, and pays -10 there. The limit of 100 steps is no end of the task.
#[derive(Debug, Clone)]
pub struct TYPE {
    spec: Spec,
    frost: f64,
    rng: NumpyRng,
    temperature: f64,
    change: f64,
    over: bool,
}

impl TYPE {
    /// A room that loses this share of its warmth in a step.
    pub fn new(frost: f64) -> Self {
        let spec = Spec {
            id: "NAME-v0".into(),
            observation: Space::Box { low: vec![0.0, -2.0], high: vec![2.0, 2.0] },
            action: Space::Discrete { n: 3 },
            max_episode_steps: Some(100),
            reward_threshold: None,
        };
        Self { spec, frost, rng: NumpyRng::default(), temperature: 0.0, change: 0.0, over: true }
    }

    /// Refuses another room than an observation takes. It writes nothing, so that `cargo test` sees what is forgotten later.
    fn check_room(&self, observation: &[f32]) -> Result<(), EnvError> {
        let (expected, got) = (self.spec.observation_len(), observation.len());
        if got == expected { Ok(()) } else { Err(EnvError::Length { what: "observation", expected, got }) }
    }

    /// Writes what the policy sees.
    fn show(&self, observation: &mut [f32]) {
        for (seen, number) in observation.iter_mut().zip([self.temperature, self.change]) {
            *seen = number as f32;
        }
    }
}

impl Env for TYPE {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.check_room(observation)?;
        // With a seed the generator starts over, without one it runs on.
        if let Some(seed) = seed {
            self.rng = NumpyRng::new(seed);
        }
        self.temperature = self.rng.uniform(0.3, 1.7);
        (self.change, self.over) = (0.0, false);
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        // Whatever is refused is refused before anything has changed.
        let heat = self.spec.action.discrete(action)? as f64 / 2.0;
        self.check_room(observation)?;
        if self.over {
            return Err(EnvError::NeedsReset);
        }
        let draught = self.rng.uniform(-0.05, 0.05);
        let next = (self.temperature * (1.0 - self.frost) + HEATING * heat + draught).clamp(FROZEN, 2.0);
        (self.change, self.temperature) = (next - self.temperature, next);
        self.over = self.temperature <= FROZEN + 0.05;
        self.show(observation);
        let reward = if self.over { -10.0 } else { 1.0 - (self.temperature - WANTED).abs() - 0.2 * heat };
        // Truncated is what TimeLimit says; an end that belongs to the task is Terminated.
        Ok(Step { reward: reward as f32, end: if self.over { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend([self.temperature.to_bits(), self.change.to_bits(), self.over.into()]);
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[temperature, change, over @ (0 | 1), low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected a temperature, its change, 0 or 1, and a generator's three words" });
        };
        (self.temperature, self.change) = (f64::from_bits(temperature), f64::from_bits(change));
        (self.over, self.rng) = (over == 1, NumpyRng::at([low, high, drawn]));
        Ok(())
    }

    /// A thermometer: what `evaluate --watch` and `--gif` show. Leave it out where there is nothing to see.
    fn draw(&self) -> Option<Drawing> {
        let height = |temperature: f64| 2.2 - temperature as f32;
        let column = Shape::rectangle(0.4, height(self.temperature), 0.6, 2.2, Colour(200, 60, 60));
        let wanted = Shape::rectangle(0.2, height(WANTED) - 0.01, 0.8, height(WANTED) + 0.01, Colour(60, 60, 60));
        Some(Drawing { width: 1.0, height: 2.4, background: Colour(255, 255, 255), shapes: vec![column, wanted] })
    }
}
