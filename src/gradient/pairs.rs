//! Means over pairs of different batches.

use nalgebra::DMatrix;

use crate::stats::StatsError;

/// Batches below which a bootstrap over them says nothing.
const LEAST: usize = 10;

/// The inner products of `B` independent gradients: all that their statistics need, whatever the length of a gradient.
pub(super) struct Pairs {
    /// `gₐ·g_b`, `[B, B]`.
    pub(super) products: DMatrix<f64>,
    /// `cos(gₐ, g_b)`, `[B, B]`; 0 where one of them is 0, which points nowhere.
    cosines: DMatrix<f64>,
}

/// What is the mean over pairs.
pub(super) struct Means {
    /// Of `gₐ·g_b`: estimates `|E g|²`.
    pub(super) norm_squared: f64,
    /// Of `|gₐ − g_b|² / 2`: estimates `tr Cov g`.
    pub(super) variance: f64,
    /// Of `cos(gₐ, g_b)`.
    pub(super) cosine: f64,
}

impl Pairs {
    /// The pairs of gradients `[B, P]`.
    pub(super) fn of(gradients: &[Vec<f32>]) -> Result<Pairs, StatsError> {
        let batches = gradients.len();
        if batches < LEAST {
            let expected = "at least 10: fewer say nothing of how they vary";
            return Err(StatsError::Option { name: "batches", value: batches.to_string(), expected });
        }
        let parameters = gradients.first().map_or(0, Vec::len);
        for (i, gradient) in gradients.iter().enumerate() {
            check(&format!("the gradient of batch {i}"), gradient, parameters)?;
        }
        let columns = gradients.iter().flatten().map(|&g| f64::from(g));
        let matrix = DMatrix::from_iterator(parameters, batches, columns);
        let products = matrix.transpose() * &matrix;
        let norms: Vec<f64> = products.diagonal().iter().map(|square| square.sqrt()).collect();
        let cosines = DMatrix::from_fn(batches, batches, |a, b| {
            let both = norms[a] * norms[b];
            if both > 0.0 { products[(a, b)] / both } else { 0.0 }
        });
        Ok(Pairs { products, cosines })
    }

    pub(super) fn batches(&self) -> usize {
        self.products.nrows()
    }

    /// The means over pairs of different batches, each batch counted so many times. Copies of one batch are no pair: they
    /// are not independent, and would lend the signal their noise.
    pub(super) fn means(&self, counts: &[f64]) -> Means {
        let (mut pairs, mut product, mut square, mut cosine) = (0.0, 0.0, 0.0, 0.0);
        let all: f64 = counts.iter().sum();
        for (a, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let others = all - count;
            pairs += count * others;
            square += count * others * self.products[(a, a)];
            let (mut products, mut cosines) = (0.0, 0.0);
            let columns = self.products.column(a);
            for ((b, product), cosine) in columns.iter().enumerate().zip(self.cosines.column(a).iter()) {
                let weight = if a == b { 0.0 } else { counts[b] };
                products += weight * product;
                cosines += weight * cosine;
            }
            product += count * products;
            cosine += count * cosines;
        }
        let norm_squared = product / pairs;
        Means { norm_squared, variance: (square / pairs - norm_squared).max(0.0), cosine: cosine / pairs }
    }
}

/// A gradient has as many parameters as the others, all finite.
pub(super) fn check(what: &str, gradient: &[f32], parameters: usize) -> Result<(), StatsError> {
    if gradient.len() != parameters || parameters == 0 {
        let (what, got, expected) = (what.to_owned(), gradient.len(), parameters.max(1));
        return Err(StatsError::Length { what, got, expected, each: "parameter" });
    }
    match gradient.iter().position(|g| !g.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let value = f64::from(gradient[i]);
            Err(StatsError::NotFinite { what: format!("{what} at parameter {i}"), value })
        }
    }
}
