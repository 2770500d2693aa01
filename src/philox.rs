//! A generator that is a function of a counter: the same numbers on the host and as tensor operations, in any order.

use candle_core::{DType, Device, Tensor};

use crate::{Error, Result, Seed};

/// Rounds of the recommended generator.
const ROUNDS: u32 = 10;
/// What the first and the third word of a counter are multiplied by.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the words of the key grow by from round to round: the golden ratio, and √3 − 1.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
/// Blocks that are drawn together on a device.
const TOGETHER: usize = 1 << 20;

/// Philox4x32-10: a key and a counter of 128 bits make four words of 32, each counter others.
///
/// ```text
///   (L₀, R₀, L₁, R₁) → (hi(M₁·L₁) ⊕ R₀ ⊕ k₀,  lo(M₁·L₁),  hi(M₀·L₀) ⊕ R₁ ⊕ k₁,  lo(M₀·L₀))     ten times
/// ```
///
/// It has no state: what a lane draws at a step does not depend on how many others there are, or on what was drawn before.
///
/// Salmon et al. 2011, section 3.3, <https://doi.org/10.1145/2063384.2063405>.
///
/// ```
/// use uphill::philox::Philox;
///
/// assert_eq!(Philox { key: [0, 0] }.block([0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    /// The key.
    pub key: [u32; 2],
}

impl From<Seed> for Philox {
    /// The generator whose key is a seed, its lower word first.
    fn from(seed: Seed) -> Self {
        Self { key: [seed.0 as u32, (seed.0 >> 32) as u32] }
    }
}

impl Philox {
    /// The four words of a counter.
    #[must_use]
    pub fn block(self, counter: [u32; 4]) -> [u32; 4] {
        let [mut a, mut b, mut c, mut d] = counter;
        for round in 0..ROUNDS {
            let [k0, k1] = self.round_key(round);
            let [m0, m1] = MULTIPLIERS.map(u64::from);
            let (p0, p1) = (m0 * u64::from(a), m1 * u64::from(c));
            (a, b, c, d) = ((p1 >> 32) as u32 ^ b ^ k0, p1 as u32, (p0 >> 32) as u32 ^ d ^ k1, p0 as u32);
        }
        [a, b, c, d]
    }

    fn round_key(self, round: u32) -> [u32; 2] {
        [0, 1].map(|i| self.key[i].wrapping_add(WEYL[i].wrapping_mul(round)))
    }

