//! MinAtar's games as rows.

use uphill_envs::{Asterix, Breakout, Env, Freeway, Lanes, MinAtar, MinAtarConfig, Seaquest, SpaceInvaders, TimeLimit};

use super::MakeEnv;
use crate::Result;
use crate::words::{Args, Param, Range};

const STICKY: Param = Param::fixed(
    "sticky_action_prob",
    Range::Share,
    "0.1",
    "probability that a step repeats the action of the one before",
);
const LIMIT: Param =
    Param::limit("max_episode_steps", u32::MAX as u64, "inf", "steps after which an episode is truncated; inf never");
const RAMPING: Param = Param::flag("ramping", "true", "whether the game gets harder with time");

const STEADY: &[Param] = &[STICKY, LIMIT];
const RAMPED: &[Param] = &[STICKY, RAMPING, LIMIT];

/// What makes a game.
macro_rules! game {
    ($game:ty, $options:expr) => {
        MakeEnv {
            many: Some(|args, lanes| {
                Ok(Box::new(Lanes::new(vec![TimeLimit::new(MinAtar::<$game>::new($options(args)?)?); lanes])?))
            }),
            ..MakeEnv::one(|args| {
                let env: Box<dyn Env> = Box::new(TimeLimit::new(MinAtar::<$game>::new($options(args)?)?));
                Ok(env)
            })
        }
    };
}

/// The arguments of a game, and what makes it of them.
pub(super) fn of(name: &str) -> Option<(&'static [Param], MakeEnv)> {
    Some(match name {
        "MinAtar/Asterix-v0" | "MinAtar/Asterix-v1" => (RAMPED, game!(Asterix, ramped)),
        "MinAtar/Breakout-v0" | "MinAtar/Breakout-v1" => (STEADY, game!(Breakout, steady)),
        "MinAtar/Freeway-v0" | "MinAtar/Freeway-v1" => (STEADY, game!(Freeway, steady)),
        "MinAtar/Seaquest-v0" | "MinAtar/Seaquest-v1" => (RAMPED, game!(Seaquest, ramped)),
        "MinAtar/SpaceInvaders-v0" | "MinAtar/SpaceInvaders-v1" => (RAMPED, game!(SpaceInvaders, ramped)),
        _ => return None,
    })
}

fn ramped(args: &Args) -> Result<MinAtarConfig> {
    Ok(MinAtarConfig { ramping: args.flag("ramping")?, ..steady(args)? })
}

fn steady(args: &Args) -> Result<MinAtarConfig> {
    let limit = args.limit("max_episode_steps")?.and_then(|limit| u32::try_from(limit).ok());
    let sticky_action_prob = args.number("sticky_action_prob")?;
    let all_actions = args.row().ends_with("-v0");
    Ok(MinAtarConfig { sticky_action_prob, all_actions, max_episode_steps: limit, ..MinAtarConfig::default() })
}
