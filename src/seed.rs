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

    /// A seed whose streams are a stream's own: those of an update among those of a run.
    #[must_use]
    pub(crate) fn within(self, name: &str, index: u64) -> Self {
        Self(self.derive(name, index))
    }

    /// The seed of a stream, for what takes a seed rather than a generator (environments).
    #[must_use]
    pub fn derive(self, name: &str, index: u64) -> u64 {
        let absorbed = name.bytes().fold(splitmix64(self.0), |state, byte| splitmix64(state ^ u64::from(byte)));
        splitmix64(absorbed ^ index)
    }
}

/// The four words of a generator's state.
pub(crate) fn words(rng: &Rng) -> [u64; 4] {
    // Only serde sees the state.
    let state = serde_json::to_value(rng).unwrap_or_default();
    std::array::from_fn(|i| state["s"][i].as_u64().unwrap_or_default())
}

/// The generator of that state; `None` for zeros, which no generator has.
pub(crate) fn from_words(words: [u64; 4]) -> Option<Rng> {
    let mut seed = [0; 32];
    seed.as_chunks_mut()
        .0
        .iter_mut()
        .zip(words)
        .for_each(|(bytes, word): (&mut [u8; 8], u64)| *bytes = word.to_le_bytes());
    (words != [0; 4]).then(|| Rng::from_seed(seed))
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

    use super::{Seed, from_words, splitmix64, words};

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
    fn a_generator_goes_on_from_its_words() {
        let mut rng = Seed(3).stream("policy", 5);
        rng.next_u64();
        let mut again = from_words(words(&rng)).expect("a state");
        assert_eq!(again, rng);
        assert_eq!(again.next_u64(), rng.next_u64());
        assert_eq!(from_words([0; 4]), None);
    }

    #[test]
    fn values_are_stable() {
        let mut rng = Seed(1).stream("init", 0);
        let values = [rng.next_u64(), rng.next_u64()];
        let stable = [13_661_060_459_226_593_516, 11_570_621_263_156_523_899];
        assert_eq!(values, stable, "a change here changes every published run");
    }
}
