//! The two shapes that most recipes have.

use super::{Args, Chain, add_decayed_weights, scale_by_learning_rate};
use crate::Result;

/// Coupled decay, a direction, the learning rate: the decay goes through the direction like a gradient.
pub(super) fn coupled(a: &Args<'_>, direction: Chain) -> Result<Chain> {
    let decay = Chain::new().then(add_decayed_weights(a.schedule("weight_decay")?));
    Ok(decay.append(direction).then(scale_by_learning_rate(a.schedule("lr")?)))
}

/// A direction, decoupled decay, the learning rate: `theta ← (1 − lr·weight_decay)·theta − lr·direction`.
pub(super) fn decoupled(a: &Args<'_>, direction: Chain) -> Result<Chain> {
    let decay = add_decayed_weights(a.schedule("weight_decay")?);
    Ok(direction.then(decay).then(scale_by_learning_rate(a.schedule("lr")?)))
}
