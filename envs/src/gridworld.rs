//! Walking on a map.

mod config;
mod model;

pub use config::{GridObservation, GridWorldConfig};

use crate::{
    Action, Cell, Colour, Drawing, End, Env, EnvError, Map, NumpyRng, Shape, Space, Spec, Step, map::Direction,
};

/// A walk on a [`Map`] from a start to a goal.
///
/// - Observation: the cell stood on, as [`GridObservation`] says.
/// - Actions: 0 up, 1 right, 2 down, 3 left, as Gymnasium's `CliffWalking-v1`. A move into a wall or over the edge
///   stays where it is.
/// - Slip: with probability [`slip`](GridWorldConfig::slip) the move goes to one of the two directions perpendicular to
///   the action, each with half of it, and never backwards.
/// - Reward: that of the cell entered (`goal_reward`, `pit_reward`, `cliff_reward`, or its own from `cell_rewards`), and
///   `step_reward` for any other cell and for staying. A step pays one of these, never a sum.
/// - Terminates on a goal and in a pit. A cliff sends back to a start and the episode goes on.
/// - Start: one of the map's starts, each equally likely, also after a cliff.
///
/// Its generator is used as Gymnasium's toy-text environments use theirs: one number a start drawn, one a step, also
/// where there is nothing to choose. The one exception is a cliff: it draws a start only where the map has several.
#[derive(Debug, Clone)]
pub struct GridWorld {
    config: GridWorldConfig,
    map: Map,
    spec: Spec,
    rng: NumpyRng,
    position: usize,
    needs_reset: bool,
    /// The image without the walker, where that is what is shown.
    background: Vec<f32>,
}

/// Where a move ends, before any chance about starts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Landing {
    /// On this cell, with the episode going on or not.
    On { cell: usize, terminal: bool },
    /// On a start.
    Back,
}

impl GridWorld {
    /// The environment of this configuration.
    ///
    /// # Errors
    /// [`EnvError::Map`] for a malformed map, [`EnvError::Option`] for an option that is out of its range.
    pub fn new(config: GridWorldConfig) -> Result<Self, EnvError> {
        let map = config.validate()?;
        let observation = match config.observation {
            GridObservation::OneHot => Space::uniform_box(map.cells().len(), 0.0, 1.0),
            GridObservation::RowColumn => Space::uniform_box(2, 0.0, 1.0),
            GridObservation::Image => {
                Space::Image { height: map.rows(), width: map.columns(), channels: GridObservation::CHANNELS, max: 1 }
            }
        };
        let background = match config.observation {
            GridObservation::Image => map.cells().iter().flat_map(|&cell| planes(cell)).collect(),
            _ => Vec::new(),
        };
        let spec = Spec {
            id: config.id.clone(),
            observation,
            action: Space::Discrete { n: Direction::ALL.len() },
            max_episode_steps: config.max_episode_steps,
            reward_threshold: config.reward_threshold,
        };
        let position = map.starts()[0];
        Ok(Self { config, map, spec, rng: NumpyRng::default(), position, needs_reset: true, background })
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> &GridWorldConfig {
        &self.config
    }

    /// The map walked on.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// The index of the cell stood on; see [`Map`].
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// How likely each direction is when `action` is taken: the quarter to its left, itself, the quarter to its right.
    ///
    /// The order is that of the outcomes of Gymnasium's slippery environments, and so is the one a random number picks.
    fn directions(&self, action: Direction) -> [(Direction, f64); 3] {
        let aside = self.config.slip / 2.0;
        [(action.turned(3), aside), (action, 1.0 - self.config.slip), (action.turned(1), aside)]
    }

    /// What a move from `cell` in this very direction pays and where it ends.
    fn go(&self, cell: usize, direction: Direction) -> (f32, Landing) {
        let config = &self.config;
        let stay = (config.step_reward, Landing::On { cell, terminal: false });
        self.map.neighbour(cell, direction).map_or(stay, |cell| match self.map.cells()[cell] {
            Cell::Wall => stay,
            Cell::Floor | Cell::Start => (config.step_reward, Landing::On { cell, terminal: false }),
            Cell::Reward(reward) => (reward, Landing::On { cell, terminal: false }),
            Cell::Goal => (config.goal_reward, Landing::On { cell, terminal: true }),
            Cell::Pit => (config.pit_reward, Landing::On { cell, terminal: true }),
            Cell::Cliff => (config.cliff_reward, Landing::Back),
        })
    }

    fn draw_start(&mut self) -> usize {
        let starts = self.map.starts();
        starts[self.rng.categorical(std::iter::repeat_n(1.0 / starts.len() as f64, starts.len()))]
    }

    /// The observation of standing on `cell`, `[D]`.
    fn observe(&self, cell: usize, observation: &mut [f32]) {
        match self.config.observation {
            GridObservation::OneHot => {
                observation.fill(0.0);
                observation[cell] = 1.0;
            }
            GridObservation::RowColumn => {
                let (row, column) = self.map.row_column(cell);
                let scaled = |index: usize, len: usize| index as f32 / (len - 1).max(1) as f32;
                observation[0] = scaled(row, self.map.rows());
                observation[1] = scaled(column, self.map.columns());
            }
            GridObservation::Image => {
                observation.copy_from_slice(&self.background);
                observation[cell * GridObservation::CHANNELS] = 1.0;
            }
        }
    }
}

impl GridWorld {
    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        self.position = self.draw_start();
        self.needs_reset = false;
        self.observe(self.position, observation);
        Ok(())
    }
}

