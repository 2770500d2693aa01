//! Walks on maps as rows: a grid world of one's own, the registered ones, and frozen lakes.

use std::collections::BTreeMap;

use uphill_envs::{
    Cell, Env, FrozenLake, FrozenLakeConfig, GridObservation, GridWorld, GridWorldConfig, Lanes, TimeLimit, VecEnv,
    quoted,
};

use super::{EnvRow, MakeEnv};
use crate::words::{Args, Param, Range, Row, Spec, Value, Word};
use crate::{Error, Result};

const fn map(default: &'static str) -> Param {
    const MEANING: &str = "its rows, a character a cell: S start, G goal; in a grid world . floor, # wall, O pit, C cliff, on a \
                           lake F frozen, H hole";
    Param::texts("map", default, MEANING)
}

const SLIP: Param =
    Param::fixed("slip", Range::Share, "0", "probability that a move goes to either side of where it should");
const OBSERVATION: Param =
    Param::word("observation", &["one_hot", "row_column", "image"], "one_hot", "how the cell stood on is shown");
const LIMIT: Param =
    Param::limit("max_episode_steps", u32::MAX as u64, "100", "steps after which an episode is truncated; inf never");
const THRESHOLD: Param =
    Param::fixed("reward_threshold", Range::OrNone, "inf", "mean return at which it is solved; inf is none");

const fn reward(name: &'static str, default: &'static str, meaning: &'static str) -> Param {
    Param::fixed(name, Range::Finite, default, meaning)
}

/// A grid world of one's own. What is not said is as in [`GridWorldConfig::default`]; only the map must be.
pub(crate) const GRID_WORLD: EnvRow = Row {
    name: "GridWorld",
    summary: "a walk on a map of one's own",
    params: &[
        map(""),
        Param::text("id", "GridWorld", "what it is called"),
        Param::texts("cell_rewards", "[]", "further characters of the map and what entering them pays, as \"x=0.5\""),
        SLIP,
        reward("step_reward", "-0.001", "what any other step pays"),
        reward("goal_reward", "1", "what entering a goal pays"),
        reward("pit_reward", "0", "what entering a pit pays"),
        reward("cliff_reward", "-1", "what entering a cliff pays, which sends back to a start"),
        OBSERVATION,
        LIMIT,
        THRESHOLD,
    ],
    make: GRID,
};

const GRID: MakeEnv = MakeEnv {
    one: Some(|args| Ok(Box::new(TimeLimit::new(grid(args)?)))),
    many: Some(|args, lanes| side_by_side(grid(args)?, lanes)),
    model: Some(|args| Ok(grid(args)?.model()?)),
    returns: None,
};

/// What may be said of a registered grid world, whose map and rewards are what its name says.
const fn registered(slip: &'static str, limit: &'static str) -> [Param; 3] {
    [SLIP.or(slip), OBSERVATION, LIMIT.or(limit)]
}

const fn lake(rows: &'static str, limit: &'static str, threshold: &'static str) -> [Param; 8] {
    [
        map(rows),
        Param::flag("is_slippery", "true", "whether a move may go to either side of where it should"),
        Param::fixed("success_rate", Range::Share, THIRD, "probability that a move on slippery ice goes as it should"),
        reward("goal_reward", "1", "what entering a goal pays"),
        reward("hole_reward", "0", "what entering a hole pays"),
        reward("frozen_reward", "0", "what any other step pays"),
        LIMIT.or(limit),
        THRESHOLD.or(threshold),
    ]
}

const THIRD: &str = "0.3333333333333333";
const LAKE: &str = r#"["SFFF", "FHFH", "FFFH", "HFFG"]"#;
const LAKE_8X8: &str =
    r#"["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"]"#;

/// The arguments of a registered walk, and what makes it of them.
pub(super) fn of(name: &str) -> Option<(&'static [Param], MakeEnv)> {
    const FOUR_BY_FOUR: &[Param] = &registered("0", "100");
    const FOUR_ROOMS: &[Param] = &registered("0", "500");
    const CLIFF: &[Param] = &registered("0", "inf");
    const SLIPPERY_CLIFF: &[Param] = &registered("0.6666666666666666", "inf");
    const SMALL_LAKE: &[Param] = &lake(LAKE, "100", "0.7");
    const LARGE_LAKE: &[Param] = &lake(LAKE_8X8, "200", "0.85");
    let on_ice = MakeEnv {
        one: Some(|args| Ok(Box::new(TimeLimit::new(frozen(args)?)))),
        many: Some(|args, lanes| side_by_side(frozen(args)?, lanes)),
        model: Some(|args| Ok(frozen(args)?.model()?)),
        returns: None,
    };
    Some(match name {
        "GridWorld-4x4-v0" => (FOUR_BY_FOUR, GRID),
        "FourRooms-v0" => (FOUR_ROOMS, GRID),
        "CliffWalking-v1" => (CLIFF, GRID),
        "CliffWalkingSlippery-v1" => (SLIPPERY_CLIFF, GRID),
        "FrozenLake-v1" => (SMALL_LAKE, on_ice),
        "FrozenLake8x8-v1" => (LARGE_LAKE, on_ice),
        _ => return None,
    })
}

