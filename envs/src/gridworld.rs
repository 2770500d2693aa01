//! Walking on a map.

mod boxes;
mod config;
mod model;
mod moves;
mod presets;
mod view;

pub use config::{GridMoves, GridObservation, GridWorldConfig};
pub(crate) use view::picture;

use std::sync::Arc;

use boxes::{Boxes, Push};
use moves::Moves;
use view::View;

use crate::{Action, Cell, Drawing, End, Env, EnvError, Map, NumpyRng, Space, Spec, Step, map::Direction};

/// A walk on a [`Map`] from a start to a goal.
///
/// - Observation: the cell stood on and, where it is drawn, the goal, as [`GridObservation`] says.
/// - Actions: 0 up, 1 right, 2 down, 3 left, as Gymnasium's `CliffWalking-v1`, and those that [`GridMoves`] says. A move into
///   a wall or over the edge stays where it is.
/// - Slip: with probability [`slip`](GridWorldConfig::slip) the move goes to one of the two directions perpendicular to
///   the action, each with half of it, and never backwards.
/// - Wind: [`wind`](GridWorldConfig::wind) carries a move up from where it ends, by the strength of the column in which it
///   begins, until a wall or the edge; a move down goes against it with one cell of its strength.
/// - Reward: that of the cell entered (`goal_reward` or its own from `goals`, `pit_reward`, `cliff_reward`, or its own from
///   `cell_rewards`), and `step_reward` for any other cell and for staying. A step pays one of these, never a sum; what wind
///   carries it over pays nothing.
/// - Boxes: a move into one, a slip's too, pushes it on in the same direction if the cell behind is neither wall nor edge nor
///   another box, else it stays where it is. Wind pushes none, it stops at one. What a cell does it does to the walker: a box may
///   lie on a goal or a pit. A push also pays what [`box_rewards`](GridWorldConfig::box_rewards) say of the cell that the box
///   comes to lie on, less what they say of the one where it lay.
/// - Terminates on a goal, unless [`goals_end`](GridWorldConfig::goals_end) is false, in a pit, and, with
///   [`targets_end`](GridWorldConfig::targets_end), where boxes are on all targets. A cliff sends back to a start and the episode
///   goes on.
/// - Start: one of the map's starts, or any floor, each equally likely; also after a cliff, but then not on a goal that is
///   drawn.
/// - Goal: all goals of the map, or one that is drawn for each episode: see [`random_goal`](GridWorldConfig::random_goal).
///
/// Its generator is used as Gymnasium's toy-text environments use theirs: one number a start drawn, one a goal drawn, one a step, also
/// where there is nothing to choose. The one exception is a cliff: it draws a start only where the map has several.
///
/// Copies share the map.
#[derive(Debug, Clone)]
pub struct GridWorld {
    config: Arc<GridWorldConfig>,
    map: Arc<Map>,
    moves: Arc<Moves>,
    rules: Arc<Boxes>,
    /// The cells of which one is drawn as the goal, ascending; none where goals are not drawn.
    drawn: Arc<[usize]>,
    view: Arc<View>,
    spec: Spec,
    rng: NumpyRng,
    at: Place,
    /// The cells on which boxes stand, ascending.
    boxes: Vec<usize>,
    needs_reset: bool,
}

/// Where an episode is, but for boxes.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The cell stood on.
    cell: usize,
    /// The goal, where it is drawn.
    goal: Option<usize>,
}

/// Where an episode of a [`GridWorld`] is: a state of its [`model`](GridWorld::model).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GridState {
    /// The index of the cell stood on; see [`Map`].
    pub cell: usize,
    /// The index of the goal's cell, where it is drawn.
    pub goal: Option<usize>,
    /// The indices of the cells on which boxes stand, ascending.
    pub boxes: Vec<usize>,
}

impl GridState {
    fn place(&self) -> Place {
        Place { cell: self.cell, goal: self.goal }
    }
}

impl Place {
    fn with(self, boxes: &[usize]) -> GridState {
        GridState { cell: self.cell, goal: self.goal, boxes: boxes.to_vec() }
    }
}

/// Where a move ends, before any chance about starts and goals.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Landing {
    /// On this cell, with the episode going on or not.
    On { cell: usize, terminal: bool },
    /// On this cell, which was the goal, with another to come.
    Next { cell: usize },
    /// On a start.
    Back,
}

