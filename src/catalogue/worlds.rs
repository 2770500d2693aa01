//! Walks on maps as rows: a grid world of one's own, the registered ones, and frozen lakes.

use std::collections::BTreeMap;

use uphill_envs::{
    Cell, Env, FrozenLake, FrozenLakeConfig, GridMoves, GridObservation, GridWorld, GridWorldConfig, Lanes, TimeLimit,
    VecEnv, quoted,
};

use super::{EnvRow, MakeEnv};
use crate::tensor_env::Table;
use crate::words::{Args, Kind, Param, Range, Row, Spec, Value, Word, Wrapped};
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

const WIND: &str = "how many cells up the wind carries a move from each column";
const RANDOM_GOAL: &str = "whether the goal is drawn for each episode, from the map's or, where it has none, from all such \
                           floor, and shown";

const BOX_REWARDS: &str = "characters and what a box pays that comes to lie there, and takes back when it leaves, as \"T=1\"; \
                           those above 0 are targets";

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
        Param::text(
            "floor",
            r#"".""#,
            "characters of the map that are floor; these letters go before what one is by default",
        ),
        Param::text("walls", r##""#""##, "characters that are walls"),
        Param::text("starts", "S", "characters that are starts"),
        Param::text("pits", "O", "characters that are pits"),
        Param::text("cliffs", "C", "characters that are cliffs"),
        Param::texts("goals", "[]", "further characters that are goals and what entering them pays, as \"A=10\""),
        Param::flag("goals_end", "true", "whether a goal ends the episode; else it is floor that pays, or drawn anew"),
        Param::word("moves", &["four", "eight", "nine"], "four", "to four sides, a king's, or those and staying"),
        Param { name: "wind", kind: Kind::Counts(0, 1000), default: "[]", meaning: WIND },
        Param::flag("stochastic_wind", "false", "whether wind is as often 1 weaker and 1 stronger as it is so strong"),
        Param::flag("random_start", "false", "whether episodes start on any floor without a reward of its own"),
        Param::flag("random_goal", "false", RANDOM_GOAL),
        Param::text("boxes", "\"\"", "characters that are floor with a box, which is pushed by walking into it"),
        Param::texts("box_rewards", "[]", BOX_REWARDS),
        Param::flag("targets_end", "false", "whether boxes on all targets end the episode and pay goal_reward"),
    ],
    make: GRID,
};

const GRID: MakeEnv = MakeEnv {
    one: Some(|args| Ok(Box::new(TimeLimit::new(grid(args)?)))),
    many: Some(|args, lanes| side_by_side(grid(args)?, lanes)),
    model: Some(|args| Ok(grid(args)?.model()?)),
    returns: None,
    tensors: Some(|args, device| {
        let world = grid(args)?;
        Ok(Box::new(Table::new(world.spec().clone(), &world.model()?, device)?))
    }),
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
        tensors: Some(|args, device| {
            let lake = frozen(args)?;
            Ok(Box::new(Table::new(lake.spec().clone(), &lake.model()?, device)?))
        }),
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
            cell_rewards: cells(args, "cell_rewards")?,
            step_reward: pays(args, "step_reward")?,
            goal_reward: pays(args, "goal_reward")?,
            pit_reward: pays(args, "pit_reward")?,
            cliff_reward: pays(args, "cliff_reward")?,
            reward_threshold: threshold(args)?,
            floor: args.text("floor")?,
            walls: args.text("walls")?,
            starts: args.text("starts")?,
            pits: args.text("pits")?,
            cliffs: args.text("cliffs")?,
            goals: cells(args, "goals")?,
            goals_end: args.flag("goals_end")?,
            moves: args.choice("moves")?,
            wind: args.counts("wind")?.into_iter().map(|strength| strength as u32).collect(),
            stochastic_wind: args.flag("stochastic_wind")?,
            random_start: args.flag("random_start")?,
            random_goal: args.flag("random_goal")?,
            boxes: args.text("boxes")?,
            box_rewards: cells(args, "box_rewards")?,
            targets_end: args.flag("targets_end")?,
            ..GridWorldConfig::default()
        },
    };
    let world = GridWorld::new(GridWorldConfig {
        slip: args.number("slip")?,
        observation: args.choice("observation")?,
        max_episode_steps: limit(args)?,
        ..world
    })?;
    check_effect(args, &world).map(|()| world)
}

