//! How far the mean of sampled gradients is from the exact one.

use rand::RngExt as _;
use serde::Serialize;

use super::pairs::{Pairs, Points, dot};
use crate::stats::{Bootstrap, Interval};

/// The bias of an estimator, `b = E g − ∇J`, as far as `B` batches tell it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bias {
    /// `|b|²`, a mean over pairs of different batches, which has no bias of its own: where there is none to be seen it is
    /// below zero as often as above.
    ///
    /// ```math
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

    /// The bias of these gradients against the exact one, in their coordinates.
    pub(super) fn of(pairs: &Pairs, exact: &[f64], bootstrap: &Bootstrap) -> Bias {
        let n = pairs.batches() as f64;
        let deviations = pairs.gradients().map(|_, from, to| {
            to.iter_mut().zip(from).zip(exact).for_each(|((to, x), exact)| *to = x - exact);
        });
        let mut sum = Vec::new();
        deviations.sum(&vec![1.0; pairs.batches()], &mut sum);
        // Means over the other batches: the first-order part of each batch.
        let part = |own: &[f64]| (dot(own, &sum) - dot(own, own)) / (n - 1.0);
        let parts: Vec<f64> = deviations.rows().map(part).collect();
        let squared = parts.iter().sum::<f64>() / n;
        let spread: f64 = parts.iter().map(|part| (part - squared).powi(2)).sum();
        let standard_error = (4.0 * (n - 1.0) / (n * (n - 2.0).powi(2)) * spread).sqrt();
        let p_value = p_value(pairs.gradients(), pairs.batches(), squared, bootstrap);
        Bias { squared, standard_error, p_value, exact_norm_squared: dot(exact, exact) }
    }
}

/// The share of resamples without bias, this one among them, whose mean over pairs is at least `squared`.
fn p_value(gradients: &Points, batches: usize, squared: f64, bootstrap: &Bootstrap) -> f64 {
    let n = batches as f64;
    let (mut mean, mut room) = (Vec::new(), Vec::new());
    gradients.sum(&vec![1.0 / n; batches], &mut mean);
    let centred = gradients.map(|_, from, to| {
        to.iter_mut().zip(from).zip(&mean).for_each(|((to, x), mean)| *to = x - mean);
    });
    let mut rng = bootstrap.seed.stream("signs", 0);
    let mut signs = vec![0.0; batches];
    let mut as_large = 1.0;
    for _ in 0..bootstrap.reps {
        signs.iter_mut().for_each(|sign| *sign = if rng.random() { 1.0 } else { -1.0 });
        as_large += f64::from(centred.over_pairs(&signs, &mut room) / (n * (n - 1.0)) >= squared);
    }
    as_large / (bootstrap.reps as f64 + 1.0)
}
