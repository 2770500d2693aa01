//! What `check_env` and `check_vec_env` say of environments that do something wrong, and that they say nothing of ours.

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use uphill_envs::{
    Action, Actions, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step, TimeLimit, Transitions,
    VecEnv, check_env, check_vec_env, ids, make, make_vec,
};

/// A walk on a line from a random start, which ends at either side, with one mistake or none.
#[derive(Clone)]
struct Line {
    spec: Spec,
    mistake: &'static str,
    rng: NumpyRng,
    place: f32,
    steps: u32,
    over: bool,
}

static SHARED: AtomicU32 = AtomicU32::new(0);

impl Line {
    fn new(mistake: &'static str) -> Self {
        let action = match mistake {
            "no action" => Space::Discrete { n: 0 },
            "bounds the wrong way round" => Space::Box { low: vec![1.0], high: vec![-1.0] },
            "bounds of another number" => Space::Box { low: vec![-1.0], high: vec![] },
            "actions are images" => Space::Image { height: 1, width: 1, channels: 1, max: 1 },
            "nothing to choose" => Space::Box { low: vec![1.0], high: vec![1.0] },
            "actions without a bound" => Space::Box { low: vec![-1.0], high: vec![f32::INFINITY] },
            "large actions" => Space::Box { low: vec![-500.0], high: vec![500.0] },
            "continuous" | "takes NaN" | "does not clip" => Space::Box { low: vec![-1.0], high: vec![1.0] },
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
            _ => Space::uniform_box(2, -9.0, 9.0),
        };
        let id = if mistake == "no name" { "" } else { "Line" };
        let max_episode_steps = match mistake {
            "limit of nothing" => Some(0),
            "never ends" => None,
            _ => Some(50),
        };
        let reward_threshold = (mistake == "threshold is NaN").then_some(f64::NAN);
        let spec = Spec { id: id.into(), observation, action, max_episode_steps, reward_threshold };
        Self { spec, mistake, rng: NumpyRng::new(0), place: 0.0, steps: 0, over: true }
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
        self.place += by;
        self.steps += 1;
        if self.mistake == "grows" {
            self.spec.max_episode_steps = Some(50 + self.steps);
        }
        let end = match self.mistake {
            "never ends" => End::Not,
            "truncates itself" if self.place.abs() > 3.0 => End::Truncated,
            _ if self.place.abs() > 3.0 => End::Terminated,
            _ => End::Not,
        };
        if self.mistake == "never ends" {
            self.place = self.place.clamp(-3.0, 3.0);
        }
        self.over = end.ended();
        let reward = match self.mistake {
            "reward is infinite" if end.ended() => f32::INFINITY,
            "no reward" => 0.0,
            "large rewards" => 1e4 * self.place,
            _ => self.place,
        };
        if self.mistake != "forgets a number" || self.steps != 3 {
            self.show(observation)?;
        } else {
            observation[0] = self.place;
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
            "clears what is there" => state.clear(),
            _ => {}
        }
        state.extend([u64::from(self.place.to_bits()), u64::from(self.steps), u64::from(self.over)]);
        if self.mistake != "forgets its generator" {
            state.extend(self.rng.place());
        }
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let problem = "six words";
        match self.mistake {
            "panics at other words" => self.place = f32::from_bits(state[5] as u32),
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
            _ => false,
        }
    }

    fn draw(&self) -> Option<Drawing> {
        let x = if self.mistake == "draws nowhere" { self.place / 0.0 } else { self.place };
        let shape = Shape::Disc { centre: (x, 0.0), radius: 1.0, colour: Colour(0, 0, 0) };
        (self.mistake != "draws no size" || self.steps > 2).then_some(()).map_or(
            Some(Drawing { width: 0.0, height: 1.0, background: Colour(255, 255, 255), shapes: Vec::new() }),
            |()| Some(Drawing { width: 8.0, height: 2.0, background: Colour(255, 255, 255), shapes: vec![shape] }),
        )
    }
}

const MISTAKES: [&str; 49] = [
    "no name",
    "limit of nothing",
    "threshold is NaN",
    "no action",
    "bounds the wrong way round",
    "bounds of another number",
    "actions are images",
    "no number",
    "NaN bound",
    "panics at the start",
    "takes small seeds",
    "narrow space",
    "half a pixel",
    "forgets a number",
    "NaN at times",
    "reward is infinite",
    "refuses an action",
    "panics later",
    "grows",
    "ignores seeds",
    "fresh entropy",
    "keeps its place",
    "shared state",
    "starts over",
    "goes on after an end",
    "truncates itself",
    "takes any action",
    "takes NaN",
    "does not clip",
    "panics at a wrong action",
    "takes any room",
    "panics at wrong room",
    "moves first",
    "nothing is legal",
    "tells at times",
    "saves nothing and writes",
    "clears what is there",
    "forgets its generator",
    "panics at other words",
    "takes any words",
    "draws nowhere",
    "draws no size",
    "nothing to choose",
    "actions without a bound",
    "large actions",
    "shows nothing",
    "an image in numbers",
    "large numbers",
    "large rewards",
];

fn said(mistake: &'static str) -> String {
    let findings = check_env(|| {
        if ["never ends", "goes on after an end", "starts over", "grows"].contains(&mistake) {
            return Ok(Box::new(Line::new(mistake)) as Box<dyn Env>);
        }
        Ok(Box::new(TimeLimit::new(Line::new(mistake))) as Box<dyn Env>)
    });
    findings.iter().fold(String::new(), |mut text, finding| {
        writeln!(text, "  {finding}").expect("a line");
        text
    })
}