    /// The same of many counters, `[B, 4]` of `i64` in `[0, 2³²)`, and as such, on the device of the counters: bit for bit
    /// what [`block`](Philox::block) makes of each.
    ///
    /// Only additions, products and quotients of `i64` below 2⁵⁰ are asked for, and a table of `x ⊕ y` of two bytes.
    ///
    /// # Errors
    /// [`Error::Tensor`] for another shape or type, and if the device fails.
    pub fn blocks(self, counters: &Tensor) -> Result<Tensor> {
        let device = counters.device();
        let number = |x: i64| Tensor::new(x, device);
        let (rows, four) = counters.dims2()?;
        if four != 4 {
            let (expected, got) = (vec![rows, 4], vec![rows, four]);
            return Err(Error::Shape { what: "counters of Philox".into(), expected, got });
        }
        let (half, byte) = (number(1 << 16)?, number(1 << 8)?);
        let powers = Tensor::new(&[1i64, 1 << 8, 1 << 16, 1 << 24], device)?;
        let table: Vec<i64> = (0..1 << 16).map(|i: i64| (i >> 8) ^ (i & 255)).collect();
        let table = Tensor::from_vec(table, 1 << 16, device)?;
        // Upper and lower half of each multiplier, the second word's first: what comes of it goes to the first.
        let parts = |part: fn(u32) -> i64| Tensor::new(&[[part(MULTIPLIERS[1])], [part(MULTIPLIERS[0])]], device);
        let (upper, lower) = (parts(|m| i64::from(m >> 16))?, parts(|m| i64::from(m & 0xffff))?);
        let modulo =
            |x: &Tensor, m: &Tensor| -> candle_core::Result<Tensor> { x - x.broadcast_div(m)?.broadcast_mul(m)? };
        // The bytes of words `[.., B]`, `[.., B, 4]`, the lowest first.
        let bytes = |x: &Tensor| modulo(&x.unsqueeze(2)?.broadcast_div(&powers)?, &byte);
        let xor = |x: &Tensor, y: &Tensor| -> candle_core::Result<Tensor> {
            let places = x.broadcast_mul(&byte)?.broadcast_add(y)?;
            table.index_select(&places.flatten_all()?, 0)?.reshape(places.shape())
        };
        // What is multiplied, `[2, B]`, and what the upper half of the product meets.
        let column = |i: usize| counters.narrow(1, i, 1)?.squeeze(1);
        let mut left = Tensor::stack(&[column(2)?, column(0)?], 0)?;
        let mut right = Tensor::stack(&[column(1)?, column(3)?], 0)?;
        for round in 0..ROUNDS {
            let (of_lower, of_upper) = (left.broadcast_mul(&lower)?, left.broadcast_mul(&upper)?);
            let middle = (of_upper + of_lower.broadcast_div(&half)?)?;
            let high = middle.broadcast_div(&half)?;
            let low = (modulo(&middle, &half)?.broadcast_mul(&half)? + modulo(&of_lower, &half)?)?;
            let key = self.round_key(round).map(|k| k.to_le_bytes().map(i64::from));
            let key = Tensor::new(&key, device)?.unsqueeze(1)?;
            let mixed = xor(&xor(&bytes(&high)?, &bytes(&right)?)?, &key)?;
            let mixed = mixed.broadcast_mul(&powers)?.sum(2)?;
            // The first and third word change places in the next round.
            left = mixed.index_select(&Tensor::new(&[1u32, 0], device)?, 0)?;
            right = low;
        }
        // Of the last round the first word stands second in `left`, and the second first in `right`.
        let word = |of: &Tensor, row: usize| of.get(row);
        Ok(Tensor::stack(&[word(&left, 1)?, word(&right, 0)?, word(&left, 0)?, word(&right, 1)?], 1)?)
    }
}

/// What a number is drawn for: each has counters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An action.
    Action = 0,
    /// What happens in a step of an environment.
    Step = 1,
    /// How an episode starts.
    Start = 2,
}

/// The numbers that lanes draw, each a function of seed, lane, step and [`Purpose`].
///
/// The counter is `(lane, step mod 2³², step div 2³², 2⁸·purpose + block)`; number `i` of a step is word `i mod 4` of block
/// `i div 4`.
#[derive(Debug, Clone, Copy)]
pub struct LaneNumbers {
    philox: Philox,
    lanes: usize,
}

impl LaneNumbers {
    /// The most numbers that a lane draws for one purpose in a step.
    pub const MOST: usize = 4 << 8;

    /// Of so many lanes.
    #[must_use]
    pub fn new(seed: Seed, lanes: usize) -> Self {
        Self { philox: seed.into(), lanes }
    }

    /// Numbers uniform in `[0, 1)`, `[steps, N, count]`, at so many steps from a first one on: a word's upper 24 bits over 2²⁴.
    ///
    /// The processor has them from [`Philox::block`], another device from [`Philox::blocks`]; they are the same bits.
    ///
    /// # Errors
    /// [`Error::Config`] for more than [`MOST`](LaneNumbers::MOST) of them, [`Error::Tensor`] if the device fails.
    pub fn uniform(
        self,
        (first, steps): (u64, usize),
        purpose: Purpose,
        count: usize,
        device: &Device,
    ) -> Result<Tensor> {
        if count > Self::MOST {
            let most = Self::MOST;
            return Err(Error::Config(format!("{count} numbers a step are more than the {most} that a lane may draw")));
        }
        if !device.is_cpu() {
            return self.uniform_by_tensors((first, steps), purpose, count, device);
        }
        let mut numbers = Vec::with_capacity(steps * self.lanes * count);
        for step in (0..steps as u64).map(|t| first + t) {
            for lane in 0..self.lanes as u32 {
                let blocks =
                    (0..count.div_ceil(4) as u32).map(|block| self.philox.block(counter(lane, step, purpose, block)));
                numbers.extend(blocks.flatten().take(count).map(of_word));
            }
        }
        Ok(Tensor::from_vec(numbers, (steps, self.lanes, count), device)?)
    }

