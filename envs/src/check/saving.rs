//! Whether what was saved goes on as it would have.

use super::walk::{ACTIONS, Walk, difference, said};
use super::{Finding, Found, Subject, episodes};
use crate::episodes::caught;
use crate::{End, Env};

/// Steps between two looks, and after each.
const APART: u32 = 37;
const AFTER: u32 = 120;

const ALL: &str = "save all that the next steps depend on, whether the episode is over and the generator's place with it, \
                   and restore all of it";

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
            // It went on before it was saved: what fails now is what is lost.
            let lost = match other.go(AFTER) {
                Ok(again) => difference(&seen, &again).map(|difference| format!("it goes another way: {difference}")),
                Err(failed) => Some(format!("it does not go on: {}", failed.what)),
            };
            if let Some(lost) = lost {
                return Err(Finding::breach(format!("saved {place} and restored in {which}, {lost}"), ALL));
            }
        }
        garbage(subject, &state)?;
    }
    remembers_ends(subject)
}

/// What was saved after an end is over when it is restored.
fn remembers_ends(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(14))?;
    for _ in 0..episodes::STEPS {
        let choice = walk.choose()?;
        let (_, step) = walk.take(&choice)?;
        if !step.end.ended() {
            continue;
        }
        let Some(state) = saved(&*walk.env)? else { break };
        let mut env = subject.env()?;
        restore(&mut *env, &state)?;
        let taken = !episodes::needs_reset(&mut walk.beside(env), &choice);
        // One that goes on after an end does so without being saved, too.
        if taken && episodes::needs_reset(&mut walk, &choice) {
            let what = format!("saved after an end, {}, and restored in a new one, a step is taken", walk.place());
            return Err(Finding::breach(what, ALL));
        }
        // TimeLimit knows of truncated episodes by itself.
        if step.end == End::Terminated {
            break;
        }
        walk.reset(None)?;
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