/// Each mistake gets its line; after a change of what is said, `UPDATE_EXPECT=1 cargo test -p uphill-envs --test check`.
#[test]
fn each_mistake_gets_a_line_that_says_what_where_and_what_would_be_right() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let mut text = String::new();
    for mistake in MISTAKES.into_iter().chain(["no reward", "never ends", "cannot be saved"]) {
        write!(text, "{mistake}\n{}", said(mistake)).expect("lines");
    }
    std::panic::set_hook(hook);
    let silent: Vec<&str> = text.lines().filter(|line| !line.starts_with("  ")).collect();
    let silent = silent.iter().filter(|mistake| !text.contains(&format!("{mistake}\n  "))).collect::<Vec<_>>();
    assert_eq!(silent, Vec::<&&str>::new(), "nothing is found in these");
    expect_test::expect_file!["check.txt"].assert_eq(&text);
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for right in ["", "continuous", "several choices", "switches"] {
        assert_eq!(said(right), "", "{right}");
    }
}

/// What is said of registered environments, which are as others made them.
#[test]
fn ours_keep_the_contract() {
    let mut text = String::new();
    // Those of gym-rs are as gym-rs has them: docs/gym-rs.md.
    for id in ids().filter(|id| !id.starts_with("gym-rs/")) {
        for finding in check_env(|| make(id)).into_iter().chain(check_vec_env(|lanes| make_vec(id, lanes))) {
            assert!(!finding.breach, "{id}: {finding}");
            writeln!(text, "{id}: {finding}").expect("a line");
        }
    }
    expect_test::expect![[r#"
        CliffWalkingSlippery-v1: unusual: there is no limit, and an episode has not ended in 20000 steps of random actions; set max_episode_steps in the spec and wrap it in TimeLimit
        FrozenLake8x8-v1: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        MinAtar/Freeway-v1: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/acrobot-swingup_sparse-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/cartpole-swingup_sparse-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/pendulum-swingup-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
    "#]].assert_eq(&text);
}

/// Lanes of coins, with a mistake.
struct Coins {
    spec: Spec,
    mistake: &'static str,
    rngs: Vec<NumpyRng>,
    tosses: Vec<u32>,
}

impl Coins {
    fn new(mistake: &'static str, lanes: usize) -> Self {
        let spec = Spec {
            id: "Coins".into(),
            observation: Space::uniform_box(1, 0.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        let lanes = if mistake == "another number of lanes" { lanes + 1 } else { lanes };
        Self { spec, mistake, rngs: vec![NumpyRng::new(0); lanes], tosses: vec![0; lanes] }
    }
}

impl VecEnv for Coins {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.rngs.len()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if self.mistake != "takes any room" && observation.len() != self.lanes() {
            return Err(EnvError::Length { what: "observation", expected: self.lanes(), got: observation.len() });
        }
        for lane in 0..self.lanes() {
            let own = if self.mistake == "one seed for all" { 0 } else { lane as u64 };
            if let Some(seed) = seed {
                self.rngs[lane] = NumpyRng::new(seed + own);
            }
            self.tosses[lane] = 0;
            if let Some(observation) = observation.get_mut(lane) {
                *observation = self.rngs[lane].random() as f32;
            }
        }
        Ok(())
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        for (lane, &active) in active.iter().enumerate() {
            if !active && self.mistake != "never rests" {
                if self.mistake == "writes the resting" {
                    out.observation[lane] = 0.25;
                }
                continue;
            }
            let Action::Discrete(guess) = actions.lane(lane, &self.spec.action) else { continue };
            let which = if self.mistake == "one generator" { 0 } else { lane };
            let coin = self.rngs[which].random() as f32;
            out.reward[lane] = f32::from((coin > 0.5) == (guess == 1));
            self.tosses[lane] += 1;
            out.end[lane] = if self.tosses[lane] == 10 { End::Terminated } else { End::Not };
            out.observation[lane] = coin;
            if out.end[lane].ended() {
                out.final_observation[lane] = coin;
                self.tosses[lane] = 0;
                out.observation[lane] = self.rngs[which].random() as f32;
            }
        }
        Ok(())
    }

    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        _: uphill_envs::Spread<'_>,
    ) -> Result<(), EnvError> {
        if self.mistake == "spreads something else" {
            self.rngs[0].random();
        }
        self.step(actions, active, out)
    }
}

#[test]
fn so_do_mistakes_of_vectors() {
    let mut text = String::new();
    let mistakes = [
        "another number of lanes",
        "one seed for all",
        "one generator",
        "never rests",
        "writes the resting",
        "spreads something else",
        "takes any room",
    ];
    for mistake in mistakes {
        let found = check_vec_env(|lanes| Ok(Box::new(Coins::new(mistake, lanes))));
        assert_eq!(found.len(), 1, "{mistake}");
        writeln!(text, "{mistake}: {}", found[0]).expect("a line");
    }
    assert_eq!(check_vec_env(|lanes| Ok(Box::new(Coins::new("", lanes)))), []);
    expect_test::expect![[r#"
        another number of lanes: wrong: 6 lanes were made where 5 were asked for; a vector has as many lanes as it is asked for
        one seed for all: wrong: lane 1 of 5 is not what it is alone: its step 0: the observations differ; lane i is seeded `seed + i`, and sees nothing of the others
        one generator: wrong: lane 0 of 5 is not what it is alone: its step 2: the observations differ; lane i is seeded `seed + i`, and sees nothing of the others
        never rests: wrong: the observation of lane 0, not active, is written in step 1; nothing of a lane that is not active is written
        writes the resting: wrong: the observation of lane 0, not active, is written in step 1; nothing of a lane that is not active is written
        spreads something else: wrong: step_spread is not what step is, in lane 0: its step 1: the observations differ; it comes to what step comes to
        takes any room: wrong: reset takes room for 4 numbers, 5 observations have 5; return EnvError::Length for a slice of another length
    "#]].assert_eq(&text);
}