impl GridWorld {
    /// The environment of this configuration.
    ///
    /// # Errors
    /// [`EnvError::Map`] for a malformed map, [`EnvError::Option`] for an option that is out of its range,
    /// [`EnvError::LimitTooShort`] for a limit within which no goal is in reach.
    pub fn new(config: GridWorldConfig) -> Result<Self, EnvError> {
        let (map, rules) = config.validate()?;
        let view = View::new(&map, &rules, config.observation, config.random_goal);
        let moves = Moves::new(&config);
        let spec = Spec {
            id: config.id.clone(),
            observation: view.space(&map),
            action: Space::Discrete { n: moves.all().len() },
            max_episode_steps: config.max_episode_steps,
            reward_threshold: config.reward_threshold,
        };
        let drawn: Arc<[usize]> = config.drawn(&map).into();
        let at = Place { cell: map.starts()[0], goal: drawn.first().copied() };
        Ok(Self {
            config: Arc::new(config),
            map: Arc::new(map),
            moves: Arc::new(moves),
            boxes: rules.first().to_vec(),
            rules: Arc::new(rules),
            drawn,
            view: Arc::new(view),
            spec,
            rng: NumpyRng::default(),
            at,
            needs_reset: true,
        })
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
        self.at.cell
    }

    /// The index of the goal's cell, where it is drawn.
    #[must_use]
    pub fn goal(&self) -> Option<usize> {
        self.at.goal
    }

    /// Where the episode is, as one of [`model_states`](GridWorld::model_states).
    #[must_use]
    pub fn state(&self) -> GridState {
        self.at.with(&self.boxes)
    }

    /// The indices of the cells on which boxes stand, ascending.
    #[must_use]
    pub fn boxes(&self) -> &[usize] {
        &self.boxes
    }

    /// What may become of an action on a cell.
    fn chances(&self, cell: usize, action: Direction) -> impl Iterator<Item = (Direction, u32, f64)> + Clone + use<> {
        self.moves.chances(self.map.row_column(cell).1, action)
    }

    /// What a move in this very direction, under this very wind, pays, where it ends and what it pushes.
    #[inline(never)]
    fn go(&self, at: Place, boxes: &[usize], direction: Direction, wind: u32) -> (f32, Landing, Option<Push>) {
        let (cell, push) = Moves::end_among(&self.map, boxes, at.cell, direction, wind);
        let (reward, landing) = match push {
            Some(push) if self.rules.are_done_by(boxes, push) => {
                (self.config.goal_reward, Landing::On { cell, terminal: true })
            }
            _ => self.enter(at, cell),
        };
        (reward + push.map_or(0.0, |push| self.rules.reward(push)), landing, push)
    }

    /// What it pays to come to stand on this cell, and what comes of it.
    #[inline]
    fn enter(&self, at: Place, cell: usize) -> (f32, Landing) {
        let config = &self.config;
        let kind = self.map.cells()[cell];
        let on = |terminal| Landing::On { cell, terminal };
        if cell == at.cell {
            return (config.step_reward, on(false));
        }
        if at.goal.map_or(kind.is_goal(), |goal| goal == cell) {
            let reward = if let Cell::OwnGoal(reward) = kind { reward } else { config.goal_reward };
            let is_drawn = at.goal.is_some();
            return (reward, if is_drawn && !config.goals_end { Landing::Next { cell } } else { on(config.goals_end) });
        }
        match kind {
            Cell::Reward(reward) => (reward, on(false)),
            Cell::Pit => (config.pit_reward, on(true)),
            Cell::Cliff => (config.cliff_reward, Landing::Back),
            // Of the goals of the map another one is drawn, and this one floor.
            Cell::Floor | Cell::Start | Cell::Wall | Cell::Box | Cell::Goal | Cell::OwnGoal(_) => {
                (config.step_reward, on(false))
            }
        }
    }

    /// Whether an episode goes on after coming to stand here.
    fn goes_on(&self, at: Place, boxes: &[usize]) -> bool {
        let kind = self.map.cells()[at.cell];
        let is_goal = at.goal.map_or(kind.is_goal(), |goal| goal == at.cell);
        // Another goal than the one that is drawn is floor.
        let on_cell = if is_goal { !self.config.goals_end } else { kind.is_floor() || kind.is_goal() };
        on_cell && !self.rules.are_done(boxes)
    }

    /// The starts that there are with this goal, each as likely.
    fn starts(&self, goal: Option<usize>) -> impl Iterator<Item = usize> + Clone {
        let alone = self.map.starts().len() == 1;
        self.map.starts().iter().copied().filter(move |&start| alone || Some(start) != goal)
    }

    /// The goals that may be drawn for one who stands on this cell, each as likely.
    fn goals(&self, cell: usize) -> impl Iterator<Item = usize> + Clone {
        self.drawn.iter().copied().filter(move |&goal| goal != cell)
    }

