//! Where the next trial is drawn.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tpe::density_estimation::DefaultEstimatorBuilder;

use super::space::Space;
use crate::{Error, Result, Seed};

/// How trials are drawn from the ranges. Which they are depends on the seed of the search alone, and by `tpe` on what came of
/// the rounds before: never on which run ended first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Each by itself. Bergstra and Bengio 2012, <https://jmlr.org/papers/v13/bergstra12a.html>.
    Random,
    /// Spread evenly: the Sobol sequence, with Owen's scrambling by Burley 2020, <https://jcgt.org/published/0009/04/01/>.
    Sobol,
    /// Near those that were good: tree-structured Parzen estimators, each hyper-parameter by itself, after a first
    /// [round](Sampler::round) by Sobol. Bergstra et al. 2011, <https://papers.nips.cc/paper/4443>.
    Tpe,
}

/// A trial's place, each coordinate in `[0, 1)`, and its score, if it has one.
pub(super) type Told<'a> = (&'a [f64], Option<f64>);

impl Sampler {
    /// Trials that the Parzen estimators begin from.
    pub const FIRST: usize = 8;
    /// Trials of each round after that: they are drawn together, and run side by side.
    pub const ROUND: usize = 4;
    /// The most trials, and the most ranges: those of the Sobol sequence.
    pub const MOST: (usize, usize) = (1 << 16, 256);

    /// How many trials are drawn together after so many, of so many.
    #[must_use]
    pub fn round(self, before: usize, trials: usize) -> usize {
        let left = trials.saturating_sub(before);
        match self {
            Sampler::Random | Sampler::Sobol => left,
            Sampler::Tpe if before == 0 => left.min(Self::FIRST),
            Sampler::Tpe => left.min(Self::ROUND),
        }
    }

    /// The place of trial `i`, from 0, where `told` is known of those before its round.
    pub(super) fn place(self, seed: u64, i: usize, spaces: &[(String, Space)], told: &[Told<'_>]) -> Result<Vec<f64>> {
        let named = |(name, _): &(String, Space)| Seed(seed).stream(name, i as u64).random::<f64>();
        match self {
            Sampler::Random => Ok(spaces.iter().map(named).collect()),
            Sampler::Sobol => Ok(sobol(seed, i, spaces.len())),
            Sampler::Tpe if told.is_empty() => Ok(sobol(seed, i, spaces.len())),
            Sampler::Tpe => {
                let each = spaces.iter().enumerate();
                each.map(|(k, (name, space))| parzen(Seed(seed).stream(name, i as u64), space, k, told)).collect()
            }
        }
    }
}

/// Point `i` of the scrambled Sobol sequence in so many dimensions.
fn sobol(seed: u64, i: usize, dimensions: usize) -> Vec<f64> {
    // Of as many bits as the sequence takes, which no other stream has.
    let seed = (Seed(seed).derive("sobol", 0) >> 32) as u32;
    (0..dimensions as u32).map(|dimension| f64::from(sobol_burley::sample(i as u32, dimension, seed))).collect()
}

/// A coordinate where good trials were more often than others.
fn parzen(mut rng: crate::Rng, space: &Space, k: usize, told: &[Told<'_>]) -> Result<f64> {
    let failed = |e: &dyn std::fmt::Display| Error::Config(format!("sampler = tpe: {e}"));
    // A choice is its number there, and here the middle of its share.
    let (count, estimator): (f64, DefaultEstimatorBuilder) = match space.choices() {
        Some(count) => (count as f64, tpe::histogram_estimator()),
        None => (1.0, tpe::parzen_estimator()),
    };
    let mut optimizer = tpe::TpeOptimizer::new(estimator, tpe::range(0.0, count).map_err(|e| failed(&e))?);
    for (place, score) in told {
        let at = place[k] * count;
        let at = if space.choices().is_some() { at.floor() } else { at };
        // It seeks the least.
        optimizer.tell(at, score.map_or(f64::INFINITY, |score| -score)).map_err(|e| failed(&e))?;
    }
    let at = optimizer.ask(&mut rng).map_err(|e| failed(&e))?;
    let at = if space.choices().is_some() { at + 0.5 } else { at };
    Ok((at / count).clamp(0.0, 1.0 - f64::EPSILON))
}

#[cfg(test)]
mod tests;
