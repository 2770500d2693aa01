//! Which actions are legal.

use super::walk::{ACTIONS, Walk};
use super::{Finding, Found, Subject};
use crate::Space;

const STEPS: u32 = 1_000;

/// Legal actions are told in every state or in none, and at least one is.
pub(super) fn allows(subject: &Subject<'_>) -> Found {
    let space = &subject.spec.action;
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(6))?;
    let first = told(space, &walk)?;
    for _ in 0..STEPS {
        let (_, step) = walk.step()?;
        if step.end.ended() {
            walk.reset(None)?;
        }
        if told(space, &walk)? != first {
            let what = format!(
                "legal actions are {} at first, and not {}",
                if first { "told" } else { "not told" },
                walk.place()
            );
            return Err(Finding::breach(what, "an environment tells them in every state or in none"));
        }
    }
    Ok(Vec::new())
}

fn told(space: &Space, walk: &Walk) -> Result<bool, Finding> {
    // An entry that is not written shows what stood there before.
    let [mut mask, mut again] = [false, true].map(|before| vec![before; space.choices()]);
    let told = walk.tells(&mut mask)? & walk.tells(&mut again)?;
    if told && mask.is_empty() {
        let what = format!("legal actions are told of {} actions", space.kind());
        return Err(Finding::breach(what, "only choices are legal or not: return false"));
    }
    if told && let Some(k) = mask.iter().zip(&again).position(|(one, other)| one != other) {
        let (one, other) = (mask[k], again[k]);
        let what =
            format!("mask[{k}] is {one} where it was false before, and {other} where it was true, {}", walk.place());
        return Err(Finding::breach(what, "action_mask writes Space::choices entries, the same whenever it is asked"));
    }
    if told && let Err(e) = space.check_mask(&mask) {
        return Err(Finding::breach(
            format!("{e}, {}", walk.place()),
            "a state in which nothing can be done ends the episode",
        ));
    }
    Ok(told)
}