    /// The same as tensor operations alone, on any device.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn uniform_by_tensors(
        self,
        (first, steps): (u64, usize),
        purpose: Purpose,
        count: usize,
        device: &Device,
    ) -> Result<Tensor> {
        let (lanes, blocks) = (self.lanes, count.div_ceil(4));
        let together = (TOGETHER / (lanes * blocks).max(1)).clamp(1, steps.max(1));
        let lane = Tensor::arange(0i64, lanes as i64, device)?.reshape((1, lanes, 1))?;
        let last = (0..blocks as u32).map(|block| i64::from(counter(0, 0, purpose, block)[3]));
        let last = Tensor::from_iter(last, device)?.reshape((1, 1, blocks))?;
        let mut parts = Vec::new();
        for t in (0..steps).step_by(together) {
            let (part, from) = (together.min(steps - t), first + t as u64);
            let of_steps = |half: fn(u64) -> i64| {
                Tensor::from_iter((0..part as u64).map(|t| half(from + t)), device)?.reshape((part, 1, 1))
            };
            let (low, high) = (of_steps(|step| i64::from(step as u32))?, of_steps(|step| (step >> 32) as i64)?);
            let all = |x: &Tensor| x.broadcast_as((part, lanes, blocks));
            let counters = Tensor::stack(&[all(&lane)?, all(&low)?, all(&high)?, all(&last)?], 3)?;
            let words = self.philox.blocks(&counters.reshape((part * lanes * blocks, 4))?)?;
            let words = words.reshape((part, lanes, 4 * blocks))?.narrow(2, 0, count)?;
            let upper = words.broadcast_div(&Tensor::new(1i64 << 8, device)?)?.to_dtype(DType::F32)?;
            parts.push((upper * 2f64.powi(-24))?);
        }
        match &parts[..] {
            [] => Ok(Tensor::zeros((steps, lanes, count), DType::F32, device)?),
            [one] => Ok(one.clone()),
            several => Ok(Tensor::cat(several, 0)?),
        }
    }
}

fn counter(lane: u32, step: u64, purpose: Purpose, block: u32) -> [u32; 4] {
    [lane, step as u32, (step >> 32) as u32, ((purpose as u32) << 8) + block]
}

/// The number in `[0, 1)` of a word's upper 24 bits, as many as an f32 has.
fn of_word(word: u32) -> f32 {
    (word >> 8) as f32 * 2f32.powi(-24)
}

