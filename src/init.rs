//! Initial values of weights.

use candle_nn::Init;
use candle_nn::init::NormalOrUniform;
use nalgebra::DMatrix;
use rand::RngExt;
use rand::seq::index::sample;
use rand_distr::{Distribution, StandardNormal, StandardUniform};
use serde::{Deserialize, Serialize};

use crate::seed::Rng;
use crate::{Error, Result};

/// How a weight matrix `[outputs, inputs]` is drawn; a `gain` scales each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Initialiser {
    /// `gain` times a matrix with orthonormal rows or columns, uniform over those.
    /// Saxe et al. 2014, <https://arxiv.org/abs/1312.6120>.
    #[default]
    Orthogonal,
    /// Uniform in `±gain·√(6 / (inputs + outputs))`.
    /// Glorot and Bengio 2010, eq. 16, <https://proceedings.mlr.press/v9/glorot10a.html>.
    Xavier,
    /// Uniform in `±gain·√(3 / inputs)`, so that the standard deviation is `gain / √inputs`.
    /// He et al. 2015, eq. 10, <https://arxiv.org/abs/1502.01852>.
    Kaiming,
    /// Uniform in `±gain/√inputs`, but for nine of ten inputs of each output, drawn by chance, which have none.
    /// Elsayed, Vasan and Mahmood 2024, algorithm 1, <https://arxiv.org/abs/2410.14606>.
    Sparse,
}

/// The share of weights that [`Initialiser::Sparse`] leaves at 0.
const SPARSITY: f64 = 0.9;

impl Initialiser {
    /// Fills `weight`, `[outputs, inputs]` row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] if the slice has another length.
    pub fn fill(self, gain: f64, outputs: usize, inputs: usize, rng: &mut Rng, weight: &mut [f32]) -> Result<()> {
        if outputs.checked_mul(inputs) != Some(weight.len()) {
            let (expected, got) = (vec![outputs, inputs], vec![weight.len()]);
            return Err(Error::Shape { what: "a weight to initialise".into(), expected, got });
        }
        match self {
            _ if weight.is_empty() => {}
            Initialiser::Orthogonal => orthogonal(gain, outputs, inputs, rng, weight),
            Initialiser::Xavier => uniform(gain * (6.0 / (inputs as f64 + outputs as f64)).sqrt(), rng, weight),
            Initialiser::Kaiming => uniform(gain * (3.0 / inputs as f64).sqrt(), rng, weight),
            Initialiser::Sparse => {
                uniform(gain / (inputs as f64).sqrt(), rng, weight);
                let zeros = (SPARSITY * inputs as f64).ceil() as usize;
                for row in weight.chunks_exact_mut(inputs) {
                    sample(rng, inputs, zeros).into_iter().for_each(|i| row[i] = 0.0);
                }
            }
        }
        Ok(())
    }
}

fn uniform(bound: f64, rng: &mut Rng, weight: &mut [f32]) {
    for w in weight {
        let u: f64 = StandardUniform.sample(rng);
        *w = ((2.0 * u - 1.0) * bound) as f32;
    }
}

/// Q of the QR decomposition of a Gaussian matrix, each column's sign that of R's diagonal: without that, Q is not
/// uniform. Mezzadri 2007, <https://arxiv.org/abs/math-ph/0609050>.
fn orthogonal(gain: f64, outputs: usize, inputs: usize, rng: &mut Rng, weight: &mut [f32]) {
    let (long, short) = (outputs.max(inputs), outputs.min(inputs));
    let gaussian = DMatrix::<f64>::from_fn(long, short, |_, _| StandardNormal.sample(rng));
    let (q, r) = gaussian.qr().unpack();
    for (i, row) in weight.chunks_exact_mut(inputs.max(1)).enumerate() {
        for (j, w) in row.iter_mut().enumerate() {
            let (row, column) = if outputs >= inputs { (i, j) } else { (j, i) };
            *w = (gain * q[(row, column)] * r[(column, column)].signum()) as f32;
        }
    }
}

