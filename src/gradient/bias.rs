//! How far the mean of sampled gradients is from the exact one.

use nalgebra::{DMatrix, DVector};
use rand::RngExt as _;
use serde::Serialize;

use super::pairs::{self, Pairs};
use crate::stats::{Bootstrap, Interval, StatsError};

/// The bias of an estimator, `b = E g − ∇J`, as far as `B` batches tell it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bias {
    /// `|b|²`, a mean over pairs of different batches, which has no bias of its own: where there is none to be seen it is
    /// below zero as often as above.
    ///
    /// ```text
    ///   |b|² = mean over a ≠ b of (gₐ − ∇J)·(g_b − ∇J)
    /// ```
    pub squared: f64,
    /// Its standard error, by the jackknife over batches: right where there is a bias, up to √2 too large where there is
    /// none. Arvesen 1969, *Jackknifing U-statistics*, Annals of Mathematical Statistics 40.
    pub standard_error: f64,
    /// How likely `squared` comes out at least as large if there is no bias: that share of resamples in which each batch's
    /// deviation from the mean gradient has a random sign. Below 0.01, say, the bias is real; above, these batches do not
    /// tell it from none. Dehling and Mikosch 1994, *Random quadratic forms and the bootstrap for U-statistics*, Journal of
    /// Multivariate Analysis 51.
    pub p_value: f64,
    /// `|∇J|²`, the exact gradient's.
    pub exact_norm_squared: f64,
}

impl Bias {
    /// `|b| / |∇J|` with an interval of 1.96 standard errors, both ends not below 0. Infinite or NaN where `∇J` is zero.
    #[must_use]
    pub fn relative(&self) -> Interval {
        let length = |squared: f64| (squared.max(0.0) / self.exact_norm_squared).sqrt();
        let reach = 1.96 * self.standard_error;
        Interval { point: length(self.squared), low: length(self.squared - reach), high: length(self.squared + reach) }
    }

    /// The bias of gradients `[B, P]`, of which `pairs` are, against the exact one, `[P]`.
    pub(super) fn of(
        pairs: &Pairs,
        gradients: &[Vec<f32>],
        exact: &[f32],
        bootstrap: &Bootstrap,
    ) -> Result<Bias, StatsError> {
        let parameters = gradients.first().map_or(0, Vec::len);
        pairs::check("the exact gradient", exact, parameters)?;
        let batches = pairs.batches();
        let dot = |x: &[f32]| x.iter().zip(exact).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
        let along = DVector::from_iterator(batches, gradients.iter().map(|gradient| dot(gradient)));
        let exact_norm_squared = dot(exact);
        let products = &pairs.products;
        let deviations = DMatrix::from_fn(batches, batches, |a, b| {
            if a == b { 0.0 } else { products[(a, b)] - along[a] - along[b] + exact_norm_squared }
        });
        let n = batches as f64;
        // Row means over the other batches: the first-order part of each batch.
        let parts: Vec<f64> = deviations.row_iter().map(|row| row.sum() / (n - 1.0)).collect();
        let squared = parts.iter().sum::<f64>() / n;
        let spread: f64 = parts.iter().map(|part| (part - squared).powi(2)).sum();
        let standard_error = (4.0 * (n - 1.0) / (n * (n - 2.0).powi(2)) * spread).sqrt();
        let p_value = p_value(products, squared, bootstrap);
        Ok(Bias { squared, standard_error, p_value, exact_norm_squared })
    }
}

/// The share of resamples without bias, this one among them, whose mean over pairs is at least `squared`.
fn p_value(products: &DMatrix<f64>, squared: f64, bootstrap: &Bootstrap) -> f64 {
    let batches = products.nrows();
    let n = batches as f64;
    let means: Vec<f64> = products.row_iter().map(|row| row.sum() / n).collect();
    let mean = means.iter().sum::<f64>() / n;
    let centred =
        DMatrix::from_fn(
            batches,
            batches,
            |a, b| {
                if a == b { 0.0 } else { products[(a, b)] - means[a] - means[b] + mean }
            },
        );
    let mut rng = bootstrap.seed.stream("signs", 0);
    let mut signs = vec![0.0; batches];
    let mut as_large = 1.0;
    for _ in 0..bootstrap.reps {
        signs.iter_mut().for_each(|sign| *sign = if rng.random() { 1.0 } else { -1.0 });
        let total: f64 = (0..batches)
            .map(|a| signs[a] * centred.column(a).iter().zip(&signs).map(|(product, sign)| product * sign).sum::<f64>())
            .sum();
        as_large += f64::from(total / (n * (n - 1.0)) >= squared);
    }
    as_large / (bootstrap.reps as f64 + 1.0)
}
