//! Passes over vectors, compiled for each instruction set and chosen when the program runs.

/// Runs a loop with the widest vectors that the machine has. The loop must be an `#[inline(always)]` closure, so that it
/// is compiled along.
///
/// Element by element the result is the same on every instruction set: the compiler neither reorders sums nor contracts
/// products, so what is vectorised is what would have been computed one by one.
#[inline(always)]
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// `Σ x²` in f64, in an order that depends on the length alone. Finite if, and only if, every number is.
pub(crate) fn sum_of_squares(x: &[f32]) -> f64 {
    const LANES: usize = 16;
    vectorised(
        #[inline(always)]
        move || {
            let (chunks, rest) = x.as_chunks::<LANES>();
            let mut sums = [0.0f64; LANES];
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk.map(f64::from)) {
                    // The square of an f32 is exact, fused or not.
                    *sum = x.mul_add(x, *sum);
                }
            }
            sums.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()
        },
    )
}

/// Whether every number is finite, in a fraction of the time that their sum takes.
pub(crate) fn all_finite(x: &[f32]) -> bool {
    // An exponent of ones is that of a number not finite, and carries into the sign.
    vectorised(
        #[inline(always)]
        move || x.iter().fold(0, |any, x| any | ((x.to_bits() & 0x7f80_0000) + 0x0080_0000)) >> 31 == 0,
    )
}

/// `x ← x + y`.
pub(crate) fn add(x: &mut [f32], y: &[f32]) {
    vectorised(
        #[inline(always)]
        move || {
            for (x, y) in x.iter_mut().zip(y) {
                *x += y;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::{all_finite, sum_of_squares};

    #[test]
    fn squares_are_summed_over_any_length() {
        for n in 0..70u32 {
            let x: Vec<f32> = (0..n).map(|i| i as f32 - 3.0).collect();
            // Small integers: exact in any order.
            let expected: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
            assert_eq!(sum_of_squares(&x), expected, "{n}");
        }
    }

    #[test]
    fn the_sum_is_finite_exactly_if_every_number_is() {
        assert!(sum_of_squares(&[f32::MAX; 1000]).is_finite());
        assert!(all_finite(&[]) && all_finite(&[f32::MAX, f32::MIN, -0.0, 1e-45]));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 15, 16, 36] {
                let mut x = [1.0; 37];
                x[place] = bad;
                assert!(!sum_of_squares(&x).is_finite(), "{bad} at {place}");
                assert!(!all_finite(&x), "{bad} at {place}");
            }
        }
    }
}
