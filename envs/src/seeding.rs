//! numpy's generator, so that a seed means here what it means to Gymnasium.

use rand_pcg::{Lcg128Xsl64, rand_core::Rng};

/// `numpy.random.Generator(PCG64(SeedSequence(seed)))`, bit for bit, as far as environments need it.
///
/// Gymnasium gives every environment one of these (`env.np_random`) and lets it run on through unseeded resets.
/// Where Gymnasium would take a seed from the operating system, an unseeded generator here is that of seed 0:
/// nothing in a run comes from the clock or from the machine.
///
/// PCG64 is O'Neill's PCG XSL RR 128/64, <https://www.pcg-random.org/paper.html>; the way from a seed to its state is
/// <https://numpy.org/doc/stable/reference/random/bit_generators/generated/numpy.random.SeedSequence.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumpyRng {
    generator: Lcg128Xsl64,
    /// The seed it was made from and how many numbers it has given since: together its place, in three words.
    seed: u128,
    drawn: u64,
}

impl Default for NumpyRng {
    /// The generator of seed 0.
    fn default() -> Self {
        Self::new(0)
    }
}

impl NumpyRng {
    /// `numpy.random.default_rng(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::wide(seed.into())
    }

    /// The same of a seed past 64 bits, as `seed + i` of a vector's lane may be: numpy's seeds have no end.
    #[must_use]
    pub fn wide(seed: u128) -> Self {
        let [state_high, state_low, stream_high, stream_low] = seed_sequence(seed);
        let join = |high, low| u128::from(high) << 64 | u128::from(low);
        let generator = Lcg128Xsl64::new(join(state_high, state_low), join(stream_high, stream_low));
        Self { generator, seed, drawn: 0 }
    }

    /// The generator's place: its seed and how many numbers it has given.
    #[must_use]
    pub fn place(&self) -> [u64; 3] {
        [self.seed as u64, (self.seed >> 64) as u64, self.drawn]
    }

    /// The generator at a [`place`](Self::place), in a time that hardly depends on how far it is.
    #[must_use]
    pub fn at([low, high, drawn]: [u64; 3]) -> Self {
        let mut rng = Self::wide(u128::from(high) << 64 | u128::from(low));
        rng.generator.advance(u128::from(drawn));
        Self { drawn, ..rng }
    }

    /// Restarts from this seed, or runs on without one: what Gymnasium's `reset(seed=...)` does to its generator.
    pub fn restart(&mut self, seed: Option<u64>) {
        if let Some(seed) = seed {
            *self = Self::new(seed);
        }
    }

    /// The next 64 random bits, as `bit_generator.random_raw()`.
    pub fn next_u64(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        self.generator.next_u64()
    }

    /// A number uniform in `[0, 1)` with 53 random bits, as `Generator.random()`.
    pub fn random(&mut self) -> f64 {
        const ULP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * ULP
    }

    /// A number uniform in `[low, high)`, as `Generator.uniform(low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random()
    }

    /// An index drawn with these probabilities, as `categorical_sample` of Gymnasium's toy-text environments.
    ///
    /// The first index whose cumulative probability exceeds one [`random`](Self::random) number. Where rounding leaves the
    /// sum below that number it is index 0, as numpy's `argmax` has it.
    ///
    /// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/utils.py>
    pub fn categorical(&mut self, probabilities: impl IntoIterator<Item = f64>) -> usize {
        let random = self.random();
        let mut cumulative = 0.0;
        let exceeds = |p: f64| {
            cumulative += p;
            cumulative > random
        };
        probabilities.into_iter().position(exceeds).unwrap_or(0)
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
///
/// O'Neill's `seed_seq_fe`, <https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html>, with a pool of
/// four 32-bit words. numpy splits the seed into as many such words as it needs, low word first, and fills the pool with
/// zeros, so the four words of a small seed hash as its one would.
fn seed_sequence(seed: u128) -> [u64; 4] {
    const INIT_A: u32 = 0x43b0_d7e5;
    const MULT_A: u32 = 0x931e_8875;
    const INIT_B: u32 = 0x8b51_f9dd;
    const MULT_B: u32 = 0x58f3_8ded;
    const MIX_LEFT: u32 = 0xca01_f9dd;
    const MIX_RIGHT: u32 = 0x4973_f715;

    fn hash(word: u32, constant: &mut u32, multiplier: u32) -> u32 {
        let word = word ^ *constant;
        *constant = constant.wrapping_mul(multiplier);
        let word = word.wrapping_mul(*constant);
        word ^ word >> 16
    }
    fn mix(x: u32, y: u32) -> u32 {
        let mixed = MIX_LEFT.wrapping_mul(x).wrapping_sub(MIX_RIGHT.wrapping_mul(y));
        mixed ^ mixed >> 16
    }

    let mut constant = INIT_A;
    let mut pool = [0, 32, 64, 96].map(|bits| hash((seed >> bits) as u32, &mut constant, MULT_A));
    for source in 0..4 {
        for target in (0..4).filter(|&target| target != source) {
            pool[target] = mix(pool[target], hash(pool[source], &mut constant, MULT_A));
        }
    }

    let mut constant = INIT_B;
    let mut words = pool.into_iter().cycle().map(|word| u64::from(hash(word, &mut constant, MULT_B)));
    // The pool repeats for ever, so no word is ever missing.
    let mut word = || words.next().unwrap_or_default();
    std::array::from_fn(|_| word() | word() << 32)
}
