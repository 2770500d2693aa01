//! What a grid world is made of, and the registered ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Cell, EnvError, Map, Spec, shown};

/// How a grid world shows the cell stood on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridObservation {
    /// One number a cell of the map, walls and all, `[rows * columns]` in the order of [`Map`]: 1 where the walker
    /// stands, 0 elsewhere. The index of the 1 is the state's number in Gymnasium's toy-text environments.
    #[default]
    #[serde(alias = "one_hot")]
    OneHot,
    /// `[2]`: row and column from the top left, each scaled to 0 at the first and 1 at the last.
    #[serde(alias = "row_column")]
    RowColumn,
    /// The map from above as an image, `[rows, columns, 4]`, a pixel a cell, each channel 1 where something is and 0 elsewhere:
    /// the walker, walls, goals, and what is better not entered, pits and cliffs. Cells of an own reward look like floor.
    Image,
}

impl GridObservation {
    /// Channels of the image.
    pub(super) const CHANNELS: usize = 4;
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
        }
    }
}

impl GridWorldConfig {
    /// `GridWorld-4x4-v0`: walls, two pits and one best path between them.
    ///
    /// ```text
    /// S..O
    /// .#..
    /// ..O.
    /// ..#G
    /// ```
    ///
    /// A step costs 0.001, the goal pays 1 and a pit nothing, as a hole of Gymnasium's `FrozenLake`; nothing is random. The
    /// only shortest path is right, right, down, right, down, down: 6 steps, so the optimal return is
    /// 1 − 5·0.001 = 0.995, undiscounted. Limit 100; solved at 0.9, which leaves a policy that still explores some room.
    ///
    /// The rewards are such that no policy but the best is worth settling for. Were a pit punished and a step dear (−1
    /// and −0.01, say), standing still would be safe and some seeds of PPO would learn that.
    #[must_use]
    pub fn four_by_four() -> Self {
        Self { id: "GridWorld-4x4-v0".into(), reward_threshold: Some(0.9), ..Self::default() }
    }

    /// `FourRooms-v0`: four rooms and the hallways between them, from the top left to the bottom right.
    ///
    /// A step costs 0.01 and the goal pays 1; nothing is random. A shortest path takes 20 steps, so the optimal return is
    /// 1 − 19·0.01 = 0.81, undiscounted. Limit 500, within which a uniformly random policy finds the goal in about 28% of
    /// its episodes; solved at 0.7.
    ///
    /// The map is that of Sutton, Precup and Singh 1999, fig. 2, <https://doi.org/10.1016/S0004-3702(99)00052-1>.
    #[must_use]
    pub fn four_rooms() -> Self {
        let map = "\
#############
#S....#.....#
#.....#.....#
#...........#
#.....#.....#
#.....#.....#
##.####.....#
#.....###.###
#.....#.....#
#.....#.....#
#...........#
#.....#....G#
#############";
        Self {
            id: "FourRooms-v0".into(),
            map: map.into(),
            step_reward: -0.01,
            max_episode_steps: Some(500),
            reward_threshold: Some(0.7),
            ..Self::default()
        }
    }

    /// `CliffWalking-v1`: Gymnasium's, with its states as one-hot observations, `[48]`.
    ///
    /// Every step pays −1, the one to the goal too, and one over the cliff −100; the optimal return is −13. As in
    /// Gymnasium it has neither limit nor threshold, so an episode of a policy that avoids the goal does not end:
    /// [`TimeLimit::with_limit`](crate::TimeLimit::with_limit) gives it one.
    ///
    /// Sutton and Barto 2018, example 6.6, <http://incompleteideas.net/book/the-book-2nd.html>;
    /// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/cliffwalking.py>.
    #[must_use]
    pub fn cliff_walking() -> Self {
        Self {
            id: "CliffWalking-v1".into(),
            map: "............\n............\n............\nSCCCCCCCCCCG".into(),
            step_reward: -1.0,
            goal_reward: -1.0,
            cliff_reward: -100.0,
            max_episode_steps: None,
            ..Self::default()
        }
    }

    /// `CliffWalkingSlippery-v1`: the same where each of three directions is as likely.
    #[must_use]
    pub fn cliff_walking_slippery() -> Self {
        Self { id: "CliffWalkingSlippery-v1".into(), slip: 2.0 / 3.0, ..Self::cliff_walking() }
    }

    /// The registered grid world of that name, such as `FourRooms-v0`; `None` if no grid world has it.
    #[must_use]
    pub fn registered(id: &str) -> Option<Self> {
        let worlds = [Self::four_by_four, Self::four_rooms, Self::cliff_walking, Self::cliff_walking_slippery];
        worlds.into_iter().map(|world| world()).find(|world| world.id == id)
    }

    /// The map, if it and all options are possible.
    pub(super) fn validate(&self) -> Result<Map, EnvError> {
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
        for (name, reward) in rewards.into_iter().chain(own) {
            if !reward.is_finite() {
                return impossible(name, reward.to_string(), "a finite number");
            }
        }
        if self.max_episode_steps == Some(0) {
            return impossible("max_episode_steps", "0".into(), "an episode takes at least 1 step");
        }
        if let Some(threshold) = self.reward_threshold.filter(|threshold| !threshold.is_finite()) {
            return impossible("reward_threshold", threshold.to_string(), "a finite number");
        }
        let map = Map::parse(&self.map, &self.cell_rewards)?;
        self.check_limit(&map)?;
        Ok(map)
    }

    /// Refuses a limit within which no luck leads from some start to a goal, if there is no better thing to do.
    fn check_limit(&self, map: &Map) -> Result<(), EnvError> {
        let pays = |cell: &Cell| match cell {
            Cell::Floor | Cell::Start | Cell::Wall => self.step_reward,
            Cell::Goal => self.goal_reward,
            Cell::Pit => self.pit_reward,
            Cell::Cliff => self.cliff_reward,
            Cell::Reward(reward) => *reward,
        };
        let goal_is_best = map.cells().iter().all(|cell| pays(cell) <= self.goal_reward);
        match self.max_episode_steps.filter(|_| goal_is_best) {
            Some(limit) => map.check_limit(limit),
            None => Ok(()),
        }
    }
}
