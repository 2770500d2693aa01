//! What is allowed, and seldom meant.

use super::episodes::STEPS;
use super::walk::{ACTIONS, Walk, difference};
use super::{Finding, Found, Subject};
use crate::episodes::caught;
use crate::{EnvError, Space, Step};

/// The longest that an episode is waited for.
const LONG: u32 = 20_000;

pub(super) fn actions(subject: &Subject<'_>) -> Found {
    let nothing = "there is nothing to choose: leave it out";
    let (low, high) = match &subject.spec.action {
        Space::Discrete { n: 1 } => {
            let remedy = "a policy has nothing to learn: give it something to choose from";
            return Ok(vec![Finding::habit("there is one action only", remedy)]);
        }
        Space::MultiDiscrete { n } => {
            let ones = n.iter().enumerate().filter(|&(_, &n)| n == 1);
            return Ok(ones
                .map(|(k, _)| Finding::habit(format!("action[{k}] has one choice only"), nothing))
                .collect());
        }
        Space::Box { low, high } => (low, high),
        _ => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for (k, (&low, &high)) in low.iter().zip(high).enumerate() {
        let seen = format!("action[{k}] goes from {low} to {high}");
        if low == high {
            found.push(Finding::habit(seen, nothing));
        } else if !(low.is_finite() && high.is_finite()) {
            found.push(Finding::habit(seen, "give it bounds: a policy does not know how far to try"));
        } else if !is_within_reach(low, high) {
            let remedy = "a new policy tries about 1 to either side of 0, clipped to these bounds: take actions from -1 to 1 \
                          and scale them within, or wrap it in RescaleAction";
            found.push(Finding::habit(seen, remedy));
        }
    }
    Ok(found)
}

/// Whether actions about 0 meet most of what there is between these bounds: neither so much nor so little that a deviation of 1
/// is lost in it, and 0 in its middle half.
fn is_within_reach(low: f32, high: f32) -> bool {
    let width = high - low;
    (0.1..=20.0).contains(&width) && low + width / 4.0 <= 0.0 && 0.0 <= high - width / 4.0
}

/// Everything that random actions meet in some thousand steps.
fn life(subject: &Subject<'_>, mut meet: impl FnMut(&Walk, Option<Step>)) -> Result<(), Finding> {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(9))?;
    meet(&walk, None);
    for _ in 0..STEPS {
        let (_, step) = walk.step()?;
        meet(&walk, Some(step));
        if step.end.ended() {
            walk.reset(None)?;
            meet(&walk, None);
        }
    }
    Ok(())
}

pub(super) fn observations(subject: &Subject<'_>) -> Found {
    let (mut first, mut changes, mut largest, mut bytes) = (None, false, 0.0f32, true);
    life(subject, |walk, _| {
        let observation = walk.observation();
        changes |= first.get_or_insert_with(|| observation.to_vec()) != observation;
        largest = observation.iter().fold(largest, |most, x| most.max(x.abs()));
        bytes &= observation.iter().all(|&x| x.fract() == 0.0 && (0.0..=255.0).contains(&x));
    })?;
    let (mut found, space) = (Vec::new(), &subject.spec.observation);
    if !changes && subject.spec.observation_len() > 1 {
        let seen = format!("the observation is the same in {STEPS} steps");
        found.push(Finding::habit(seen, "show what the choice of an action depends on"));
    }
    if let Space::Box { low, high } = space
        && let Some((k, x)) = low.iter().zip(high).position(|(low, high)| low == high).map(|k| (k, low[k]))
    {
        let seen = format!("observation[{k}] goes from {x} to {x}");
        found.push(Finding::habit(
            seen,
            "there is nothing to see in it: leave it out, or give it the bounds that it has",
        ));
    }
    let is_box = matches!(space, Space::Box { .. });
    if is_box && bytes && largest > 1.0 && space.flat_len() >= 108 {
        let seen = format!("all {} numbers of an observation are whole, 0 to 255", space.flat_len());
        found.push(Finding::habit(seen, "if it is an image, say so by Space::Image: it is kept in bytes, and scaled"));
    } else if is_box && largest > 100.0 {
        let seen = format!("observations hold numbers as large as {largest}");
        found.push(Finding::habit(seen, "scale them to about 1, or train with normalize_observation = true"));
    }
    Ok(found)
}

pub(super) fn rewards(subject: &Subject<'_>) -> Found {
    let (mut largest, mut any) = (0.0f32, false);
    life(subject, |_, step| {
        let reward = step.map_or(0.0, |step| step.reward);
        largest = largest.max(reward.abs());
        any |= reward != 0.0;
    })?;
    let mut found = Vec::new();
    if !any {
        let seen = format!("no reward but 0 in {STEPS} steps of random actions");
        found.push(Finding::habit(seen, "a policy learns from what it meets by chance: reward steps on the way, too"));
    } else if largest > 100.0 {
        let seen = format!("rewards are as large as {largest}");
        found.push(Finding::habit(seen, "scale them to about 1, or train with normalize_reward = true"));
    }
    Ok(found)
}

pub(super) fn ends(subject: &Subject<'_>) -> Found {
    if subject.spec.max_episode_steps.is_some() {
        return Ok(Vec::new());
    }
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(10))?;
    for _ in 0..LONG {
        if walk.step()?.1.end.ended() {
            return Ok(Vec::new());
        }
    }
    let seen = format!("there is no limit, and an episode has not ended in {LONG} steps of random actions");
    Ok(vec![Finding::habit(seen, "set max_episode_steps in the spec and wrap it in TimeLimit")])
}

pub(super) fn saves(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    walk.reset(Some(11))?;
    if walk.env.save(&mut Vec::new()) {
        return Ok(Vec::new());
    }
    let remedy = "write save and restore: a run that goes on after a break then has the same bits, and no new episodes";
    Ok(vec![Finding::habit("it cannot be saved", remedy)])
}

/// Pictures are of finite shapes, and whoever looks changes nothing.
pub(super) fn draws(subject: &Subject<'_>) -> Found {
    let (mut walk, mut unseen) = (Walk::new(subject.env()?, ACTIONS), Walk::new(subject.env()?, ACTIONS));
    let remedy = "draw gives a picture of a positive size and finite shapes in any state, or None";
    if caught(|| walk.env.prepare_picture()).is_err() {
        return Ok(Vec::new());
    }
    for look in 0..50 {
        let [seen, alone] = [&mut walk, &mut unseen].map(|walk| match look {
            0 => Ok(Vec::new()),
            1 => Ok(vec![walk.reset(Some(12))?]),
            _ => walk.go(1),
        });
        if let Some(difference) = difference(&seen?, &alone?) {
            let remedy = "draw shows the state, and leaves it and the generator as they are";
            return Err(Finding::breach(format!("it has changed by being drawn: {difference}"), remedy));
        }
        let drawing = caught(|| match (look, walk.env.draw()) {
            (1.., None) => walk.env.picture().map(Some),
            (_, drawing) => Ok(drawing),
        });
        let wrong = match drawing {
            // What is painted outside may need a start.
            Ok(None) => continue,
            Err(EnvError::NoPicture { .. }) => return Ok(Vec::new()),
            Ok(Some(drawing)) if drawing.is_finite() => continue,
            Ok(Some(_)) => "the picture has no size, or a shape that is nowhere".to_string(),
            Err(e) => format!("draw failed: {}", super::walk::said(&e)),
        };
        return Err(Finding::breach(format!("{wrong}, {}", walk.place()), remedy));
    }
    Ok(Vec::new())
}
