//! One environment with one mistake.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use uphill_envs::{Action, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// A walk on a line from a random start, which ends at either side, with one mistake or none.
#[derive(Clone)]
pub(crate) struct Line {
    spec: Spec,
    mistake: &'static str,
    rng: NumpyRng,
    place: f32,
    steps: u32,
    over: bool,
    looks: Cell<u32>,
}

static SHARED: AtomicU32 = AtomicU32::new(0);

impl Line {
    pub(crate) fn new(mistake: &'static str) -> Self {
        let action = match mistake {
            "no action" => Space::Discrete { n: 0 },
            "bounds the wrong way round" => Space::Box { low: vec![1.0], high: vec![-1.0] },
            "bounds of another number" => Space::Box { low: vec![-1.0], high: vec![] },
            "actions are images" => Space::Image { height: 1, width: 1, channels: 1, max: 1 },
            "nothing to choose" => Space::Box { low: vec![1.0], high: vec![1.0] },
            "actions without a bound" => Space::Box { low: vec![-1.0], high: vec![f32::INFINITY] },
            "large actions" => Space::Box { low: vec![-500.0], high: vec![500.0] },
            "far actions" => Space::Box { low: vec![1000.0], high: vec![1001.0] },
            "actions to one side" => Space::Box { low: vec![0.0], high: vec![20.0] },
            "NaN at a bound" => Space::Box { low: vec![-0.3], high: vec![0.7] },
            "continuous" | "takes NaN" | "does not clip" | "masks a box" => {
                Space::Box { low: vec![-1.0], high: vec![1.0] }
            }
            "nearly even actions" => Space::Box { low: vec![-1.0], high: vec![2.0] },
            "one action" => Space::Discrete { n: 1 },
            "one choice of one" => Space::MultiDiscrete { n: vec![2, 1] },
            "several choices" => Space::MultiDiscrete { n: vec![2, 3] },
            "switches" => Space::MultiBinary { n: 2 },
            _ => Space::Discrete { n: 2 },
        };
        let observation = match mistake {
            "no number" => Space::Box { low: vec![], high: vec![] },
            "NaN bound" => Space::Box { low: vec![f32::NAN; 2], high: vec![9.0; 2] },
            "narrow space" => Space::uniform_box(2, -0.5, 0.5),
            "an image in numbers" => Space::uniform_box(120, 0.0, 255.0),
            "half a pixel" => Space::Image { height: 1, width: 2, channels: 1, max: 255 },
            "large numbers" => Space::uniform_box(2, -1e6, 1e6),
            "one number only" => Space::Box { low: vec![-9.0, 0.0], high: vec![9.0, 0.0] },
            _ => Space::uniform_box(2, -9.0, 9.0),
        };
        let id = match mistake {
            "no name" => String::new(),
            "another each time" => format!("Line-{}", SHARED.fetch_add(1, Ordering::Relaxed)),
            _ => "Line".into(),
        };
        let max_episode_steps = match mistake {
            "limit of nothing" => Some(0),
            "never ends" => None,
            _ => Some(50),
        };
        let reward_threshold = (mistake == "threshold is NaN").then_some(f64::NAN);
        let spec = Spec { id, observation, action, max_episode_steps, reward_threshold };
        Self { spec, mistake, rng: NumpyRng::new(0), place: 0.0, steps: 0, over: true, looks: Cell::new(0) }
    }

    fn show(&self, observation: &mut [f32]) -> Result<(), EnvError> {
        let d = self.spec.observation_len();
        if observation.len() != d {
            return match self.mistake {
                "takes any room" => Ok(()),
                "panics at wrong room" => panic!("index out of bounds"),
                _ => Err(EnvError::Length { what: "observation", expected: d, got: observation.len() }),
            };
        }
        match self.mistake {
            "an image in numbers" => observation.fill(20.0 + self.place.round()),
            _ => {
                observation[0] = self.place;
                observation[1] = if self.mistake == "half a pixel" { 0.5 } else { (self.steps % 50) as f32 / 50.0 };
            }
        }
        match self.mistake {
            "shows nothing" => observation.fill(0.0),
            "ends by the clock" | "one number only" => observation[1] = 0.0,
            "large numbers" => observation[0] *= 1e4,
            "NaN at times" if self.steps == 7 => observation[1] = f32::NAN,
            "half a pixel" => observation[0] = 0.0,
            "forgets a number" if self.steps == 3 => {}
            _ => {}
        }
        Ok(())
    }
}

