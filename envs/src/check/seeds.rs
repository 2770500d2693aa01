//! What a seed decides.

use super::episodes::SEEDS;
use super::walk::{ACTIONS, Seen, Walk, difference};
use super::{Finding, Found, Subject};

/// Steps that are compared.
const STEPS: u32 = 400;

/// The same seed gives the same episodes, of another environment and later in one's own life.
pub(super) fn repeats(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    let mut seen = vec![walk.reset(Some(1))?];
    seen.extend(walk.go(STEPS)?);
    let mut twin = Walk::new(subject.env()?, ACTIONS);
    let mut again = vec![twin.reset(Some(1))?];
    again.extend(twin.go(STEPS)?);
    if let Some(difference) = difference(&seen, &again) {
        let remedy = "draw all that is random from a generator of its own, which reset(Some(seed)) restarts";
        return Err(Finding::breach(format!("the same seed gave two stories: {difference}"), remedy));
    }
    let mut later = Walk::new(walk.env, ACTIONS);
    let mut again = vec![later.reset(Some(1))?];
    again.extend(later.go(STEPS)?);
    match difference(&seen, &again) {
        None => Ok(Vec::new()),
        Some(difference) => {
            let remedy = "reset(Some(seed)) restarts the generator and all other state";
            Err(Finding::breach(format!("what came before shows through a seeded reset: {difference}"), remedy))
        }
    }
}

/// Two environments side by side do not see each other.
pub(super) fn alone(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    let mut seen = vec![walk.reset(Some(3))?];
    seen.extend(walk.go(STEPS)?);
    let (mut walk, mut other) = (Walk::new(subject.env()?, ACTIONS), Walk::new(subject.env()?, ACTIONS + 1));
    other.reset(Some(4))?;
    let mut beside = vec![walk.reset(Some(3))?];
    for _ in 0..STEPS {
        other.go(1)?;
        beside.extend(walk.go(1)?);
    }
    match difference(&seen, &beside) {
        None => Ok(Vec::new()),
        Some(difference) => {
            let remedy = "keep all state within the environment: no static, no shared generator";
            Err(Finding::breach(format!("another one beside it changes what it does: {difference}"), remedy))
        }
    }
}

/// Where chance is at work, another seed gives another episode.
pub(super) fn differ(subject: &Subject<'_>) -> Found {
    let story = |seed| -> Result<(Walk, Vec<_>), Finding> {
        let mut walk = Walk::new(subject.env()?, ACTIONS);
        let mut seen = vec![walk.reset(seed)?];
        seen.extend(walk.go(STEPS)?);
        Ok((walk, seen))
    };
    let (walk, first) = story(Some(SEEDS[0]))?;
    for seed in &SEEDS[1..] {
        if !same(&first, &story(Some(*seed))?.1) {
            return Ok(Vec::new());
        }
    }
    let mut later = Walk::new(walk.env, ACTIONS);
    let mut next = vec![later.reset(None)?];
    next.extend(later.go(STEPS)?);
    if same(&first, &next) {
        return Ok(Vec::new());
    }
    let seen = format!("{} seeds give the same episodes, though reset(None) gives others", SEEDS.len());
    Ok(vec![Finding::habit(seen, "restart the generator from the seed that reset is given: lanes have one each")])
}

/// Whether two walks saw the same, whatever the resets before were.
fn same(first: &[Seen], second: &[Seen]) -> bool {
    first.iter().zip(second).all(|(one, other)| (&one.bits, one.step) == (&other.bits, other.step))
}

/// Where seeds give different starts, an unseeded reset gives another one each time.
pub(super) fn runs_on(subject: &Subject<'_>) -> Found {
    let mut walk = Walk::new(subject.env()?, ACTIONS);
    let starts = SEEDS.map(|seed| walk.reset(Some(seed)));
    let starts: Vec<_> = starts.into_iter().collect::<Result<_, _>>()?;
    let all_same = starts.iter().all(|start| start.bits == starts[0].bits);
    walk.reset(Some(1))?;
    let next: Vec<_> = (0..12).map(|_| walk.reset(None)).collect::<Result<_, _>>()?;
    if !all_same && next.iter().all(|start| start.bits == next[0].bits) {
        let remedy = "reset(None) lets the generator run on: every episode starts anew";
        return Err(Finding::breach(
            "reset(None) starts the same episode again and again, though seeds start others",
            remedy,
        ));
    }
    Ok(Vec::new())
}