fn side_by_side(env: impl Env + Clone + 'static, lanes: usize) -> Result<Box<dyn VecEnv>> {
    Ok(Box::new(Lanes::new(vec![TimeLimit::new(env); lanes])?))
}

/// The word of a grid world as it is always said: in the order of its row, and without what is as by default.
///
/// # Errors
/// [`Error::Config`] for what is no argument of its row or impossible, [`Error::Env`] for an impossible map.
pub(crate) fn grid_world(word: &Word) -> Result<Word> {
    Ok(grid(&Args::new(&GRID_WORLD, word)?)?.config().clone().into())
}

fn grid(args: &Args) -> Result<GridWorld> {
    let world = match GridWorldConfig::registered(args.row()) {
        Some(world) => world,
        None => GridWorldConfig {
            id: args.text("id")?,
            map: args.texts("map")?.join("\n"),
            cell_rewards: args.texts("cell_rewards")?.iter().map(|text| cell(text)).collect::<Result<_>>()?,
            step_reward: pays(args, "step_reward")?,
            goal_reward: pays(args, "goal_reward")?,
            pit_reward: pays(args, "pit_reward")?,
            cliff_reward: pays(args, "cliff_reward")?,
            reward_threshold: threshold(args)?,
            ..GridWorldConfig::default()
        },
    };
    let world = GridWorld::new(GridWorldConfig {
        slip: args.number("slip")?,
        observation: args.choice("observation")?,
        max_episode_steps: limit(args)?,
        ..world
    })?;
    let (config, own) = (world.config(), GridWorldConfig::default());
    let is_there = |cell: Cell| world.map().cells().contains(&cell);
    let idle = |name: &str, lacking: &str| Err(no_effect(args, name, lacking));
    if config.pit_reward != own.pit_reward && !is_there(Cell::Pit) {
        return idle("pit_reward", "pit `O`");
    }
    if config.cliff_reward != own.cliff_reward && !is_there(Cell::Cliff) {
        return idle("cliff_reward", "cliff `C`");
    }
    match config.cell_rewards.keys().find(|cell| !config.map.contains(**cell)) {
        Some(cell) => idle("cell_rewards", &format!("cell `{cell}`")),
        None => Ok(world),
    }
}

/// A reward of what is not on the map.
fn no_effect(args: &Args, name: &str, lacking: &str) -> Error {
    Error::Config(format!(
        "{}: {name} has no effect: the map has no {lacking}; leave it out, or put one there",
        args.row()
    ))
}

fn frozen(args: &Args) -> Result<FrozenLake> {
    let (is_slippery, success_rate) = (args.flag("is_slippery")?, args.number("success_rate")?);
    if !is_slippery && ![1.0, 1.0 / 3.0].contains(&success_rate) {
        let why = "without slipping every move goes as it should: leave one of them out";
        return Err(Error::Config(format!(
            "{}: success_rate has no effect with is_slippery = false; {why}",
            args.row()
        )));
    }
    let lake = FrozenLake::new(FrozenLakeConfig {
        id: args.row().into(),
        map: args.texts("map")?.join("\n"),
        success_rate: if is_slippery { success_rate } else { 1.0 },
        goal_reward: pays(args, "goal_reward")?,
        hole_reward: pays(args, "hole_reward")?,
        frozen_reward: pays(args, "frozen_reward")?,
        max_episode_steps: limit(args)?,
        reward_threshold: threshold(args)?,
    })?;
    match lake.config().hole_reward != FrozenLakeConfig::default().hole_reward && !lake.config().map.contains('H') {
        true => Err(no_effect(args, "hole_reward", "hole `H`")),
        false => Ok(lake),
    }
}

/// A reward: environments have f32.
fn pays(args: &Args, name: &str) -> Result<f32> {
    let number = args.number(name)?;
    Some(number as f32).filter(|reward| reward.is_finite()).ok_or_else(|| {
        let (row, number) = (args.row(), uphill_envs::shown(number));
        Error::Config(format!("{row}: {name} = {number} is impossible: it must be within 3.4e38 of zero"))
    })
}

fn limit(args: &Args) -> Result<Option<u32>> {
    Ok(args.limit("max_episode_steps")?.and_then(|limit| u32::try_from(limit).ok()))
}

fn threshold(args: &Args) -> Result<Option<f64>> {
    Ok(Some(args.number("reward_threshold")?).filter(|threshold| threshold.is_finite()))
}

