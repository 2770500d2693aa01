//! The environments of this crate as rows.

use uphill_envs::{GridWorld, GridWorldConfig};

use super::{EnvRow, MakeEnv};
use crate::words::{Args, Row};
use crate::{Error, Result};

/// CartPole-v1: the random policy's mean over a million episodes, 22.27 ± 0.01 (standard error), in Gymnasium's own
/// numbers; the optimum is the time limit of 500 steps at a reward of 1.
const CART_POLE: (f64, f64) = (22.27, 500.0);

/// Every registered environment.
pub(super) fn rows() -> Vec<EnvRow> {
    uphill_envs::rows()
        .map(|(name, summary)| Row {
            name,
            summary,
            params: &[],
            make: MakeEnv {
                one: Some(|args| Ok(uphill_envs::make(args.row())?)),
                many: Some(|args, lanes| Ok(uphill_envs::make_vec(args.row(), lanes)?)),
                model: GridWorldConfig::registered(name).map(|_| model as fn(&Args) -> _),
                returns: (name == "CartPole-v1").then_some(CART_POLE),
            },
        })
        .collect()
}

fn model(args: &Args) -> Result<uphill_envs::FiniteMdp> {
    let name = args.row();
    let world = GridWorldConfig::registered(name).ok_or_else(|| Error::Config(format!("{name} is no grid world")))?;
    Ok(GridWorld::new(world)?.model()?)
}
