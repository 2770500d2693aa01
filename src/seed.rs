//! One seed, many independent streams of random numbers.

use rand::SeedableRng;

/// The generator of every stream: xoshiro256++, Blackman and Vigna 2021, <https://prng.di.unimi.it>.
pub type Rng = rand::rngs::Xoshiro256PlusPlus;

/// A run's seed, from which each use of randomness draws a stream of its own by name.
///
/// Streams do not depend on each other: drawing more from one, or adding another, changes none of the rest.
///
/// ```
/// use rand::Rng as _;
/// let seed = uphill::Seed(1);
/// assert_eq!(seed.stream("init", 0).next_u64(), seed.stream("init", 0).next_u64());
/// assert_ne!(seed.stream("init", 0).next_u64(), seed.stream("shuffle", 0).next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The generator of a stream; `index` numbers streams of one name, such as lanes.
    #[must_use]
    pub fn stream(self, name: &str, index: u64) -> Rng {
        Rng::seed_from_u64(self.derive(name, index))
    }

    /// The seed of a stream, for what takes a seed rather than a generator (environments).
    #[must_use]
    pub fn derive(self, name: &str, index: u64) -> u64 {
        let absorbed = name.bytes().fold(splitmix64(self.0), |state, byte| splitmix64(state ^ u64::from(byte)));
        splitmix64(absorbed ^ index)
    }
}

/// The output function of SplitMix64: every bit of the result depends on every bit of the argument.
/// Steele et al. 2014, <https://doi.org/10.1145/2714064.2660195>.
fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::Rng as _;

    use super::{Seed, splitmix64};

    #[test]
    fn splitmix64_is_the_published_one() {
        // The first output of SplitMix64 seeded with 1234567, as published with its reference code.
        assert_eq!(splitmix64(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn streams_are_distinct() {
        let mut seen = HashSet::new();
        for seed in 0..20 {
            for name in ["init", "lane", "policy", "shuffle", "a", "b", "ab"] {
                for index in 0..20 {
                    assert!(seen.insert(Seed(seed).derive(name, index)), "{seed} {name} {index} repeats a stream");
                }
            }
        }
    }

    #[test]
    fn values_are_stable() {
        let mut rng = Seed(1).stream("init", 0);
        let values = [rng.next_u64(), rng.next_u64()];
        let stable = [13_661_060_459_226_593_516, 11_570_621_263_156_523_899];
        assert_eq!(values, stable, "a change here changes every published run");
    }
}
