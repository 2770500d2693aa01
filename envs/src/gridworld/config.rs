//! What a grid world is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Boxes, Moves};
use crate::{Cell, EnvError, Letters, Map, MapError, Spec, counted, shown};

/// How a grid world shows the cell stood on and, where it is drawn, the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridObservation {
    /// One number a cell of the map, walls and all, `[rows * columns]` in the order of [`Map`]: 1 where the walker
    /// stands, 0 elsewhere. The index of the 1 is the state's number in Gymnasium's toy-text environments. Where the goal is
    /// drawn, as many numbers follow, 1 for its cell: `[2 * rows * columns]`; and where there are boxes as many again, last,
    /// 1 where one stands.
    #[default]
    #[serde(alias = "one_hot")]
    OneHot,
    /// `[2]`: row and column from the top left, each scaled to 0 at the first and 1 at the last. Where the goal is drawn, its
    /// row and column follow: `[4]`. Last come those of each box, in the order of their cells.
    #[serde(alias = "row_column")]
    RowColumn,
    /// The map from above as an image, `[rows, columns, 4]`, a pixel a cell, each channel 1 where something is and 0 elsewhere:
    /// the walker, walls, goals, and what is better not entered, pits and cliffs. Cells of an own reward look like floor, and so does wind. Where the goal is drawn there is a
    /// fifth channel, for it alone, and the third shows all that may be drawn of the map's goals: `[rows, columns, 5]`. Where
    /// there are boxes, the last channel is theirs, one more, and the third shows targets, too.
    Image,
}

/// The moves of a grid world, which are its actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridMoves {
    /// 0 up, 1 right, 2 down, 3 left.
    #[default]
    Four,
    /// The moves of a king: after those, 4 up and right, 5 down and right, 6 down and left, 7 up and left. A corner that is
    /// entered counts, not what it is passed between.
    Eight,
    /// After those 8, which stays.
    Nine,
}

impl GridMoves {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            GridMoves::Four => 4,
            GridMoves::Eight => 8,
            GridMoves::Nine => 9,
        }
    }
}

/// The options of a [`GridWorld`](crate::GridWorld).
///
/// The default is the map and the rewards of [`four_by_four`](Self::four_by_four), under the name `GridWorld` and without a
/// threshold: what counts as solved hangs on map and rewards together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GridWorldConfig {
    /// The name in its [`Spec`](crate::Spec): see [`Spec::check_id`](crate::Spec::check_id).
    pub id: String,
    /// The map as text: see [`Map::parse`] and [`Cell`](crate::Cell).
    pub map: String,
    /// Further characters of the map: floor that pays this reward on entering.
    #[serde(deserialize_with = "rewards")]
    pub cell_rewards: BTreeMap<char, f32>,
    /// The probability, in `[0, 1]`, that a move goes to one of the two perpendicular directions, half of it each.
    /// Gymnasium's slippery environments, where each of three directions is as likely, have 2/3.
    pub slip: f64,
    /// What a step pays that enters no goal, pit, cliff or cell of an own reward.
    #[serde(deserialize_with = "reward")]
    pub step_reward: f32,
    /// What entering a goal pays.
    #[serde(deserialize_with = "reward")]
    pub goal_reward: f32,
    /// What entering a pit pays.
    #[serde(deserialize_with = "reward")]
    pub pit_reward: f32,
    /// What entering a cliff pays.
    #[serde(deserialize_with = "reward")]
    pub cliff_reward: f32,
    /// How the walker's cell is shown.
    pub observation: GridObservation,
    /// Steps after which [`TimeLimit`](crate::TimeLimit) truncates; without it episodes run until they terminate.
    ///
    /// Where nothing on the map pays more than the goal, it may not be too short to get there.
    ///
    /// In a file `inf` is none: a key left out would come back as its default.
    #[serde(with = "or_infinity")]
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the task counts as solved; by default none.
    ///
    /// In a file `inf` is none.
    #[serde(with = "or_infinity")]
    pub reward_threshold: Option<f64>,
    /// The characters that are floor on the map, `.` by default; a blank may be one. What is declared here and below goes
    /// before what a character is by default: with `floor = "O"` an `O` is no pit.
    pub floor: String,
    /// The characters that are walls, `#` by default; a blank may be one.
    pub walls: String,
    /// The characters that are starts, `S` by default.
    pub starts: String,
    /// The characters that are pits, `O` by default.
    pub pits: String,
    /// The characters that are cliffs, `C` by default.
    pub cliffs: String,
    /// Further characters of the map: goals that pay this on entering, in place of `goal_reward`.
    #[serde(deserialize_with = "rewards")]
    pub goals: BTreeMap<char, f32>,
    /// Whether entering a goal ends the episode. Where not, it is floor that pays; a goal that is drawn is drawn anew.
    pub goals_end: bool,
    /// Which moves there are.
    pub moves: GridMoves,
    /// How many cells up the wind of each column carries a move that begins in it; none by default.
    pub wind: Vec<u32>,
    /// Whether a wind, where there is one, is as often 1 weaker and 1 stronger as it is what `wind` says.
    pub stochastic_wind: bool,
    /// Whether episodes start on any floor that has no reward of its own, each cell as likely; the map then needs no start.
    pub random_start: bool,
    /// Whether there is one goal an episode, drawn at its start and shown in the observation: one of the map's goals or, where
    /// it has none, any floor that has no reward of its own; each as likely, but for the cell stood on. The map's other goals
    /// are floor. Every start must reach all of them, and how far they are is not held against `max_episode_steps`.
    pub random_goal: bool,
    /// The characters that are floor with a box on it when an episode starts; none by default. Boxes are in nobody's way
    /// where a goal must be in reach: whether they can be pushed aside, the exact optimum tells.
    pub boxes: String,
    /// What a box pays that comes to lie on a cell of this character, and takes back when it leaves; those that stand for
    /// nothing else are floor. Cells that pay more than 0 are targets.
    #[serde(deserialize_with = "rewards")]
    pub box_rewards: BTreeMap<char, f32>,
    /// Whether a box on every target ends the episode. The step pays `goal_reward`, whatever it enters, and the map needs no
    /// goal.
    pub targets_end: bool,
}