/// Draws what a candle-nn module hinted at, from our generator rather than candle's, which cannot be seeded.
pub(crate) fn from_hint(hint: &Init, shape: &[usize], rng: &mut Rng, values: &mut [f32]) -> Result<()> {
    let mut normal = |mean: f64, stdev: f64, values: &mut [f32]| {
        for v in values {
            let z: f64 = StandardNormal.sample(rng);
            *v = (mean + stdev * z) as f32;
        }
    };
    match *hint {
        Init::Const(c) => values.fill(c as f32),
        Init::Randn { mean, stdev } => normal(mean, stdev, values),
        Init::Uniform { lo, up } => {
            for v in values {
                *v = (lo + (up - lo) * rng.random::<f64>()) as f32;
            }
        }
        Init::Kaiming { dist, fan, non_linearity } => {
            let fan = fan.for_shape(&shape.into());
            let stdev = non_linearity.gain() / (fan as f64).sqrt();
            match dist {
                NormalOrUniform::Normal => normal(0.0, stdev, values),
                NormalOrUniform::Uniform => uniform(3f64.sqrt() * stdev, rng, values),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Initialiser;
    use crate::Seed;

    fn filled(init: Initialiser, gain: f64, outputs: usize, inputs: usize) -> Vec<f32> {
        let mut weight = vec![0.0; outputs * inputs];
        init.fill(gain, outputs, inputs, &mut Seed(3).stream("init", 0), &mut weight).expect("a right shape");
        weight
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal_times_the_gain() {
        for (outputs, inputs) in [(64, 4), (64, 64), (2, 64), (1, 1)] {
            let w = filled(Initialiser::Orthogonal, 2.0, outputs, inputs);
            let short = outputs.min(inputs);
            for a in 0..short {
                for b in 0..short {
                    let dot: f64 = (0..outputs.max(inputs))
                        .map(|k| {
                            let at = |i| if outputs >= inputs { w[k * inputs + i] } else { w[i * inputs + k] };
                            f64::from(at(a)) * f64::from(at(b))
                        })
                        .sum();
                    let expected = if a == b { 4.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-5, "{outputs} x {inputs}: <{a}, {b}> = {dot}");
                }
            }
        }
    }

    #[test]
    fn uniform_schemes_have_their_variance() {
        let variance = |w: &[f32]| w.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / w.len() as f64;
        let xavier = variance(&filled(Initialiser::Xavier, 1.0, 200, 100));
        assert!((xavier * 300.0 / 2.0 - 1.0).abs() < 0.03, "{xavier}");
        let kaiming = variance(&filled(Initialiser::Kaiming, 2f64.sqrt(), 200, 100));
        assert!((kaiming * 100.0 / 2.0 - 1.0).abs() < 0.03, "{kaiming}");
        // Uniform in ±2/10, a tenth of them.
        let sparse = variance(&filled(Initialiser::Sparse, 2.0, 200, 100));
        assert!((sparse * 10.0 * 100.0 * 3.0 / 4.0 - 1.0).abs() < 0.06, "{sparse}");
    }

    #[test]
    fn sparse_outputs_have_one_input_in_ten_each_their_own() {
        let weight = filled(Initialiser::Sparse, 1.0, 30, 50);
        let inputs = |row: &[f32]| (0..50).filter(|&i| row[i] != 0.0).collect::<Vec<_>>();
        let rows: Vec<_> = weight.chunks_exact(50).map(inputs).collect();
        assert!(rows.iter().all(|row| row.len() == 5), "{rows:?}");
        assert_ne!(rows[0], rows[1]);
        assert!(weight.iter().all(|w| w.abs() <= 1.0 / 50f32.sqrt()));
        // Of 25 inputs 22.5 would be 0: it is 23. Of few none is left, as in the paper.
        for (inputs, left) in [(25, 2), (11, 1), (4, 0)] {
            let weight = filled(Initialiser::Sparse, 1.0, 7, inputs);
            assert!(weight.chunks_exact(inputs).all(|row| row.iter().filter(|w| **w != 0.0).count() == left));
        }
    }
}