/// Normal numbers of pairs of uniform ones, `[.., 2K]` to `[.., K]`: the first `K` say how far, the others which way.
///
/// ```math
///   z = √(−2·ln(1 − u))·cos(2πv)
/// ```
///
/// None is further from 0 than 5.8: `u` has 24 bits. Logarithm and cosine are the device's own, which may differ in the last bits.
///
/// Box and Muller 1958, <https://doi.org/10.1214/aoms/1177706645>.
///
/// # Errors
/// [`Error::Tensor`] for a tensor without dimensions, and if the device fails.
pub fn normal(uniform: &Tensor) -> Result<Tensor> {
    let last = uniform.rank().saturating_sub(1);
    let k = uniform.dim(last)? / 2;
    let far = ((uniform.narrow(last, 0, k)?.affine(-1.0, 1.0)?.log()? * -2.0)?).sqrt()?;
    let way = (uniform.narrow(last, k, k)? * (2.0 * std::f64::consts::PI))?.cos()?;
    Ok((far * way)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{LaneNumbers, Philox, Purpose, normal};
    use crate::Seed;

    /// Key, counter and words of Philox4x32-10 in the known answers of Random123, `kat_vectors`,
    /// <https://github.com/DEShawResearch/random123/blob/v1.14.0/tests/kat_vectors>.
    const KNOWN: [([u32; 2], [u32; 4], [u32; 4]); 3] = [
        ([0; 2], [0; 4], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 2], [u32::MAX; 4], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0xa409_3822, 0x299f_31d0],
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];

    fn by_tensors(philox: Philox, counters: &[[u32; 4]]) -> Vec<[u32; 4]> {
        let numbers = counters.iter().flatten().map(|&word| i64::from(word));
        let rows = Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape((counters.len(), 4)).unwrap();
        let words = philox.blocks(&rows).unwrap();
        let words: Vec<Vec<i64>> = words.to_vec2().unwrap();
        words.iter().map(|row| std::array::from_fn(|i| u32::try_from(row[i]).expect("a word"))).collect()
    }

    #[test]
    fn answers_are_the_known_ones_on_the_host_and_as_tensors() {
        for (key, counter, words) in KNOWN {
            assert_eq!(Philox { key }.block(counter), words);
            assert_eq!(by_tensors(Philox { key }, &[counter]), [words]);
        }
    }

    #[test]
    fn tensors_have_the_bits_of_the_host() {
        let philox = Philox::from(Seed(0xfedc_ba98_7654_3210));
        // Counters that are words themselves: all bits come about.
        let counters: Vec<[u32; 4]> = (0..4_000).map(|i| Philox { key: [7, 7] }.block([i, 0, 0, 0])).collect();
        let words: Vec<[u32; 4]> = counters.iter().map(|&counter| philox.block(counter)).collect();
        assert_eq!(by_tensors(philox, &counters), words);
    }

    #[test]
    fn a_lane_draws_the_same_however_many_there_are_and_whoever_draws() {
        let bits = |x: &Tensor| {
            x.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let (many, few) = (LaneNumbers::new(Seed(3), 9), LaneNumbers::new(Seed(3), 4));
        let place = ((1 << 32) - 2, 5);
        for (purpose, count) in [(Purpose::Action, 1), (Purpose::Step, 4), (Purpose::Start, 6)] {
            let all = many.uniform(place, purpose, count, &Device::Cpu).unwrap();
            assert_eq!(all.dims(), [5, 9, count]);
            assert_eq!(bits(&all), bits(&many.uniform_by_tensors(place, purpose, count, &Device::Cpu).unwrap()));
            let own = few.uniform(place, purpose, count, &Device::Cpu).unwrap();
            assert_eq!(bits(&all.narrow(1, 0, 4).unwrap()), bits(&own));
            let later = few.uniform((place.0 + 3, 2), purpose, count, &Device::Cpu).unwrap();
            assert_eq!(bits(&own.narrow(0, 3, 2).unwrap()), bits(&later));
        }
        let one =
            |seed, purpose| bits(&LaneNumbers::new(Seed(seed), 2).uniform((0, 1), purpose, 4, &Device::Cpu).unwrap());
        assert_ne!(one(1, Purpose::Action), one(2, Purpose::Action));
        assert_ne!(one(1, Purpose::Action), one(1, Purpose::Start));
        assert!(many.uniform((0, 1), Purpose::Start, 1_025, &Device::Cpu).is_err());
    }

    #[test]
    fn numbers_are_uniform_and_normal() {
        let uniform = LaneNumbers::new(Seed(1), 1_000).uniform((0, 20), Purpose::Action, 2, &Device::Cpu).unwrap();
        let numbers: Vec<f32> = uniform.flatten_all().unwrap().to_vec1().unwrap();
        assert!(numbers.iter().all(|u| (0.0..1.0).contains(u)));
        let moments = |x: &[f32]| {
            let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
            (mean, x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / x.len() as f64)
        };
        let (mean, variance) = moments(&numbers);
        // Four deviations of each of 40,000 numbers: 0.289/200, and 1/12·√(0.8)/200.
        assert!((mean - 0.5).abs() < 0.0058 && (variance - 1.0 / 12.0).abs() < 0.0015, "{mean} {variance}");
        let normals: Vec<f32> = normal(&uniform).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let (mean, variance) = moments(&normals);
        assert_eq!(normals.len(), 20_000);
        // And of 20,000: 1/141, and √2/141.
        assert!(mean.abs() < 0.029 && (variance - 1.0).abs() < 0.041, "{mean} {variance}");
        let beyond = normals.iter().filter(|z| z.abs() > 1.959_964).count();
        assert!((876..=1_124).contains(&beyond), "{beyond} of 20,000 beyond the bounds of 95 %");
        // The smallest and the largest number that there is.
        let edge = Tensor::new(&[[0.0f32, 0.0], [1.0 - 2f32.powi(-24), 0.0]], &Device::Cpu).unwrap();
        let edge: Vec<f32> = normal(&edge).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert!(edge[0] == 0.0 && (edge[1] - 5.768).abs() < 1e-3, "{edge:?}");
    }
}