/// Reads a reward: numbers of a file are f64, and a larger one than f32 holds would come out as an infinity.
fn reward<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    held(f64::deserialize(from)?)
}

fn rewards<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<char, f32>, D::Error> {
    let rewards = BTreeMap::<char, f64>::deserialize(from)?;
    rewards.into_iter().map(|(cell, reward)| Ok((cell, held(reward)?))).collect()
}

fn held<E: serde::de::Error>(reward: f64) -> Result<f32, E> {
    let held = reward as f32;
    let problem = || E::custom("it must be a finite number, within 3.4e38 of zero");
    held.is_finite().then_some(held).ok_or_else(problem)
}

/// Writes the absence of a limit as infinity, since TOML has no null.
mod or_infinity {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(limit: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match limit {
            Some(limit) => limit.serialize(to),
            None => f64::INFINITY.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, T: Limit, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let number = f64::deserialize(from).map_err(|_| D::Error::custom(T::EXPECTED))?;
        if number == f64::INFINITY {
            return Ok(None);
        }
        T::from_number(number).map(Some).ok_or_else(|| D::Error::custom(T::EXPECTED))
    }

    /// What a limit is kept as.
    pub(super) trait Limit: Sized {
        /// What it must be.
        const EXPECTED: &str;

        fn from_number(number: f64) -> Option<Self>;
    }

    impl Limit for f64 {
        const EXPECTED: &str = "it must be a number, or inf for none";

        fn from_number(number: f64) -> Option<Self> {
            Some(number)
        }
    }

    impl Limit for u32 {
        const EXPECTED: &str = "it must be a whole number from 1 to 4294967295, or inf for none";

        fn from_number(number: f64) -> Option<Self> {
            let limit = number as u32;
            (f64::from(limit) == number && limit > 0).then_some(limit)
        }
    }
}

impl Default for GridWorldConfig {
    fn default() -> Self {
        Self {
            id: "GridWorld".into(),
            map: "S..O\n.#..\n..O.\n..#G".into(),
            cell_rewards: BTreeMap::new(),
            slip: 0.0,
            step_reward: -0.001,
            goal_reward: 1.0,
            pit_reward: 0.0,
            cliff_reward: -1.0,
            observation: GridObservation::OneHot,
            max_episode_steps: Some(100),
            reward_threshold: None,
            floor: ".".into(),
            walls: "#".into(),
            starts: "S".into(),
            pits: "O".into(),
            cliffs: "C".into(),
            goals: BTreeMap::new(),
            goals_end: true,
            moves: GridMoves::Four,
            wind: Vec::new(),
            stochastic_wind: false,
            random_start: false,
            random_goal: false,
            boxes: String::new(),
            box_rewards: BTreeMap::new(),
            targets_end: false,
        }
    }
}

impl GridWorldConfig {
    /// The map and its boxes, if they and all options are possible.
    pub(super) fn validate(&self) -> Result<(Map, Boxes), EnvError> {
        Spec::check_id(&self.id)?;
        let impossible = |name, value: String, expected| Err(EnvError::Option { name, value, expected });
        if !(0.0..=1.0).contains(&self.slip) {
            return impossible("slip", shown(self.slip), "a probability, 0 to 1");
        }
        let rewards = [
            ("step_reward", self.step_reward),
            ("goal_reward", self.goal_reward),
            ("pit_reward", self.pit_reward),
            ("cliff_reward", self.cliff_reward),
        ];
        let own = self.cell_rewards.values().map(|&reward| ("cell_rewards", reward));
        let own = own.chain(self.goals.values().map(|&reward| ("goals", reward)));
        let own = own.chain(self.box_rewards.values().map(|&reward| ("box_rewards", reward)));
        let mut largest = 0.0_f32;
        for (name, reward) in rewards.into_iter().chain(own) {
            if !reward.is_finite() {
                return impossible(name, reward.to_string(), "a finite number");
            }
            largest = largest.max(reward.abs());
        }
        if let Some(reward) = self.box_rewards.values().find(|reward| !(2.0 * reward.abs() + largest).is_finite()) {
            let expected = "what a step pays with it must stay within 3.4e38 of zero";
            return impossible("box_rewards", shown(*reward), expected);
        }
        if self.max_episode_steps == Some(0) {
            return impossible("max_episode_steps", "0".into(), "an episode takes at least 1 step");
        }
        if let Some(threshold) = self.reward_threshold.filter(|threshold| !threshold.is_finite()) {
            return impossible("reward_threshold", threshold.to_string(), "a finite number");
        }
        let letters = self.letters()?;
        let map = Map::read(&self.map, &letters, BLANK, UNKNOWN)?;
        let map = if self.random_start { map.with_starts_anywhere() } else { map };
        if map.starts().is_empty() {
            let known = letters.of("starts", |cell| cell == Cell::Start);
            return Err(MapError::NoStart { known }.into());
        }
        if map.goals().is_empty() && !self.random_goal && !self.targets_end {
            let mut known = letters.of("goals", Cell::is_goal);
            if !self.box_rewards.is_empty() {
                known += ", or end it by boxes on all targets: targets_end = true";
            }
            return Err(MapError::NoGoal { known }.into());
        }
        if !self.wind.is_empty() && self.wind.len() != map.columns() {
            let strengths = counted(self.wind.len(), "number");
            return impossible("wind", strengths, "it takes one number for each column of the map");
        }
        if self.stochastic_wind && self.wind.iter().all(|&strength| strength == 0) {
            return impossible("stochastic_wind", "true".into(), "it takes wind in some column");
        }
        let boxes = Boxes::new(self, &map)?;
        self.check_ways(&map)?;
        Ok((map, boxes))
    }