    fn draw_start(&mut self, goal: Option<usize>) -> usize {
        let count = self.starts(goal).count();
        let start = self.rng.categorical(std::iter::repeat_n(1.0 / count as f64, count));
        self.starts(goal).nth(start).unwrap_or(self.at.cell)
    }

    /// A goal for one who stands on this cell; none where goals are not drawn.
    fn draw_goal(&mut self, cell: usize) -> Option<usize> {
        let count = self.goals(cell).count();
        if count == 0 {
            return None;
        }
        let goal = self.rng.categorical(std::iter::repeat_n(1.0 / count as f64, count));
        self.goals(cell).nth(goal)
    }
}

impl GridWorld {
    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        let cell = self.draw_start(None);
        self.at = Place { cell, goal: self.draw_goal(cell) };
        self.boxes.copy_from_slice(self.rules.first());
        self.needs_reset = false;
        self.view.show(&self.map, self.at, &self.boxes, observation);
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
        let at = self.at;
        let mut chances = self.chances(at.cell, action);
        let chance = self.rng.categorical(chances.clone().map(|(_, _, probability)| probability));
        let (direction, wind, _) = chances.nth(chance).unwrap_or((action, 0, 0.0));
        let (reward, landing) = if self.boxes.is_empty() {
            self.enter(at, Moves::end(&self.map, at.cell, direction, wind))
        } else {
            let (reward, landing, push) = self.go(at, &self.boxes, direction, wind);
            if let Some(push) = push {
                push.apply(&mut self.boxes);
            }
            (reward, landing)
        };
        self.at = match landing {
            Landing::On { cell, .. } => Place { cell, ..at },
            Landing::Next { cell } => Place { cell, goal: self.draw_goal(cell) },
            Landing::Back if self.map.starts().len() == 1 => Place { cell: self.map.starts()[0], ..at },
            Landing::Back => Place { cell: self.draw_start(at.goal), ..at },
        };
        self.needs_reset = matches!(landing, Landing::On { terminal: true, .. });
        self.view.show(&self.map, self.at, &self.boxes, observation);
        Ok(Step { reward, end: if self.needs_reset { End::Terminated } else { End::Not } })
    }

    /// The cell stood on, whether the episode is over, the goal where it is drawn, the cells of the boxes, and the generator.
    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend([self.at.cell as u64, self.needs_reset.into()]);
        state.extend(self.at.goal.map(|goal| goal as u64));
        state.extend(self.boxes.iter().map(|&cell| cell as u64));
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let wrong = |problem| EnvError::Saved { problem };
        let length =
            "expected a cell, 0 or 1, a goal's cell where one is drawn, each box's, and a generator's three words";
        let (&[cell, needs_reset @ (0 | 1)], rest) = state.split_first_chunk().ok_or(wrong(length))? else {
            return Err(wrong(length));
        };
        let (cells, &generator) = rest.split_last_chunk().ok_or(wrong(length))?;
        let has_goal = usize::from(!self.drawn.is_empty());
        if cells.len() != has_goal + self.boxes.len() {
            return Err(wrong(length));
        }
        let cell_of = |word: u64| usize::try_from(word).ok().filter(|&cell| cell < self.map.cells().len());
        let cell = cell_of(cell).ok_or(wrong("the cell stood on is not on the map"))?;
        let (goal, boxes) = cells.split_at(has_goal);
        let drawn = |&goal| cell_of(goal).filter(|goal| self.drawn.binary_search(goal).is_ok());
        let drawn = |goal| drawn(goal).ok_or(wrong("the goal is none that may be drawn"));
        let goal = goal.first().map(drawn).transpose()?;
        let is_free = |&at: &usize| at != cell && self.map.cells()[at] != Cell::Wall;
        let boxes: Option<Vec<usize>> = boxes.iter().map(|&at| cell_of(at).filter(is_free)).collect();
        let apart = |boxes: &Vec<usize>| boxes.is_sorted_by(|one, next| one < next);
        let problem = "the boxes are not where boxes can be, in the order of their cells";
        self.boxes = boxes.filter(apart).ok_or(wrong(problem))?;
        self.at = Place { cell, goal };
        self.needs_reset = needs_reset == 1;
        self.rng = NumpyRng::at(generator);
        Ok(())
    }

    /// The map from above, one unit a cell, the walker a blue disc. Windy columns are bluish; where the goal is drawn, the
    /// map's goals are pale and it is green. Boxes are brown, darker on targets, which are dots.
    fn draw(&self) -> Option<Drawing> {
        let map = picture(&self.map, self.at.cell, self.at.goal).over_wind(&self.config.wind);
        Some(map.with_boxes(&self.map, &self.rules, &self.boxes))
    }
}