/// Refuses letters and rewards of what is not on the map.
fn check_effect(args: &Args, world: &GridWorld) -> Result<()> {
    let (config, own, cells) = (world.config(), GridWorldConfig::default(), world.map().cells());
    let is_there = |cell: Cell| cells.contains(&cell);
    let lacks = |name: &str, kind: &str, letters: &str| {
        let letters: Vec<String> = letters.chars().map(|letter| format!(" `{letter}`")).collect();
        Err(no_effect(args, name, &format!("{kind}{}", letters.join(","))))
    };
    if config.pit_reward != own.pit_reward && !is_there(Cell::Pit) {
        return lacks("pit_reward", "pit", &config.pits);
    }
    if config.cliff_reward != own.cliff_reward && !is_there(Cell::Cliff) {
        return lacks("cliff_reward", "cliff", &config.cliffs);
    }
    let has_own = cells.iter().any(|cell| matches!(cell, Cell::OwnGoal(_)));
    if config.goal_reward != own.goal_reward && !is_there(Cell::Goal) && has_own {
        return lacks("goal_reward", "goal", "G");
    }
    if !config.wind.is_empty() && config.wind.iter().all(|&strength| strength == 0) {
        let problem = "wind has no effect: it is 0 in every column; leave it out, or make it blow in one";
        return Err(Error::Config(format!("{}: {problem}", args.row())));
    }
    if !config.box_rewards.is_empty() && !is_there(Cell::Box) {
        return lacks("box_rewards", "box", &config.boxes);
    }
    let kinds = [
        ("cell_rewards", "cell", &config.cell_rewards),
        ("goals", "goal", &config.goals),
        ("box_rewards", "cell", &config.box_rewards),
    ];
    let paid = kinds.into_iter().flat_map(|(name, kind, letters)| letters.keys().map(move |&c| (name, kind, c)));
    let kinds = [
        ("floor", "floor", &config.floor, &own.floor),
        ("walls", "wall", &config.walls, &own.walls),
        ("starts", "start", &config.starts, &own.starts),
        ("pits", "pit", &config.pits, &own.pits),
        ("cliffs", "cliff", &config.cliffs, &own.cliffs),
        ("boxes", "box", &config.boxes, &own.boxes),
    ];
    // What a kind has by default may stand beside those of one's own.
    let declared = kinds.into_iter().flat_map(|(name, kind, letters, default)| {
        letters.chars().filter(|c| !default.contains(*c)).map(move |c| (name, kind, c))
    });
    let mut idle = paid.chain(declared);
    match idle.find(|(.., letter)| !config.map.contains(*letter)) {
        Some((name, kind, letter)) => lacks(name, kind, &letter.to_string()),
        None => Ok(()),
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

/// Characters of the map and their rewards.
fn cells(args: &Args, name: &str) -> Result<BTreeMap<char, f32>> {
    args.texts(name)?.iter().map(|text| cell(name, text)).collect()
}

/// A character of the map and its reward, from `x=0.5`.
fn cell(name: &str, text: &str) -> Result<(char, f32)> {
    let mut rest = text.chars();
    let reward = |rest: &str| rest.trim_start().strip_prefix('=')?.trim().parse::<f32>().ok().filter(|x| x.is_finite());
    let cell = rest.next().and_then(|cell| Some((cell, reward(rest.as_str())?)));
    cell.ok_or_else(|| {
        let expected = "it must be a character, = and a number within 3.4e38 of zero, such as \"x=0.5\"";
        Error::Config(format!("{name}: \"{}\" is impossible: {expected}", quoted(text)))
    })
}

impl From<GridWorldConfig> for Wrapped {
    fn from(world: GridWorldConfig) -> Self {
        Word::from(world).into()
    }
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
fn values(world: GridWorldConfig) -> [(&'static str, Value); 26] {
    // The number that its shortest text is: a wider copy of an f32 has many digits.
    let number = |reward: f32| Value::Number(reward.to_string().parse().unwrap_or_else(|_| reward.into()));
    let observation = match world.observation {
        GridObservation::OneHot => "one_hot",
        GridObservation::RowColumn => "row_column",
        GridObservation::Image => "image",
    };
    let moves = match world.moves {
        GridMoves::Four => "four",
        GridMoves::Eight => "eight",
        GridMoves::Nine => "nine",
    };
    let word = |name: &str| Value::Spec(Spec(vec![Word::new(name)]));
    let flag = |is_so: bool| word(if is_so { "true" } else { "false" });
    let cells = |cells: BTreeMap<char, f32>| {
        Value::Texts(cells.iter().map(|(cell, reward)| format!("{cell}={reward}")).collect())
    };
    let or_infinity = |limit: Option<f64>| Value::Number(limit.unwrap_or(f64::INFINITY));
    [
        ("map", Value::Texts(world.map.lines().map(Into::into).collect())),
        ("id", Value::Text(world.id)),
        ("cell_rewards", cells(world.cell_rewards)),
        ("slip", Value::Number(world.slip)),
        ("step_reward", number(world.step_reward)),
        ("goal_reward", number(world.goal_reward)),
        ("pit_reward", number(world.pit_reward)),
        ("cliff_reward", number(world.cliff_reward)),
        ("observation", word(observation)),
        ("max_episode_steps", or_infinity(world.max_episode_steps.map(f64::from))),
        ("reward_threshold", or_infinity(world.reward_threshold)),
        ("floor", Value::Text(world.floor)),
        ("walls", Value::Text(world.walls)),
        ("starts", Value::Text(world.starts)),
        ("pits", Value::Text(world.pits)),
        ("cliffs", Value::Text(world.cliffs)),
        ("goals", cells(world.goals)),
        ("goals_end", flag(world.goals_end)),
        ("moves", word(moves)),
        ("wind", Value::List(world.wind.into_iter().map(f64::from).collect())),
        ("stochastic_wind", flag(world.stochastic_wind)),
        ("random_start", flag(world.random_start)),
        ("random_goal", flag(world.random_goal)),
        ("boxes", Value::Text(world.boxes)),
        ("box_rewards", cells(world.box_rewards)),
        ("targets_end", flag(world.targets_end)),
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
            map: "S.x\n\u{2603}#G\nOC.\n=.5\n_ 1\n0'|".into(),
            cell_rewards: BTreeMap::from([('x', 0.1), ('\u{2603}', -2.5e-7)]),
            slip: 0.3,
            step_reward: -0.1,
            goal_reward: 3.3,
            pit_reward: -0.7,
            cliff_reward: -1e-9,
            observation: GridObservation::RowColumn,
            max_episode_steps: None,
            reward_threshold: Some(0.1 + 0.2),
            floor: "._ ".into(),
            walls: "#1".into(),
            starts: "S0".into(),
            pits: "O'".into(),
            cliffs: "C|".into(),
            goals: BTreeMap::from([('=', 0.1), ('5', -2.0)]),
            goals_end: false,
            moves: GridMoves::Nine,
            wind: vec![1, 0, 0],
            stochastic_wind: true,
            random_start: true,
            random_goal: true,
            ..GridWorldConfig::default()
        };
        let with_boxes = GridWorldConfig {
            map: "S$._\nT*#|".into(),
            walls: "#|".into(),
            boxes: "$*".into(),
            box_rewards: BTreeMap::from([('T', 1.5), ('*', 0.1), ('_', -10.0)]),
            targets_end: true,
            ..GridWorldConfig::default()
        };
        for world in [world, with_boxes] {
            let text = Word::from(world.clone()).to_string();
            let word = Word::parse("env", &text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(word, Word::from(world.clone()));
            assert_eq!(*grid(&Args::new(&GRID_WORLD, &word).expect("arguments")).expect("a world").config(), world);
        }
    }
}