    /// What the characters of the map stand for.
    fn letters(&self) -> Result<Letters, MapError> {
        let kinds = [
            ("floor", &*self.floor, Cell::Floor),
            ("walls", &self.walls, Cell::Wall),
            ("starts", &self.starts, Cell::Start),
            ("pits", &self.pits, Cell::Pit),
            ("cliffs", &self.cliffs, Cell::Cliff),
            ("boxes", &self.boxes, Cell::Box),
        ];
        let letters = Letters::new(kinds, &self.goals, &self.cell_rewards)?;
        letters.or_floor("box_rewards", self.box_rewards.keys().copied())
    }

    /// The cells of which one is drawn as an episode's goal, ascending: the map's goals or, where it has none, its free
    /// floor. None where goals are not drawn.
    pub(super) fn drawn(&self, map: &Map) -> Vec<usize> {
        match map.goals() {
            _ if !self.random_goal => Vec::new(),
            none if none.is_empty() => map.free(),
            goals => goals,
        }
    }

    /// Refuses starts that lead to no goal, and a limit within which no luck leads there from some start if there is no better
    /// thing to do.
    fn check_ways(&self, map: &Map) -> Result<(), EnvError> {
        let moves = Moves::new(self);
        if self.random_goal {
            let drawn = self.drawn(map);
            if drawn.len() < 2 {
                let expected = "it takes several goals on the map, to draw one of, or none: then it may be any floor";
                return Err(EnvError::Option { name: "random_goal", value: "true".into(), expected });
            }
            let goes_on = |cell: Cell| cell.is_floor() || cell.is_goal();
            return Ok(map.check_all_goals(&drawn, moves.steps(map, goes_on))?);
        }
        if map.goals().is_empty() {
            return Ok(());
        }
        map.check_goals(moves.steps(map, Cell::is_floor))?;
        let pays = |cell: &Cell| match cell {
            Cell::Floor | Cell::Start | Cell::Wall | Cell::Box => self.step_reward,
            Cell::Goal => self.goal_reward,
            Cell::Pit => self.pit_reward,
            Cell::Cliff => self.cliff_reward,
            Cell::Reward(reward) | Cell::OwnGoal(reward) => *reward,
        };
        let best = |goals: bool| {
            let cells = map.cells().iter().filter(|cell| cell.is_goal() == goals);
            cells.map(pays).fold(f32::NEG_INFINITY, f32::max)
        };
        let goal_is_best = self.box_rewards.is_empty() && best(false) <= best(true);
        match self.max_episode_steps.filter(|_| goal_is_best) {
            Some(limit) => map.check_limit(limit, moves.steps(map, Cell::is_floor)),
            None => Ok(()),
        }
    }
}

/// What else may be done about a blank.
const BLANK: &str = "; where blanks are floor, floor = \" \" says so";
/// What declares a character.
const UNKNOWN: &str = "; `floor`, `walls`, `starts`, `pits`, `cliffs` and `boxes` say what other characters stand for, `goals`, \
                       `cell_rewards` and `box_rewards` what they pay, such as floor = \"_\" and goals = { A = 1 }";