impl Env for Line {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if observation.len() != self.spec.observation_len() {
            return self.show(observation);
        }
        match self.mistake {
            "panics at the start" => panic!("no level file"),
            "takes small seeds" if seed.is_some_and(|seed| seed > 1 << 32) => {
                return Err(EnvError::Option { name: "seed", value: "large".into(), expected: "a small one" });
            }
            "starts over" => self.rng.restart(Some(seed.unwrap_or(5))),
            "ignores seeds" => {}
            "one seed for all" if seed.is_some() => self.rng.restart(Some(7)),
            _ if seed.is_some() => self.rng.restart(seed),
            _ => {}
        }
        if self.mistake == "keeps its place" {
            self.place *= 0.5;
        } else {
            self.place = self.rng.uniform(-1.0, 1.0) as f32;
        }
        if self.mistake == "fresh entropy" {
            self.place += SHARED.fetch_add(1, Ordering::Relaxed) as f32 * 1e-3;
        }
        (self.steps, self.over) = (0, false);
        self.show(observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.over && !["goes on after an end", "never ends"].contains(&self.mistake) {
            return Err(EnvError::NeedsReset);
        }
        if self.mistake == "moves first" {
            self.place += 0.01;
        }
        match self.mistake {
            "takes any action" | "takes NaN" => {}
            "panics at a wrong action" => {
                assert!(self.spec.action.check(action).is_ok(), "index out of bounds");
            }
            _ => self.spec.action.check(action)?,
        }
        if observation.len() != self.spec.observation_len() {
            self.show(observation)?;
        }
        let by = match action {
            Action::Discrete(a) => a as f32 - 0.5,
            Action::MultiDiscrete(a) => a[0] as f32 - 0.5,
            Action::Continuous(a) if self.mistake == "does not clip" => a[0],
            Action::Continuous(a) => a[0].clamp(-1.0, 1.0),
        };
        if self.mistake == "refuses an action" && self.steps == 5 {
            return Err(EnvError::Saved { problem: "not now" });
        }
        if self.mistake == "panics later" && self.steps == 11 {
            panic!("attempt to subtract with overflow");
        }
        if self.mistake == "shared state" {
            SHARED.fetch_add(1, Ordering::Relaxed);
            self.place += (SHARED.load(Ordering::Relaxed) % 7) as f32 * 1e-3;
        }
        if self.mistake == "changes when it is drawn" {
            self.place += self.looks.get() as f32 * 1e-3;
        }
        let before = self.clone();
        self.place += by;
        self.steps += 1;
        if self.mistake == "grows" {
            self.spec.max_episode_steps = Some(50 + self.steps);
        }
        let end = match self.mistake {
            "never ends" => End::Not,
            "ends by the clock" | "shows the clock" if self.steps == 20 => End::Terminated,
            "ends by the clock" | "shows the clock" => End::Not,
            "stops when told" if by > 0.0 => End::Terminated,
            "one step" => End::Terminated,
            "truncates itself" if self.place.abs() > 3.0 => End::Truncated,
            _ if self.place.abs() > 3.0 => End::Terminated,
            _ => End::Not,
        };
        if ["never ends", "ends by the clock", "shows the clock"].contains(&self.mistake) {
            self.place = self.place.clamp(-3.0, 3.0);
        }
        self.over = end.ended();
        let reward = match self.mistake {
            "reward is infinite" if end.ended() => f32::INFINITY,
            "NaN at a bound" if by == 0.7 => f32::NAN,
            "no reward" => 0.0,
            "large rewards" => 1e4 * self.place,
            _ => self.place,
        };
        match self.mistake {
            "forgets a number" if self.steps == 3 => observation[0] = self.place,
            "shows the next start" if end.ended() => self.clone().reset(None, observation)?,
            "shows no last step" | "stops when told" if end.ended() => before.show(observation)?,
            _ => self.show(observation)?,
        }
        Ok(Step { reward, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        match self.mistake {
            "cannot be saved" => return false,
            "saves nothing and writes" => {
                state.push(1);
                return false;
            }
            "saves nothing" => return true,
            "clears what is there" => state.clear(),
            "panics when it is saved" => panic!("not yet written"),
            _ => {}
        }
        let over = self.over && self.mistake != "forgets the end";
        state.extend([u64::from(self.place.to_bits()), u64::from(self.steps), u64::from(over)]);
        if self.mistake != "forgets its generator" {
            state.extend(self.rng.place());
        }
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let problem = "six words";
        match self.mistake {
            "panics at other words" => self.place = f32::from_bits(state[5] as u32),
            "saves nothing" | "restores nothing" => return Ok(()),
            "takes any words" => {}
            "forgets its generator" if state.len() == 3 => {}
            _ if state.len() != 6 => return Err(EnvError::Saved { problem }),
            _ => {}
        }
        let word = |i: usize| state.get(i).copied().unwrap_or_default();
        self.place = f32::from_bits(word(0) as u32);
        (self.steps, self.over) = (word(1) as u32, word(2) == 1);
        if self.mistake != "forgets its generator" {
            self.rng = NumpyRng::at([word(3), word(4), word(5)]);
        }
        Ok(())
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        match self.mistake {
            "nothing is legal" => {
                mask.fill(self.steps < 9);
                true
            }
            "tells at times" => {
                mask.fill(true);
                self.steps < 9
            }
            "masks a box" => true,
            "masks a part" => {
                mask[0] = true;
                true
            }
            "panics when it is asked what is legal" => panic!("index out of bounds"),
            _ => false,
        }
    }

    fn draw(&self) -> Option<Drawing> {
        self.looks.set(self.looks.get() + 1);
        let x = if self.mistake == "draws nowhere" { f32::NAN } else { self.place };
        let width = if self.mistake == "draws no size" && self.steps > 2 { 0.0 } else { 8.0 };
        assert!(self.mistake != "panics when it is drawn" || self.steps < 4, "no font");
        let shape = Shape::Disc { centre: (x, 0.0), radius: 1.0, colour: Colour(0, 0, 0) };
        Some(Drawing { width, height: 2.0, background: Colour(255, 255, 255), shapes: vec![shape] })
    }
}
