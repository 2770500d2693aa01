//! Whether what was saved goes on as it would have.

use super::walk::{ACTIONS, Walk, difference, said};
use super::{Finding, Found, Subject};
use crate::Env;
use crate::episodes::caught;

/// Steps between two looks, and after each.
const APART: u32 = 37;
const AFTER: u32 = 120;

pub(super) fn saves(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(7))?;
    for _ in 0..6 {
        walk.go(APART)?;
        let Some(state) = saved(&*walk.env)? else { return Ok(Vec::new()) };
        // In a fresh one, and in one that has lived.
        let mut lived = Walk::new(subject.env()?, ACTIONS + 2);
        lived.reset(Some(8))?;
        lived.go(APART)?;
        let place = walk.place();
        let others = [("a new one", subject.env()?), ("another one", lived.env)]
            .map(|(which, mut env)| restore(&mut *env, &state).map(|()| (which, walk.beside(env))));
        let others = others.into_iter().collect::<Result<Vec<_>, _>>()?;
        let seen = walk.go(AFTER)?;
        for (which, mut other) in others {
            if let Some(difference) = difference(&seen, &other.go(AFTER)?) {
                let what = format!("saved {place} and restored in {which}, it goes another way: {difference}");
                let remedy =
                    "save all that the next steps depend on, the generator's place with it, and restore all of it";
                return Err(Finding::breach(what, remedy));
            }
        }
        garbage(subject, &state)?;
    }
    Ok(Vec::new())
}

/// What it saves, if it does; appended to what is there.
fn saved(env: &dyn Env) -> Result<Option<Vec<u64>>, Finding> {
    let mut state = vec![42];
    let saved = caught(|| Ok(env.save(&mut state))).map_err(|e| {
        Finding::breach(format!("save failed: {}", said(&e)), "return false where nothing can be saved")
    })?;
    let remedy = "save appends its words to those that are there, and leaves all as it is where it returns false";
    if state.first() != Some(&42) || !saved && state.len() > 1 {
        return Err(Finding::breach("save changes what it should append to", remedy));
    }
    Ok(saved.then(|| state.split_off(1)))
}

fn restore(env: &mut dyn Env, state: &[u64]) -> Result<(), Finding> {
    caught(|| env.restore(state)).map_err(|e| {
        Finding::breach(
            format!("what was saved cannot be restored: {}", said(&e)),
            "restore takes what save of such an environment leaves",
        )
    })
}

/// Words that were never saved are an error, not a panic.
fn garbage(subject: &Subject<'_>, state: &[u64]) -> Result<(), Finding> {
    let longer: Vec<u64> = state.iter().copied().chain([1, 2, 3]).collect();
    let shorter = &state[..state.len().saturating_sub(1)];
    let ones = vec![u64::MAX; state.len()];
    for (what, words) in
        [("no word", &[][..]), ("a word too few", shorter), ("three too many", &longer), ("nothing but ones", &ones)]
    {
        let mut env = subject.env()?;
        let answer = caught(|| env.restore(words));
        let remedy = "return EnvError::Saved for words that save never leaves";
        match answer {
            Err(e @ crate::EnvError::Panicked { .. }) => {
                return Err(Finding::breach(format!("restore of {what}: {}", said(&e)), remedy));
            }
            Ok(()) if what != "nothing but ones" && words != state => {
                return Err(Finding::breach(format!("restore takes {what}"), remedy));
            }
            _ => {}
        }
    }
    Ok(())
}
