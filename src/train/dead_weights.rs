//! Networks through which nothing comes.

use crate::init::Initialiser;
use crate::{Block, Config, Params, Result};

/// What is said of a network through which nothing comes and no gradient goes back: of two layers without a weight, one after the
/// other.
pub(super) fn note(config: &Config, params: &Params) -> Result<Option<String>> {
    if config.init != Initialiser::Sparse {
        return Ok(None);
    }
    let theta = params.snapshot()?;
    let is_zero = |block: &&Block| block.shape.len() > 1 && theta[block.range()].iter().all(|&w| w == 0.0);
    let zeros: Vec<&Block> = params.layout().blocks().iter().filter(is_zero).collect();
    let part = |block: &Block| block.name.split('.').next().unwrap_or_default().to_string();
    let is_before = |one: &Block, other: &Block| [part(other), "trunk".into()].contains(&part(one));
    let second = zeros.iter().enumerate().find(|(i, block)| zeros[..*i].iter().any(|one| is_before(one, block)));
    Ok(second.map(|(_, block)| {
        format!(
            "init = sparse leaves no weight to outputs of fewer than 10 inputs: all of `{}` and of a layer before it are 0, and little \
             but biases will learn; give hidden layers 10 units or more, or set init = orthogonal",
            block.name
        )
    }))
}
