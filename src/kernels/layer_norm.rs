//! Layer norm without parameters of its own: each row gets mean 0 and deviation 1.

use super::vector::vectorised;

/// What is added to the variance.
pub(crate) const EPS: f32 = 1e-5;

/// Sums that go side by side.
const WIDE: usize = 16;

/// `y = (x − mean x) / √(var x + ε)` of each row of so many numbers; to `inverse` each row's `1/√(var x + ε)` is added.
///
/// Ba et al. 2016, <https://arxiv.org/abs/1607.06450>, eq. 4 without gains and biases.
pub(super) fn normalise(y: &mut [f32], width: usize, inverse: &mut Vec<f32>) {
    let n = width as f32;
    vectorised(
        #[inline(always)]
        move || {
            for row in y.chunks_exact_mut(width) {
                let mean = sum(row, |x| x) / n;
                row.iter_mut().for_each(|x| *x -= mean);
                let factor = 1.0 / (sum(row, |x| x * x) / n + EPS).sqrt();
                row.iter_mut().for_each(|x| *x *= factor);
                inverse.push(factor);
            }
        },
    );
}

/// `delta = J·delta` of each row, `J = (I − 1·1ᵀ/n − y·yᵀ/n) / √(var x + ε)` being its derivative, which is its own transpose:
/// backward and along a direction alike.
pub(super) fn times_jacobian(delta: &mut [f32], normalised: &[f32], inverse: &[f32]) {
    let width = normalised.len().checked_div(inverse.len()).unwrap_or(1).max(1);
    let n = width as f32;
    vectorised(
        #[inline(always)]
        move || {
            for ((d, y), factor) in delta.chunks_exact_mut(width).zip(normalised.chunks_exact(width)).zip(inverse) {
                let mean = sum(d, |d| d) / n;
                let along = product(d, y) / n;
                d.iter_mut().zip(y).for_each(|(d, y)| *d = factor * (*d - mean - along * y));
            }
        },
    );
}

#[inline(always)]
fn sum(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<WIDE>();
    let mut sums = [0.0; WIDE];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += of(x));
    }
    sums.iter().sum::<f32>() + rest.iter().map(|&x| of(x)).sum::<f32>()
}

#[inline(always)]
fn product(a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<WIDE>(), b.as_chunks::<WIDE>());
    let mut sums = [0.0; WIDE];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + rest_of_a.iter().zip(rest_of_b).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::{EPS, normalise, times_jacobian};

    #[test]
    fn rows_get_mean_0_and_deviation_1_each_by_itself() {
        for width in [1, 2, 16, 37] {
            let mut y: Vec<f32> = (0..3 * width).map(|i| (i * i % 23) as f32 - 7.0).collect();
            let x = y.clone();
            let mut inverse = Vec::new();
            normalise(&mut y, width, &mut inverse);
            for (r, row) in x.chunks_exact(width).enumerate() {
                let n = width as f64;
                let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
                let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
                let factor = 1.0 / (variance + f64::from(EPS)).sqrt();
                assert!((f64::from(inverse[r]) / factor - 1.0).abs() < 1e-5);
                for (i, &x) in row.iter().enumerate() {
                    let expected = (f64::from(x) - mean) * factor;
                    assert!((f64::from(y[r * width + i]) - expected).abs() < 1e-4, "{width}: {expected}");
                }
            }
        }
    }

    #[test]
    fn the_jacobian_is_that_of_differences() {
        let x: Vec<f64> = (0..19).map(|i| f64::from(i * i % 11) / 3.0 - 1.0).collect();
        let direction: Vec<f64> = (0..19).map(|i| f64::from(i * 7 % 5) - 2.0).collect();
        let of = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / 19.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 19.0;
            x.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect::<Vec<_>>()
        };
        let at = |t: f64| of(&x.iter().zip(&direction).map(|(x, d)| x + t * d).collect::<Vec<_>>());
        let (ahead, behind) = (at(1e-5), at(-1e-5));
        let mut y: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let (mut inverse, mut delta) = (Vec::new(), direction.iter().map(|&d| d as f32).collect::<Vec<_>>());
        normalise(&mut y, 19, &mut inverse);
        times_jacobian(&mut delta, &y, &inverse);
        for (i, d) in delta.iter().enumerate() {
            let expected = (ahead[i] - behind[i]) / 2e-5;
            assert!((f64::from(*d) - expected).abs() < 1e-4, "{i}: {d} for {expected}");
        }
    }
}
