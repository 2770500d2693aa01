//! Wrappers of environments as rows.

use uphill_envs::{
    ActionRepeat, ClipAction, Env, Flatten, FrameStack, OneHot, RescaleAction, RewardScale, Space, StickyActions,
    TimeAware, TimeLimit, WithoutVelocity, counted,
};

use crate::words::{Args, Kind, Param, Range, Row};
use crate::{Error, Result};

/// A named wrapper of environments: what stands after the environment and `|`, as in `Pendulum-v1 | action_repeat(4)`.
pub type WrapperRow = Row<Wrap>;

/// Puts a wrapper around an environment.
pub type Around = fn(Box<dyn Env>, &Args) -> Result<Box<dyn Env>>;

/// How a row wraps an environment.
#[derive(Debug, Clone, Copy)]
pub struct Wrap {
    /// Puts it around an environment, which is within its limit, by the row's arguments. The name in the
    /// [`Spec`](uphill_envs::Spec) stays; a threshold that is no longer one does not.
    pub around: Around,
    /// Whether both the uniformly random policy and the best one earn what they earn without it: what is known of their returns
    /// then stands.
    pub keeps_returns: bool,
}

impl Wrap {
    /// What makes a task another: what is known of returns is of the one without it.
    #[must_use]
    pub const fn new(around: Around) -> Self {
        Self { around, keeps_returns: false }
    }

    /// What only shows the same, or takes the same actions in other numbers.
    #[must_use]
    pub const fn same_task(around: Around) -> Self {
        Self { around, keeps_returns: true }
    }
}

/// The row that says the same as the setting of that name.
pub(crate) const FRAME_STACK: &str = "frame_stack";
/// The row that shows the share of the limit, and the one that sets another.
pub(crate) const TIME_AWARE: &str = "time_aware";
pub(crate) const TIME_LIMIT: &str = "time_limit";

const STEPS: (u64, u64) = (1, u32::MAX as u64);
/// Far beyond any use, so that a slip of the hand is an error and not a step that takes for ever.
const TIMES: (u64, u64) = (2, 1000);
const BOUND: Range = Range::Finite;
const PLACES: Param =
    Param { name: "places", kind: Kind::Counts(0, 1 << 24), default: "", meaning: "places of the numbers, from 0" };

/// Every wrapper.
pub(super) const ROWS: &[WrapperRow] = &[
    Row {
        name: "action_repeat",
        summary: "takes each action several times, for the sum of the rewards; the limit is so many times shorter",
        params: &[Param::count("times", TIMES, "", "how many times")],
        make: Wrap::new(|env, args| Ok(Box::new(ActionRepeat::new(env, args.count("times")? as u32)?))),
    },
    Row {
        name: "sticky_actions",
        summary: "at random takes the action before once more; that of Machado et al. 2018",
        params: &[Param::fixed("probability", Range::Decay, "0.25", "how likely that is in each step")],
        make: Wrap::new(|env, args| match args.number("probability")? {
            0.0 => Err(no_effect("leave it out")),
            probability => Ok(Box::new(StickyActions::new(env, probability)?)),
        }),
    },
    Row {
        name: TIME_LIMIT,
        summary: "cuts episodes off sooner",
        params: &[Param::count("max_episode_steps", STEPS, "", "steps of the longest episode")],
        make: Wrap::new(time_limit),
    },
    Row {
        name: TIME_AWARE,
        summary: "shows the share of the limit that has gone by, as one more number",
        params: &[],
        make: Wrap::same_task(|env, _| Ok(Box::new(TimeAware::new(env)?))),
    },
    Row {
        name: FRAME_STACK,
        summary: "shows the last observations together, boxes or images",
        params: &[Param::count("frames", (2, FrameStack::<Box<dyn Env>>::MOST as u64), "", "how many")],
        make: Wrap::same_task(|env, args| Ok(Box::new(FrameStack::new(env, args.count("frames")?)?))),
    },
    Row {
        name: "hide",
        summary: "does not show some numbers of an observation, such as velocities",
        params: &[PLACES],
        make: Wrap::new(|env, args| {
            let (id, places) = (env.spec().id.clone(), args.counts("places")?);
            if places.is_empty() {
                return Err(no_effect("name places, from 0, such as hide([1, 3])"));
            }
            Ok(Box::new(WithoutVelocity::new(&id, env, &places)?))
        }),
    },
    Row {
        name: "flatten",
        summary: "shows an image as plain numbers",
        params: &[],
        make: Wrap::same_task(|env, _| match &env.spec().observation {
            Space::Box { .. } => Err(no_effect("observations are plain numbers already; leave it out")),
            _ => Ok(Box::new(Flatten::new(env)?)),
        }),
    },
    Row {
        name: "one_hot",
        summary: "shows choices as numbers 0 and 1",
        params: &[],
        make: Wrap::same_task(|env, _| Ok(Box::new(OneHot::new(env)?))),
    },
    Row {
        name: "rescale_action",
        summary: "takes actions of a box in another unit",
        params: &[
            Param::fixed("low", BOUND, "-1", "what stands for the lower bound of each number"),
            Param::fixed("high", BOUND, "1", "what stands for the upper bound"),
        ],
        make: Wrap::same_task(|env, args| {
            let [low, high] = [args.number("low")? as f32, args.number("high")? as f32];
            let own = env.spec().action.clone();
            let env = RescaleAction::new(env, low, high)?;
            if env.spec().action == own {
                return Err(no_effect(&format!("actions go from {low} to {high} already; leave it out")));
            }
            Ok(Box::new(env))
        }),
    },
    Row {
        name: "clip_action",
        summary: "takes the nearest action of a box for one outside it, as every distribution here does by itself: for one of your own that does not",
        params: &[],
        make: Wrap::same_task(|env, _| Ok(Box::new(ClipAction::new(env)?))),
    },
    Row {
        name: "reward_scale",
        summary: "multiplies rewards and the threshold",
        params: &[Param::fixed("factor", Range::Positive, "", "by what")],
        make: Wrap::new(|env, args| match args.number("factor")? as f32 {
            1.0 => Err(no_effect("leave it out")),
            factor => Ok(Box::new(RewardScale::new(env, factor)?)),
        }),
    },
];

/// What is said of a wrapper that changes nothing, after its word.
fn no_effect(remedy: &str) -> Error {
    Error::Config(format!("it has no effect: {remedy}"))
}

fn time_limit(env: Box<dyn Env>, args: &Args) -> Result<Box<dyn Env>> {
    let limit = args.count("max_episode_steps")? as u32;
    match env.spec().max_episode_steps.filter(|own| *own <= limit) {
        Some(own) => {
            let own = counted(own, "step");
            Err(Error::Config(format!("max_episode_steps = {limit} has no effect: its episodes have {own} at most")))
        }
        None => Ok(Box::new(TimeLimit::with_limit(env, limit)?)),
    }
}
