//! The batch size at which the noise of a gradient is as large as the gradient.

/// What two batch sizes say of a gradient and its noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseScale {
    /// `|G|²`, the squared length of the true gradient. Unbiased, so below zero now and then where that is near zero.
    pub norm_squared: f64,
    /// `tr Σ`, the variance of the gradient of a batch of one, summed over parameters.
    pub variance: f64,
}

impl NoiseScale {
    /// The simple noise scale, in the unit that batches are counted in:
    ///
    /// ```math
    ///   B_simple = tr Σ / |G|²
    /// ```
    ///
    /// Much smaller batches average away nothing that a step could not, much larger ones hardly change a step any more.
    /// Infinite where no gradient is seen above the noise (`|G|²` not above zero).
    ///
    /// McCandlish et al. 2018, eq. 2.9, <https://arxiv.org/abs/1812.06162>.
    #[must_use]
    pub fn simple(&self) -> f64 {
        if self.norm_squared > 0.0 { self.variance / self.norm_squared } else { f64::INFINITY }
    }
}

/// Gradient and noise from mean squared lengths of gradients of two batch sizes:
///
/// ```math
///   |G|² = (B_big·|G_big|² − B_small·|G_small|²) / (B_big − B_small)
///   tr Σ = (|G_small|² − |G_big|²) / (1/B_small − 1/B_big)
/// ```
///
/// Both are unbiased, for `E|G_B|² = |G|² + tr Σ / B`. Each argument is a batch size and the mean of `|G|²` over batches
/// of that size. NaN if the sizes are equal.
///
/// McCandlish et al. 2018, appendix A.1, <https://arxiv.org/abs/1812.06162>.
#[must_use]
pub fn noise_scale((small, norm_small): (f64, f64), (big, norm_big): (f64, f64)) -> NoiseScale {
    NoiseScale {
        norm_squared: (big * norm_big - small * norm_small) / (big - small),
        variance: (norm_small - norm_big) / (1.0 / small - 1.0 / big),
    }
}
