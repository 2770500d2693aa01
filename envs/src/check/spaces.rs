//! What an environment says that it is.

use super::{Finding, Found, Subject};
use crate::{Space, Spec};

pub(super) fn name(subject: &Subject<'_>) -> Found {
    let remedy = "it stands in a line and in a folder's name";
    Spec::check_id(&subject.spec.id).map_err(|e| Finding::breach(e.to_string(), remedy))?;
    if subject.spec.max_episode_steps == Some(0) {
        return Err(Finding::breach("max_episode_steps is 0", "an episode takes at least 1 step; None is no limit"));
    }
    match subject.spec.reward_threshold {
        Some(threshold) if !threshold.is_finite() => {
            Err(Finding::breach(format!("reward_threshold is {threshold}"), "None is no threshold"))
        }
        _ => Ok(Vec::new()),
    }
}

pub(super) fn actions(subject: &Subject<'_>) -> Found {
    let action = &subject.spec.action;
    let wrong = |e: crate::EnvError| Finding::breach(e.to_string(), "a policy needs something to choose from");
    action.check_actions().map_err(wrong)?;
    bounds("action", action)
}

pub(super) fn observations(subject: &Subject<'_>) -> Found {
    let observation = &subject.spec.observation;
    if observation.flat_len() == 0 {
        return Err(Finding::breach(
            "an observation has no number",
            "it has at least one; 0 where there is nothing to see",
        ));
    }
    observation.check_observations().map_err(|e| Finding::breach(e.to_string(), "say what is in the image"))?;
    bounds("observation", observation)
}

/// Refuses a box without a point.
fn bounds(what: &str, space: &Space) -> Found {
    let Space::Box { low, high } = space else { return Ok(Vec::new()) };
    if low.len() != high.len() {
        let seen = format!("the {what} space has {} lower bounds and {} upper ones", low.len(), high.len());
        return Err(Finding::breach(seen, "each dimension has one of each"));
    }
    match low.iter().zip(high).enumerate().find(|(_, (low, high))| low > high || low.is_nan() || high.is_nan()) {
        None => Ok(Vec::new()),
        Some((k, (low, high))) => {
            let seen = format!("{what}[{k}] goes from {low} to {high}");
            Err(Finding::breach(
                seen,
                "the lower bound comes first, and no bound is NaN; without a bound it is infinite",
            ))
        }
    }
}

/// All of it, of a vector's lanes.
pub(super) fn look(spec: &Spec) -> Result<(), Finding> {
    let subject = Subject { make: &|| Err(crate::EnvError::NeedsReset), spec: spec.clone() };
    [name, actions, observations].into_iter().try_for_each(|rule| rule(&subject).map(drop))
}

/// What is made twice is of one kind.
pub(super) fn numbers(subject: &Subject<'_>) -> Found {
    if *subject.env()?.spec() == subject.spec {
        return Ok(Vec::new());
    }
    let remedy = "environments that are made alike have the same name, spaces and limits: lanes stand side by side";
    Err(Finding::breach("two of them, made alike, have different specs", remedy))
}
