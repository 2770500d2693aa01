//! How episodes end, as far as it can be told from many of them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::episodes::STEPS;
use super::walk::{ACTIONS, Walk};
use super::{Finding, Found, Subject};
use crate::owned_action::OwnedAction;
use crate::{End, Space};

/// Episodes that have to be seen before anything is said of all.
const MANY: usize = 10;

/// A step, and what was observed before and after it.
struct Moment<'a> {
    choice: &'a OwnedAction,
    before: &'a [u32],
    after: &'a [u32],
    end: End,
    /// Steps of the episode, this one with them.
    steps: u32,
    /// What the next episode starts with, if this one has ended.
    next: Option<&'a [u32]>,
}

/// Everything that random actions meet in some thousand steps, which are the same each time.
fn life(subject: &Subject<'_>, mut meet: impl FnMut(Moment<'_>)) -> Result<(), Finding> {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    let mut before = walk.reset(Some(15))?.bits;
    for _ in 0..STEPS {
        let choice = walk.choose()?;
        let (seen, step) = walk.take(&choice)?;
        let steps = walk.steps;
        let next = if step.end.ended() { Some(walk.reset(None)?.bits) } else { None };
        let moment =
            Moment { choice: &choice, before: &before, after: &seen.bits, end: step.end, steps, next: next.as_deref() };
        meet(moment);
        before = next.unwrap_or(seen.bits);
    }
    Ok(())
}

/// Thousands of images would fill the memory.
fn hash(observation: &[u32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    observation.hash(&mut hasher);
    hasher.finish()
}

/// A limit of steps that calls itself an end of the task: all episodes end in the same step, and nothing observed says which
/// step it is. Where that is to be seen, the end is one that a policy can know of.
pub(super) fn by_the_clock(subject: &Subject<'_>) -> Found {
    let (mut lengths, mut terminated, mut last) = (Vec::new(), true, Vec::new());
    life(subject, |moment| {
        if moment.end.ended() {
            lengths.push(moment.steps);
            terminated &= moment.end == End::Terminated;
            last = moment.before.to_vec();
        }
    })?;
    let Some(&length) = lengths.first() else { return Ok(Vec::new()) };
    let all = terminated && lengths.len() >= MANY && lengths.iter().all(|&other| other == length);
    if !all || length == 1 || subject.spec.max_episode_steps == Some(length) {
        return Ok(Vec::new());
    }
    // By a number that is so before the last step and at no other time, or by observations that are.
    let mut tells: Vec<bool> = vec![true; last.len()];
    let (mut lasts, mut others) = (HashSet::new(), HashSet::new());
    life(subject, |moment| {
        let is_last = moment.steps == length;
        for ((tells, x), last) in tells.iter_mut().zip(moment.before).zip(&last) {
            *tells &= (x == last) == is_last;
        }
        let observations = if is_last { &mut lasts } else { &mut others };
        observations.insert(hash(moment.before));
    })?;
    let again_and_again = 2 * lasts.len() <= lengths.len();
    if tells.contains(&true) || again_and_again && lasts.is_disjoint(&others) {
        return Ok(Vec::new());
    }
    let seen = format!(
        "all {} episodes end in step {length} by Terminated, and no observation shows when that is",
        lengths.len()
    );
    let remedy = "a limit of steps is no end of the task: say it as max_episode_steps, and TimeLimit truncates; where the \
                  task ends there, show how far it is";
    Ok(vec![Finding::habit(seen, remedy)])
}

/// The last step of an episode shows what it led to: not what was there before, and not the next start.
pub(super) fn shown(subject: &Subject<'_>) -> Found {
    let (mut ends, mut as_before, mut as_next, mut always_moves) = (0, true, true, true);
    let (mut starts, mut last_choices, mut others) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut lengths, mut lasts, mut befores) = (HashSet::new(), HashSet::new(), HashSet::new());
    life(subject, |moment| match moment.end {
        End::Terminated => {
            ends += 1;
            as_before &= moment.after == moment.before;
            as_next &= Some(moment.after) == moment.next;
            starts.extend(moment.next.map(hash));
            last_choices.insert(moment.choice.to_string());
            lengths.insert(moment.steps);
            lasts.insert(hash(moment.before));
        }
        End::Truncated => {}
        End::Not => {
            always_moves &= moment.after != moment.before;
            others.insert(moment.choice.to_string());
            befores.insert(hash(moment.before));
        }
    })?;
    if ends < MANY {
        return Ok(Vec::new());
    }
    // By chance it is the next start once or twice where there are several.
    if as_next && starts.len() > 2 {
        let seen = format!("the last observation of all {ends} episodes that Terminated is the first of the next one");
        return Ok(vec![Finding::habit(seen, "show what the last step led to: reset comes after it")]);
    }
    // An action that stops everything where it is, and nothing else does, has nothing new to show.
    let stops = !matches!(subject.spec.action, Space::Box { .. }) && !last_choices.is_subset(&others);
    // Neither has a question that is answered in the last step, which is known by its time or by what is seen.
    let asks = lengths.len() == 1 || 2 * lasts.len() <= ends && lasts.is_disjoint(&befores);
    if as_before && always_moves && !others.is_empty() && !stops && !asks {
        let seen = format!("the last observation of all {ends} episodes that Terminated is the one before it");
        return Ok(vec![Finding::habit(seen, "write what the last step led to, too")]);
    }
    Ok(Vec::new())
}
