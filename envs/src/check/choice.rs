//! Actions that an environment is tried with.

use crate::owned_action::OwnedAction;
use crate::{NumpyRng, Space};

/// Where the numbers of a box without a bound are drawn from.
const FAR: f32 = 2.0;

/// How likely a number of a box is each of its bounds, on which a policy's numbers are clipped.
const AT_A_BOUND: f64 = 0.1;

/// An action of a space that has some, drawn among those that a mask allows, `[choices]`.
pub(super) fn random(space: &Space, mask: Option<&[bool]>, rng: &mut NumpyRng) -> OwnedAction {
    let mut from = 0;
    let mut index = |n: usize, rng: &mut NumpyRng| {
        let legal: Vec<usize> = match mask.and_then(|mask| mask.get(from..from + n)) {
            Some(mask) => (0..n).filter(|&a| mask[a]).collect(),
            None => (0..n).collect(),
        };
        from += n;
        let drawn = (rng.random() * legal.len() as f64) as usize;
        legal.get(drawn).map_or(0, |&a| a as u32)
    };
    match space {
        Space::MultiDiscrete { n } => OwnedAction::Indices(n.iter().map(|&n| index(n, rng)).collect()),
        Space::MultiBinary { n } => OwnedAction::Indices((0..*n).map(|_| u32::from(rng.random() < 0.5)).collect()),
        Space::Box { low, high } => {
            let number = |(&low, &high): (&f32, &f32)| {
                let (low, high) = (low.max(high.min(FAR) - 2.0 * FAR), high.min(low.max(-FAR) + 2.0 * FAR));
                let share = (rng.random() - AT_A_BOUND) / (1.0 - 2.0 * AT_A_BOUND);
                let (low, high, share) = (f64::from(low), f64::from(high), share.clamp(0.0, 1.0));
                ((1.0 - share) * low + share * high) as f32
            };
            OwnedAction::Numbers(low.iter().zip(high).map(number).collect())
        }
        Space::Discrete { n } => OwnedAction::Index(index(*n, rng)),
        Space::Image { .. } => OwnedAction::Numbers(Vec::new()),
    }
}
