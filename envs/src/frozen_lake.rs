//! The way over a frozen lake.

use crate::gridworld::picture;
use crate::underway::Underway;
use crate::{
    Action, Cell, Drawing, End, Env, EnvError, FiniteMdp, Letters, Map, MapError, MdpError, NumpyRng, Outcome, Space,
    Spec, Step, map::Direction, shown,
};

/// Actions 0 to 3 of Gymnasium's `FrozenLake-v1`: against the clock, while a [`Direction`] turns with it.
const DIRECTIONS: [Direction; 4] = [Direction::Left, Direction::Down, Direction::Right, Direction::Up];

/// Gymnasium 1.3's `FrozenLake-v1`: slip over the ice from a start to a goal, past its holes.
///
/// - Observation: one number a cell, row by row, 1 for the cell stood on and 0 elsewhere. The index of the 1 is
///   Gymnasium's observation.
/// - Actions: 0 left, 1 down, 2 right, 3 up. A move over the edge stays where it is.
/// - Slip: the move goes as intended with the [`success_rate`](FrozenLakeConfig::success_rate), else to one of the two
///   directions perpendicular to it, each as likely, and never backwards.
/// - Reward: that of the cell entered or stayed on, 1 for a goal and 0 for all others by default.
/// - Terminates on a goal and in a hole.
/// - Start: one of the map's starts, each equally likely.
///
/// A [`GridWorld`](crate::GridWorld) of the same map numbers its actions otherwise, and so uses its random numbers
/// otherwise.
///
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/frozen_lake.py>.
#[derive(Debug, Clone)]
pub struct FrozenLake {
    spec: Spec,
    config: FrozenLakeConfig,
    map: Map,
    underway: Underway<usize>,
}

/// The options of a [`FrozenLake`]; the default is `FrozenLake-v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct FrozenLakeConfig {
    /// The name in its [`Spec`]: see [`Spec::check_id`].
    pub id: String,
    /// The map, a line a row: `S` a start, `F` frozen, `H` a hole, `G` a goal; Gymnasium's `desc`.
    pub map: String,
    /// The probability, in `[0, 1]`, of moving as intended; 1 is Gymnasium's `is_slippery=False`.
    pub success_rate: f64,
    /// What entering a goal pays: the first of Gymnasium's `reward_schedule`.
    pub goal_reward: f32,
    /// What entering a hole pays: the second.
    pub hole_reward: f32,
    /// What any other step pays: the third.
    pub frozen_reward: f32,
    /// Steps after which [`TimeLimit`](crate::TimeLimit) truncates.
    ///
    /// Where nothing pays more than a goal, it may not be too short to get there.
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the task counts as solved.
    pub reward_threshold: Option<f64>,
}

impl Default for FrozenLakeConfig {
    fn default() -> Self {
        Self {
            id: "FrozenLake-v1".into(),
            map: "SFFF\nFHFH\nFFFH\nHFFG".into(),
            success_rate: 1.0 / 3.0,
            goal_reward: 1.0,
            hole_reward: 0.0,
            frozen_reward: 0.0,
            max_episode_steps: Some(100),
            reward_threshold: Some(0.7),
        }
    }
}

