//! What an environment has to refuse.

use super::walk::{ACTIONS, Walk, difference, said};
use super::{Finding, Found, Subject};
use crate::episodes::caught;
use crate::owned_action::OwnedAction;
use crate::{EnvError, Space};

const STEPS: u32 = 60;
const BEFORE: u32 = 3;

/// Actions outside the space and slices of a wrong length are refused, and change nothing.
pub(super) fn refuses(subject: &Subject<'_>) -> Found {
    let (mut walk, mut twin) = (Walk::new(subject.env()?, ACTIONS), Walk::new(subject.env()?, ACTIONS));
    walk.reset(Some(5))?;
    twin.reset(Some(5))?;
    // In the middle of something: what is refused may forget what came before.
    walk.go(BEFORE)?;
    twin.go(BEFORE)?;
    let d = walk.observation().len();
    for wrong in wrong_actions(&subject.spec.action) {
        let env = &mut walk.env;
        let remedy = "refuse what is no action, as Space::check does, before anything is changed";
        match caught(|| env.step(wrong.get(), &mut vec![0.0; d])) {
            Err(EnvError::Panicked { message }) => {
                return Err(Finding::breach(format!("it panicked on action {wrong}: \"{message}\""), remedy));
            }
            Err(_) => {}
            Ok(_) => return Err(Finding::breach(format!("action {wrong} is taken, and is none"), remedy)),
        }
    }
    let choice = walk.choose()?;
    for length in [d - 1, d + 1] {
        for call in ["step", "reset"] {
            let (env, mut slice) = (&mut walk.env, vec![0.0; length]);
            let what = match caught(|| match call {
                "step" => env.step(choice.get(), &mut slice).map(drop),
                _ => env.reset(None, &mut slice),
            }) {
                Err(EnvError::Length { .. }) => continue,
                Ok(()) => format!("{call} takes room for {length} numbers, an observation has {d}"),
                Err(e) => format!("{call} with room for {length} numbers, of {d}: {}", said(&e)),
            };
            let remedy = "return EnvError::Length for a slice of another length, before anything is changed";
            return Err(Finding::breach(what, remedy));
        }
    }
    // The walk has chosen once more than its twin.
    twin.choose()?;
    match difference(&walk.go(STEPS)?, &twin.go(STEPS)?) {
        None => Ok(Vec::new()),
        Some(difference) => {
            let remedy = "look at what is given before anything is changed";
            Err(Finding::breach(format!("a call that was refused has changed something: {difference}"), remedy))
        }
    }
}

/// A policy may try numbers outside a box, which are clipped or refused.
pub(super) fn outlives(subject: &Subject<'_>) -> Found {
    let Space::Box { low, high } = &subject.spec.action else { return Ok(Vec::new()) };
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(13))?;
    let far = |bounds: &[f32], by: f32| bounds.iter().map(|x| if x.is_finite() { x + by } else { by }).collect();
    for (_, by) in (0..STEPS).zip([1e3, -1e3, 1e6, -1e6].into_iter().cycle()) {
        let choice = OwnedAction::Numbers(far(if by > 0.0 { high } else { low }, by));
        match walk.take_or_refuse(&choice)? {
            None => break,
            Some((_, step)) if step.end.ended() => drop(walk.reset(None)?),
            Some(_) => {}
        }
    }
    Ok(Vec::new())
}

/// What is no action of this space.
fn wrong_actions(space: &Space) -> Vec<OwnedAction> {
    match space {
        Space::Discrete { n } => {
            let past = u32::try_from(*n).unwrap_or(u32::MAX);
            vec![OwnedAction::Index(past), OwnedAction::Index(u32::MAX), OwnedAction::Numbers(vec![0.0])]
        }
        Space::MultiDiscrete { n } => {
            let mut past = vec![0; n.len()];
            past[n.len() - 1] = u32::try_from(n[n.len() - 1]).unwrap_or(u32::MAX);
            vec![OwnedAction::Indices(past), OwnedAction::Indices(vec![0; n.len() + 1]), OwnedAction::Index(0)]
        }
        Space::MultiBinary { n } => {
            vec![OwnedAction::Indices(vec![2; *n]), OwnedAction::Indices(vec![0; n + 1]), OwnedAction::Index(0)]
        }
        Space::Box { low, .. } => {
            let n = low.len();
            vec![OwnedAction::Numbers(vec![f32::NAN; n]), OwnedAction::Numbers(vec![0.0; n + 1]), OwnedAction::Index(0)]
        }
        Space::Image { .. } => Vec::new(),
    }
}