/// A character of the map and its reward, from `x=0.5`.
fn cell(text: &str) -> Result<(char, f32)> {
    let mut rest = text.chars();
    let reward = |rest: &str| rest.trim_start().strip_prefix('=')?.trim().parse::<f32>().ok().filter(|x| x.is_finite());
    let cell = rest.next().and_then(|cell| Some((cell, reward(rest.as_str())?)));
    cell.ok_or_else(|| {
        let expected = "it must be a character, = and a number within 3.4e38 of zero, such as \"x=0.5\"";
        Error::Config(format!("cell_rewards: \"{}\" is impossible: {expected}", quoted(text)))
    })
}

impl From<GridWorldConfig> for Word {
    /// The grid world that this makes, with what is not as by default.
    ///
    /// ```
    /// use uphill::envs::GridWorldConfig;
    /// use uphill::words::Word;
    ///
    /// let world = GridWorldConfig { map: "S.G\n.#.".into(), slip: 0.1, ..GridWorldConfig::default() };
    /// assert_eq!(Word::from(world).to_string(), r#"GridWorld(map=["S.G", ".#."], slip=0.1)"#);
    /// ```
    fn from(world: GridWorldConfig) -> Self {
        let default = values(GridWorldConfig { map: String::new(), ..GridWorldConfig::default() });
        let said = values(world).into_iter().zip(default).filter(|(own, default)| own != default);
        said.fold(Word::new(GRID_WORLD.name), |word, ((name, value), _)| word.with(name, value))
    }
}

/// Every option of a grid world as an argument of its row, in the row's order.
fn values(world: GridWorldConfig) -> [(&'static str, Value); 11] {
    // The number that its shortest text is: a wider copy of an f32 has many digits.
    let number = |reward: f32| Value::Number(reward.to_string().parse().unwrap_or_else(|_| reward.into()));
    let observation = match world.observation {
        GridObservation::OneHot => "one_hot",
        GridObservation::RowColumn => "row_column",
        GridObservation::Image => "image",
    };
    let cells: BTreeMap<char, f32> = world.cell_rewards;
    let or_infinity = |limit: Option<f64>| Value::Number(limit.unwrap_or(f64::INFINITY));
    [
        ("map", Value::Texts(world.map.lines().map(Into::into).collect())),
        ("id", Value::Text(world.id)),
        ("cell_rewards", Value::Texts(cells.iter().map(|(cell, reward)| format!("{cell}={reward}")).collect())),
        ("slip", Value::Number(world.slip)),
        ("step_reward", number(world.step_reward)),
        ("goal_reward", number(world.goal_reward)),
        ("pit_reward", number(world.pit_reward)),
        ("cliff_reward", number(world.cliff_reward)),
        ("observation", Value::Spec(Spec(vec![Word::new(observation)]))),
        ("max_episode_steps", or_infinity(world.max_episode_steps.map(f64::from))),
        ("reward_threshold", or_infinity(world.reward_threshold)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn what_a_row_has_unless_said_is_the_registered_world() {
        let catalogue = Catalogue::default();
        let args = |name: &str| Args::new(catalogue.env(name).expect("a row"), &Word::new(name)).expect("defaults");
        for name in ["GridWorld-4x4-v0", "FourRooms-v0", "CliffWalking-v1", "CliffWalkingSlippery-v1"] {
            let known = GridWorldConfig::registered(name).expect("a world");
            assert_eq!(*grid(&args(name)).expect("a world").config(), known);
        }
        for known in [FrozenLakeConfig::default(), FrozenLakeConfig::eight_by_eight()] {
            assert_eq!(*frozen(&args(&known.id)).expect("a lake").config(), known);
        }
        let own = GridWorldConfig { map: "S.G".into(), ..GridWorldConfig::default() };
        let word = Word::from(own.clone());
        assert_eq!(word.to_string(), r#"GridWorld(map=["S.G"])"#);
        assert_eq!(*grid(&Args::new(&GRID_WORLD, &word).expect("arguments")).expect("a world").config(), own);
    }

    #[test]
    fn every_option_of_a_world_survives_being_a_word() {
        let world = GridWorldConfig {
            id: "Caf\u{e9} \"1\"".into(),
            map: "S.x\n\u{2603}#G\nOC.".into(),
            cell_rewards: BTreeMap::from([('x', 0.1), ('\u{2603}', -2.5e-7)]),
            slip: 0.3,
            step_reward: -0.1,
            goal_reward: 3.3,
            pit_reward: -0.7,
            cliff_reward: -1e-9,
            observation: GridObservation::RowColumn,
            max_episode_steps: None,
            reward_threshold: Some(0.1 + 0.2),
        };
        let text = Word::from(world.clone()).to_string();
        let word = Word::parse("env", &text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(word, Word::from(world.clone()));
        assert_eq!(*grid(&Args::new(&GRID_WORLD, &word).expect("arguments")).expect("a world").config(), world);
    }
}
