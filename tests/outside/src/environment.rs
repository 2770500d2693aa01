//! A ferry: upstream pays more, but the current takes the boat back.

use std::time::Duration;

use uphill::catalogue::{EnvRow, MakeEnv};
use uphill::envs::{Action, End, Env, EnvError, FiniteMdp, NumpyRng, Outcome, Space, Spec, Step};
use uphill::words::{Args, Param, Range, Row};

/// Piers in a row, from 0, downstream, to the last.
const PIERS: usize = 7;
/// Steps of an episode at most.
const LIMIT: u32 = 40;

pub const ROW: EnvRow = Row {
    name: "Ferry-v0",
    summary: "a boat between piers, against a current",
    params: &[
        Param::fixed("current", Range::Share, "0.2", "probability that the boat goes downstream whatever it wants"),
        Param::fixed("pause", Range::NotNegative, "0", "seconds that a step takes"),
        // The same name as a setting of the run's, which is another thing.
        Param::fixed("gamma", Range::Finite, "0", "a colour that nobody sees"),
    ],
    make: MakeEnv {
        one: Some(|args| Ok(Box::new(Ferry::new(args)?))),
        model: Some(|args| Ok(model(args.number("current")?))),
        ..MakeEnv::one(|args| Ok(Box::new(Ferry::new(args)?)))
    },
};

#[derive(Debug, Clone)]
pub struct Ferry {
    spec: Spec,
    current: f64,
    pause: Duration,
    rng: NumpyRng,
    pier: usize,
}

impl Ferry {
    fn new(args: &Args) -> uphill::Result<Self> {
        let spec = Spec {
            id: "Ferry-v0".into(),
            observation: Space::Box { low: vec![0.0; PIERS], high: vec![1.0; PIERS] },
            action: Space::Discrete { n: 2 },
            max_episode_steps: Some(LIMIT),
            reward_threshold: None,
        };
        let (current, pause) = (args.number("current")?, Duration::from_secs_f64(args.number("pause")?));
        Ok(Self { spec, current, pause, rng: NumpyRng::default(), pier: PIERS / 2 })
    }

    fn show(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.pier] = 1.0;
    }
}

/// What arriving at a pier pays, and whether the episode ends there.
fn arrive(pier: usize) -> (f32, bool) {
    match pier {
        0 => (0.2, true),
        pier if pier == PIERS - 1 => (1.0, true),
        _ => (-0.01, false),
    }
}

impl Env for Ferry {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if let Some(seed) = seed {
            self.rng = NumpyRng::new(seed);
        }
        self.pier = PIERS / 2;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        std::thread::sleep(self.pause);
        let upstream = self.spec.action.discrete(action)? == 1 && self.rng.random() >= self.current;
        self.pier = if upstream { self.pier + 1 } else { self.pier - 1 };
        self.show(observation);
        let (reward, ends) = arrive(self.pier);
        Ok(Step { reward, end: if ends { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.pier as u64);
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[pier, low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected a pier and a generator's three words" });
        };
        self.pier = pier as usize;
        self.rng = NumpyRng::at([low, high, drawn]);
        Ok(())
    }
}

/// What uphill is told of it.
fn model(current: f64) -> FiniteMdp {
    let way = |probability, next: usize| {
        let (reward, terminal) = arrive(next);
        Outcome { probability, next, reward: f64::from(reward), terminal }
    };
    let mut outcomes = Vec::new();
    for pier in 0..PIERS {
        let between = (1..PIERS - 1).contains(&pier);
        outcomes.push(if between { vec![way(1.0, pier - 1)] } else { Vec::new() });
        outcomes.push(if between { vec![way(1.0 - current, pier + 1), way(current, pier - 1)] } else { Vec::new() });
    }
    let start = (0..PIERS).map(|pier| if pier == PIERS / 2 { 1.0 } else { 0.0 }).collect();
    let observations = (0..PIERS * PIERS).map(|i| if i / PIERS == i % PIERS { 1.0 } else { 0.0 }).collect();
    FiniteMdp::new(2, outcomes, start, observations).expect("a process")
}

/// The best mean return with a current of 0.2, by value iteration of this crate's own: backwards over the steps that are left.
pub fn optimum() -> f64 {
    let mut best = [0.0; PIERS];
    for _ in 0..LIMIT {
        let of = |pier: usize| {
            let (reward, ends) = arrive(pier);
            f64::from(reward) + if ends { 0.0 } else { best[pier] }
        };
        let mut next = [0.0; PIERS];
        for pier in 1..PIERS - 1 {
            let (down, up) = (of(pier - 1), 0.8 * of(pier + 1) + 0.2 * of(pier - 1));
            next[pier] = f64::max(down, up);
        }
        best = next;
    }
    best[PIERS / 2]
}
