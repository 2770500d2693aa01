//! The environments of this crate as rows.

use uphill_envs::{
    Bandit, Blackjack, Env, FiniteMdp, MemoryChain, RepeatPrevious, TMaze, TabularEnv, Taxi, TimeLimit, corridor,
    delayed_reward, random_mdp,
};

use super::{EnvRow, MakeEnv, MakeOne, MakeTensors, minatar, worlds};
use crate::tensor_env::Classic;
use crate::words::{Args, Param, Range, Row};
use crate::{Error, Result};

/// CartPole-v1: the random policy's mean over a million episodes, 22.27 ± 0.01 (standard error), in Gymnasium's own
/// numbers; the optimum is the time limit of 500 steps at a reward of 1.
const CART_POLE: (f64, f64) = (22.27, 500.0);

const BANDIT: EnvRow = Row {
    name: "Bandit-v0",
    summary: "one pull, paid at random; the last arm pays most often",
    params: &[Param::count("arms", (1, 10_000), "10", "arms, of which one is pulled")],
    make: MakeEnv {
        one: Some(|args| Ok(Box::new(Bandit::new(args.count("arms")?)?))),
        many: None,
        model: Some(|args| Ok(Bandit::new(args.count("arms")?)?.model()?)),
        returns: None,
        tensors: None,
    },
};

fn gaussian_bandit(args: &Args) -> Result<Bandit> {
    Ok(Bandit::gaussian(args.count("arms")?, args.number("std")?)?)
}

const GAUSSIAN_BANDIT: EnvRow = Row {
    name: "GaussianBandit-v0",
    summary: "one pull, paid a normal number; the last arm pays most on average",
    params: &[
        Param::count("arms", (1, 10_000), "10", "arms, of which one is pulled"),
        Param::fixed("std", Range::NotNegative, "1", "deviation of what each pays"),
    ],
    make: MakeEnv {
        model: Some(|args| Ok(gaussian_bandit(args)?.model()?)),
        ..MakeEnv::one(|args| Ok(Box::new(gaussian_bandit(args)?)))
    },
};

/// What makes the environment of a model, which has a limit.
const fn tabular(make: MakeOne, model: fn(&Args) -> Result<FiniteMdp>) -> MakeEnv {
    MakeEnv { model: Some(model), ..MakeEnv::one(make) }
}

fn played(args: &Args, model: FiniteMdp, limit: Option<u32>) -> Result<Box<dyn Env>> {
    Ok(Box::new(TimeLimit::new(TabularEnv::new(args.row(), model, limit)?)))
}

fn corridor_model(args: &Args) -> Result<FiniteMdp> {
    Ok(corridor(args.count("length")?)?)
}

const CORRIDOR: EnvRow = Row {
    name: "Corridor-v0",
    summary: "a goal at the end of a corridor, each step towards it or away from it",
    params: &[Param::count("length", (1, 1000), "10", "steps to the goal")],
    make: tabular(|args| played(args, corridor_model(args)?, Some(20 * args.count("length")? as u32)), corridor_model),
};

fn delayed_reward_model(args: &Args) -> Result<FiniteMdp> {
    Ok(delayed_reward(args.count("delay")?)?)
}

const DELAYED_REWARD: EnvRow = Row {
    name: "DelayedReward-v0",
    summary: "a choice that pays some steps later",
    params: &[Param::count("delay", (1, 1000), "10", "steps from the choice to what it pays")],
    make: tabular(
        |args| played(args, delayed_reward_model(args)?, Some(args.count("delay")? as u32 + 1)),
        delayed_reward_model,
    ),
};

fn random_model(args: &Args) -> Result<FiniteMdp> {
    let (states, branching) = (args.count("states")?, args.count("branching")?);
    if branching > states {
        let problem = format!("branching = {branching} is impossible: there are {states} states to lead to");
        return Err(Error::Config(format!("{}: {problem}", args.row())));
    }
    Ok(random_mdp(states, args.count("actions")?, branching, args.number("end")?, args.count("mdp_seed")? as u64)?)
}