impl Env for GridWorld {
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
        let action = Direction::ALL[self.spec.action.discrete(action)?];
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let directions = self.directions(action);
        let (direction, _) = directions[self.rng.categorical(directions.map(|(_, probability)| probability))];
        let (reward, landing) = self.go(self.position, direction);
        self.position = match landing {
            Landing::On { cell, .. } => cell,
            Landing::Back if self.map.starts().len() == 1 => self.map.starts()[0],
            Landing::Back => self.draw_start(),
        };
        self.needs_reset = matches!(landing, Landing::On { terminal: true, .. });
        self.observe(self.position, observation);
        Ok(Step { reward, end: if self.needs_reset { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend([self.position as u64, self.needs_reset.into()]);
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[position, needs_reset @ (0 | 1), low, high, drawn] = state else {
            return Err(EnvError::Saved { problem: "expected a cell, 0 or 1, and a generator's three words" });
        };
        let cell = usize::try_from(position).ok().filter(|&cell| self.map.cells().get(cell).is_some());
        self.position = cell.ok_or(EnvError::Saved { problem: "the cell stood on is not on the map" })?;
        self.needs_reset = needs_reset == 1;
        self.rng = NumpyRng::at([low, high, drawn]);
        Ok(())
    }

    /// The map from above, one unit a cell, the walker a blue disc.
    fn draw(&self) -> Option<Drawing> {
        Some(picture(&self.map, self.position))
    }
}

/// A cell's channels of an image, without the walker.
fn planes(cell: Cell) -> [f32; GridObservation::CHANNELS] {
    match cell {
        Cell::Floor | Cell::Start | Cell::Reward(_) => [0.0; 4],
        Cell::Wall => [0.0, 1.0, 0.0, 0.0],
        Cell::Goal => [0.0, 0.0, 1.0, 0.0],
        Cell::Pit | Cell::Cliff => [0.0, 0.0, 0.0, 1.0],
    }
}

/// A map from above, one unit a cell, with the walker as a blue disc.
pub(crate) fn picture(map: &Map, position: usize) -> Drawing {
    let corner = |cell| {
        let (row, column) = map.row_column(cell);
        (column as f32, row as f32)
    };
    let mut shapes: Vec<Shape> = (0..map.cells().len())
        .filter_map(|cell| {
            let (x, y) = corner(cell);
            let colour = colour(map.cells()[cell])?;
            Some(Shape::rectangle(x, y, x + 1.0, y + 1.0, colour))
        })
        .collect();
    let (x, y) = corner(position);
    shapes.push(Shape::Disc { centre: (x + 0.5, y + 0.5), radius: 0.35, colour: Colour(30, 90, 200) });
    Drawing { width: map.columns() as f32, height: map.rows() as f32, background: Colour(245, 245, 245), shapes }
}

/// What a cell looks like; floor shows the background.
fn colour(cell: Cell) -> Option<Colour> {
    match cell {
        Cell::Floor => None,
        Cell::Start => Some(Colour(200, 215, 240)),
        Cell::Goal => Some(Colour(80, 180, 90)),
        Cell::Wall => Some(Colour(60, 60, 60)),
        Cell::Pit => Some(Colour(150, 40, 40)),
        Cell::Cliff => Some(Colour(220, 140, 70)),
        Cell::Reward(reward) if reward < 0.0 => Some(Colour(245, 205, 205)),
        Cell::Reward(_) => Some(Colour(240, 225, 150)),
    }
}
