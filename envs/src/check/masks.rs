//! Which actions are legal.

use super::walk::{ACTIONS, Walk};
use super::{Finding, Found, Subject};
use crate::Space;
use crate::episodes::caught;

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
    let mut mask = vec![false; space.choices()];
    let told = caught(|| Ok(walk.env.action_mask(&mut mask))).map_err(|e| {
        Finding::breach(
            format!("action_mask failed, {}: {}", walk.place(), super::walk::said(&e)),
            "it writes Space::choices entries",
        )
    })?;
    if told && mask.is_empty() {
        let what = format!("legal actions are told of {} actions", space.kind());
        return Err(Finding::breach(what, "only choices are legal or not: return false"));
    }
    if told && let Err(e) = space.check_mask(&mask) {
        return Err(Finding::breach(
            format!("{e}, {}", walk.place()),
            "a state in which nothing can be done ends the episode",
        ));
    }
    Ok(told)
}