const RANDOM_MDP: EnvRow = Row {
    name: "RandomMdp-v0",
    summary: "a process drawn at random, whose best policy is known",
    params: &[
        Param::count("states", (1, 1000), "20", "states"),
        Param::count("actions", (1, 100), "4", "actions in each state"),
        Param::count("branching", (1, 1000), "3", "states that an action may lead to"),
        Param::fixed("end", Range::PositiveShare, "0.1", "probability that a step ends the episode"),
        Param::count("mdp_seed", (0, 1 << 53), "0", "seed of the process itself"),
    ],
    // One episode in 500 million is longer.
    make: tabular(
        |args| played(args, random_model(args)?, Some((20.0 / args.number("end")?).ceil().min(1e6) as u32)),
        random_model,
    ),
};

const REPEAT_PREVIOUS: EnvRow = Row {
    name: "RepeatPrevious-v0",
    summary: "cards, of which the suit of an earlier one is to be named",
    params: &[
        Param::count("k", (1, 5199), "4", "how many cards ago the one was shown that is asked for"),
        Param::count("decks", (1, 100), "1", "decks of 52 cards"),
    ],
    make: MakeEnv {
        returns: Some(|_| Ok(Some((-0.5, 1.0)))),
        ..MakeEnv::one(|args| {
            Ok(Box::new(TimeLimit::new(RepeatPrevious::new(args.count("k")?, args.count("decks")?)?)))
        })
    },
};

const T_MAZE: EnvRow = Row {
    name: "TMaze-v0",
    summary: "a corridor and a fork; which way to turn is seen only at the start",
    params: &[Param::count("length", (1, 1_000_000), "10", "steps of the corridor")],
    make: MakeEnv::one(|args| Ok(Box::new(TimeLimit::new(TMaze::new(args.count("length")? as u32)?)))),
};

const MEMORY_CHAIN: EnvRow = Row {
    name: "MemoryChain-v0",
    summary: "a bit that is shown first and asked for last",
    params: &[Param::count("length", (1, 1_000_000), "10", "steps from the bit to the question")],
    make: MakeEnv {
        returns: Some(|_| Ok(Some((0.0, 1.0)))),
        ..MakeEnv::one(|args| Ok(Box::new(TimeLimit::new(MemoryChain::new(args.count("length")? as u32)?))))
    },
};

/// Every registered environment, and those that are nothing without arguments.
pub(super) fn rows() -> Vec<EnvRow> {
    uphill_envs::rows()
        .map(|(name, summary)| {
            let (params, make) = worlds::of(name).or_else(|| minatar::of(name)).unwrap_or((&[], registered(name)));
            Row { name, summary, params, make }
        })
        .chain([worlds::GRID_WORLD, BANDIT, GAUSSIAN_BANDIT, CORRIDOR, DELAYED_REWARD, RANDOM_MDP])
        .chain([T_MAZE, MEMORY_CHAIN, REPEAT_PREVIOUS])
        .collect()
}

/// What makes a registered environment without arguments.
fn registered(name: &str) -> MakeEnv {
    MakeEnv {
        one: Some(|args| Ok(uphill_envs::make(args.row())?)),
        many: Some(|args, lanes| Ok(uphill_envs::make_vec(args.row(), lanes)?)),
        model: model(name),
        returns: if name == "CartPole-v1" { Some(|_| Ok(Some(CART_POLE))) } else { None },
        tensors: tensors(name),
    }
}

/// What makes its twin on a device, where it has one.
fn tensors(name: &str) -> Option<MakeTensors> {
    Some(match name {
        "CartPole-v1" => |_, _| Ok(Box::new(Classic::cart_pole())),
        "MountainCar-v0" => |_, _| Ok(Box::new(Classic::mountain_car())),
        "MountainCarContinuous-v0" => |_, _| Ok(Box::new(Classic::mountain_car_continuous())),
        "Acrobot-v1" => |_, _| Ok(Box::new(Classic::acrobot())),
        "Pendulum-v1" => |_, _| Ok(Box::new(Classic::pendulum())),
        _ => return None,
    })
}

/// What makes its exact model, where it has one.
fn model(name: &str) -> Option<fn(&Args) -> Result<FiniteMdp>> {
    match name {
        "Taxi-v3" | "Taxi-v4" => Some(|_| Ok(Taxi::v3().model()?)),
        "Blackjack-v1" => Some(|_| Ok(Blackjack::new().model()?)),
        _ => None,
    }
}