impl FrozenLakeConfig {
    /// `FrozenLake8x8-v1`: limit 200 steps, solved at a mean return of 0.85.
    #[must_use]
    pub fn eight_by_eight() -> Self {
        Self {
            id: "FrozenLake8x8-v1".into(),
            map: "SFFFFFFF\nFFFFFFFF\nFFFHFFFF\nFFFFFHFF\nFFFHFFFF\nFHHFFFHF\nFHFFHFHF\nFFFHFFFG".into(),
            max_episode_steps: Some(200),
            reward_threshold: Some(0.85),
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<Map, EnvError> {
        Spec::check_id(&self.id)?;
        let impossible = |name, value: String, expected| Err(EnvError::Option { name, value, expected });
        if !(0.0..=1.0).contains(&self.success_rate) {
            return impossible("success_rate", shown(self.success_rate), "a probability, 0 to 1");
        }
        let rewards = [
            ("goal_reward", self.goal_reward),
            ("hole_reward", self.hole_reward),
            ("frozen_reward", self.frozen_reward),
        ];
        if let Some((name, reward)) = rewards.into_iter().find(|(_, reward)| !reward.is_finite()) {
            return impossible(name, reward.to_string(), "a finite number");
        }
        if self.max_episode_steps == Some(0) {
            return impossible("max_episode_steps", "0".into(), "an episode takes at least 1 step");
        }
        if let Some(threshold) = self.reward_threshold.filter(|threshold| !threshold.is_finite()) {
            return impossible("reward_threshold", threshold.to_string(), "a finite number");
        }
        let map = self.read()?;
        let goal_is_best = self.goal_reward >= self.hole_reward.max(self.frozen_reward);
        match self.max_episode_steps.filter(|_| goal_is_best) {
            Some(limit) => map.check_limit(limit, map.walk()).map(|()| map),
            None => Ok(map),
        }
    }

    /// The map, in the letters that a [`Map`] is written in.
    fn read(&self) -> Result<Map, EnvError> {
        for (line, row) in self.map.lines().enumerate() {
            let strange = |&(_, c): &(usize, char)| !c.is_whitespace() && !"SFHG".contains(c);
            if let Some((column, character)) = row.chars().enumerate().find(strange) {
                let known = "`S`, `F`, `H`, `G`".into();
                let (line, column) = (line + 1, column + 1);
                return Err(MapError::UnknownCharacter { character, line, column, known, hint: "" }.into());
            }
        }
        let text = self.map.replace('F', ".").replace('H', "O");
        Map::parse(&text, &Letters::default()).map_err(|e| match e {
            MapError::UnreachableGoal { line, column } => EnvError::Option {
                name: "map",
                value: format!("a start at line {line}, column {column} without a way"),
                expected: "a goal `G` must be in reach of every start `S` over ice `F`, past the holes `H`",
            },
            other => other.into(),
        })
    }

    /// The ways that `action` on `cell` can turn out, in the order of Gymnasium's table: one random number picks among them.
    fn outcomes(&self, map: &Map, cell: usize, action: usize) -> [Outcome; 3] {
        let aside = (1.0 - self.success_rate) / 2.0;
        let ways = [(3, aside), (0, self.success_rate), (1, aside)];
        ways.map(|(turns, probability)| {
            let next = map.neighbour(cell, DIRECTIONS[(action + turns) % 4]).unwrap_or(cell);
            let (reward, terminal) = match map.cells()[next] {
                Cell::Goal => (self.goal_reward, true),
                Cell::Pit => (self.hole_reward, true),
                _ => (self.frozen_reward, false),
            };
            Outcome { probability, next, reward: reward.into(), terminal }
        })
    }
}

impl FrozenLake {
    /// The lake of this configuration.
    ///
    /// # Errors
    /// [`EnvError::Map`] for a malformed map, [`EnvError::Option`] for an option that is out of its range,
    /// [`EnvError::LimitTooShort`] for a limit within which no goal is in reach.
    pub fn new(config: FrozenLakeConfig) -> Result<Self, EnvError> {
        let map = config.validate()?;
        let spec = Spec {
            id: config.id.clone(),
            observation: Space::uniform_box(map.cells().len(), 0.0, 1.0),
            action: Space::Discrete { n: DIRECTIONS.len() },
            max_episode_steps: config.max_episode_steps,
            reward_threshold: config.reward_threshold,
        };
        let underway = Underway::new(map.starts()[0]);
        Ok(Self { spec, config, map, underway })
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> &FrozenLakeConfig {
        &self.config
    }

    /// The decision process that this environment samples from, without any time limit.
    ///
    /// Its states are the cells, row by row. From one that no episode comes to stand on nothing is said to come, as from
    /// holes and goals.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] or [`MdpError::ManyNumbers`] for a map of so many cells that it would fill the memory.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let (cells, actions) = (self.map.cells().len(), DIRECTIONS.len());
        FiniteMdp::check_size(cells, cells)?;
        let mut outcomes = vec![Vec::new(); cells * actions];
        let mut frontier = self.map.starts().to_vec();
        while let Some(cell) = frontier.pop() {
            for action in 0..actions {
                let possible = self
                    .config
                    .outcomes(&self.map, cell, action)
                    .into_iter()
                    .filter(|outcome| outcome.probability > 0.0);
                outcomes[cell * actions + action] = possible.collect();
            }
            let rows = &outcomes[cell * actions..][..actions];
            let entered = rows.iter().flatten().filter(|outcome| !outcome.terminal).map(|outcome| outcome.next);
            let new: Vec<usize> = entered.filter(|&next| outcomes[next * actions].is_empty()).collect();
            frontier.extend(new);
        }
        let mut observations = vec![0.0; cells * cells];
        for (cell, row) in observations.chunks_exact_mut(cells).enumerate() {
            observe(cell, row);
        }
        FiniteMdp::new(actions, outcomes, starts(&self.map).collect(), observations)
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let cell = self.underway.begin(rng, |rng| rng.categorical(starts(&self.map)));
        observe(cell, observation);
        Ok(())
    }
}

/// How likely an episode starts on each cell.
fn starts(map: &Map) -> impl Iterator<Item = f64> {
    let probability = 1.0 / map.starts().len() as f64;
    map.cells().iter().map(move |&cell| if cell == Cell::Start { probability } else { 0.0 })
}

/// The observation of standing on `cell`, `[D]`.
fn observe(cell: usize, observation: &mut [f32]) {
    observation.fill(0.0);
    observation[cell] = 1.0;
}

impl Env for FrozenLake {
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
        let (cell, step) = self.underway.step(|cell, rng| {
            let outcomes = self.config.outcomes(&self.map, cell, action);
            let Outcome { next, reward, terminal, .. } = outcomes[rng.categorical(outcomes.map(|way| way.probability))];
            (next, Step { reward: reward as f32, end: if terminal { End::Terminated } else { End::Not } })
        })?;
        observe(cell, observation);
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.underway.save([self.underway.state() as u64], state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let cells = self.map.cells().len();
        self.underway.restore(state, |[cell]| usize::try_from(cell).ok().filter(|&cell| cell < cells))
    }

    /// The map from above, one unit a cell, the walker a blue disc.
    fn draw(&self) -> Option<Drawing> {
        Some(picture(&self.map, self.underway.state(), None))
    }
}
