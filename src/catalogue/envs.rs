//! The environments of this crate as rows.

use uphill_envs::{Bandit, Blackjack, FiniteMdp, MemoryChain, TMaze, Taxi, TimeLimit};

use super::{EnvRow, MakeEnv, worlds};
use crate::Result;
use crate::words::{Args, Param, Row};

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
        returns: Some((0.0, 1.0)),
        ..MakeEnv::one(|args| Ok(Box::new(MemoryChain::new(args.count("length")? as u32)?)))
    },
};

/// Every registered environment, and those that are nothing without arguments.
pub(super) fn rows() -> Vec<EnvRow> {
    uphill_envs::rows()
        .map(|(name, summary)| {
            let (params, make) = worlds::of(name).unwrap_or((&[], registered(name)));
            Row { name, summary, params, make }
        })
        .chain([worlds::GRID_WORLD, BANDIT, T_MAZE, MEMORY_CHAIN])
        .collect()
}

/// What makes a registered environment without arguments.
fn registered(name: &str) -> MakeEnv {
    MakeEnv {
        one: Some(|args| Ok(uphill_envs::make(args.row())?)),
        many: Some(|args, lanes| Ok(uphill_envs::make_vec(args.row(), lanes)?)),
        model: model(name),
        returns: (name == "CartPole-v1").then_some(CART_POLE),
    }
}

/// What makes its exact model, where it has one.
fn model(name: &str) -> Option<fn(&Args) -> Result<FiniteMdp>> {
    match name {
        "Taxi-v3" | "Taxi-v4" => Some(|_| Ok(Taxi::v3().model()?)),
        "Blackjack-v1" => Some(|_| Ok(Blackjack::new().model()?)),
        _ => None,
    }
}
