//! How episodes begin, go on and end.

use super::walk::{ACTIONS, Walk};
use super::{Finding, Found, Subject};
use crate::owned_action::OwnedAction;
use crate::{End, EnvError};

/// Steps that are looked at.
pub(super) const STEPS: u32 = 3_000;

/// Seeds that are tried.
pub(super) const SEEDS: [u64; 6] = [0, 1, 2, 3, 1 << 40, u64::MAX];

pub(super) fn starts(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    for seed in SEEDS {
        walk.reset(Some(seed))?;
    }
    walk.reset(None)?;
    // One that was never seeded starts, too.
    Walk::new(subject.env()?, ACTIONS).reset(None)?;
    Ok(Vec::new())
}

pub(super) fn goes_on(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(1))?;
    walk.go(STEPS)?;
    if *walk.env.spec() != subject.spec {
        let remedy = "what an environment is does not change while it runs";
        return Err(Finding::breach(format!("its spec has changed, {}", walk.place()), remedy));
    }
    Ok(Vec::new())
}

/// Ends are final, and only a limit truncates.
pub(super) fn ends(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    let first = walk.choose()?;
    if !needs_reset(&mut walk, &first) {
        let remedy = "return EnvError::NeedsReset until the first reset";
        return Err(Finding::breach("a step before the first reset is taken", remedy));
    }
    walk.reset(Some(2))?;
    for _ in 0..STEPS {
        let (_, step) = walk.step()?;
        if step.end == End::Truncated && subject.spec.max_episode_steps != Some(walk.steps) {
            let limit = match subject.spec.max_episode_steps {
                Some(limit) => format!("max_episode_steps is {limit}"),
                None => "there is no max_episode_steps".into(),
            };
            let remedy =
                "only TimeLimit truncates, at the limit of the spec; an end that belongs to the task is Terminated";
            return Err(Finding::breach(format!("Truncated in {}, and {limit}", walk.place()), remedy));
        }
        if step.end.ended() {
            let next = walk.choose()?;
            if !needs_reset(&mut walk, &next) {
                let remedy = "return EnvError::NeedsReset until the next reset";
                return Err(Finding::breach(format!("a step after an end is taken, {}", walk.place()), remedy));
            }
            walk.reset(None)?;
        }
    }
    Ok(Vec::new())
}

/// Whether a step is refused until a reset.
pub(super) fn needs_reset(walk: &mut Walk, choice: &OwnedAction) -> bool {
    let mut observation = vec![0.0; walk.observation().len()];
    let env = &mut walk.env;
    crate::episodes::caught(|| env.step(choice.get(), &mut observation)) == Err(EnvError::NeedsReset)
}
