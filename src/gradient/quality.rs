//! The quality of a gradient estimator from independent gradients of it.

use serde::Serialize;

use super::Bias;
use super::noise_scale::NoiseScale;
use super::pairs::{Means, Pairs};
use crate::stats::{Bootstrap, Interval, StatsError};

/// What an estimator's gradient is worth at one point of the parameters, from the gradients of `B` independent batches.
///
/// With `g` the gradient of one batch, which is random, and the mean over pairs of different batches `a ≠ b`:
///
/// ```math
///   norm_squared = mean gₐ·g_b            estimates |E g|²
///   variance     = mean |gₐ − g_b|² / 2   estimates tr Cov g
///   snr          = norm_squared / variance
///   cosine       = mean cos(gₐ, g_b)
///   noise_scale  = batch_size / snr
/// ```
///
/// `noise_scale` is the simple noise scale of McCandlish et al. 2018: pairs say what the two batch sizes of appendix A.1
/// say, one batch and all of them together ([`noise_scale`](super::noise_scale())). It assumes that the covariance falls
/// as one over the size of a batch, as it does with whole episodes, correlated within as they may be.
///
/// Intervals are those of the bootstrap over batches, in which copies of one batch make no pair. They are somewhat too
/// wide where there is hardly any signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GradientQuality {
    /// `B`.
    pub batches: usize,
    /// The mean size of a batch, in the unit that `noise_scale` is in.
    pub batch_size: f64,
    /// `|E g|²`; below zero now and then where that is near zero.
    pub norm_squared: Interval,
    /// `tr Cov g`: the variance of one batch's gradient, summed over parameters.
    pub variance: Interval,
    /// The signal-to-noise ratio of one batch, `|E g|² / tr Cov g`. At 1 a gradient is half noise. Infinite where there
    /// is no noise.
    pub snr: Interval,
    /// The mean cosine of the angle between the gradients of two batches: 1 where they agree, 0 where they have nothing
    /// to do with each other. A batch without any gradient counts 0.
    pub cosine: Interval,
    /// The batch size at which signal and noise are equal; infinite where no signal is seen.
    pub noise_scale: Interval,
    /// How far `E g` is from the exact gradient, where that was given.
    pub bias: Option<Bias>,
}

impl GradientQuality {
    /// The quality of the estimator that made these gradients, `[B, P]`, of batches of so many episodes, steps or
    /// whatever `noise_scale` shall be counted in. `exact` is the gradient that it should have on average, `[P]`. It takes time in
    /// proportion to `B` times the dimensions that the gradients have together, which are `B` or `P` at most, and few in a small
    /// world.
    ///
    /// # Errors
    /// A [`StatsError`] for fewer than 10 batches, gradients of different lengths or that are not finite, a batch size
    /// not above 0, or an impossible bootstrap.
    pub fn of(
        gradients: &[Vec<f32>],
        batch_size: f64,
        exact: Option<&[f32]>,
        bootstrap: &Bootstrap,
    ) -> Result<GradientQuality, StatsError> {
        if !(batch_size > 0.0 && batch_size.is_finite()) {
            let expected = "a finite number above 0";
            return Err(StatsError::Option { name: "batch_size", value: batch_size.to_string(), expected });
        }
        let pairs = Pairs::of(gradients, exact)?;
        let batches = pairs.batches();
        let (mut counts, mut room) = (vec![1.0; batches], Vec::new());
        let mut draws = bootstrap.draws(0, batches)?;
        let point = quantities(&pairs.means(&counts, &mut room), batch_size);
        let intervals = bootstrap.replicate(&point, |out| {
            counts.fill(0.0);
            (0..batches).for_each(|_| counts[draws.next()] += 1.0);
            out.copy_from_slice(&quantities(&pairs.means(&counts, &mut room), batch_size));
        })?;
        let [norm_squared, variance, snr, cosine, noise_scale] = intervals[..] else {
            return Err(StatsError::Empty { what: "intervals" });
        };
        let bias = pairs.exact.as_ref().map(|exact| Bias::of(&pairs, exact, bootstrap));
        Ok(GradientQuality { batches, batch_size, norm_squared, variance, snr, cosine, noise_scale, bias })
    }
}

fn quantities(means: &Means, batch_size: f64) -> [f64; 5] {
    let &Means { norm_squared, variance, cosine } = means;
    let snr = if norm_squared == 0.0 { 0.0 } else { norm_squared / variance };
    let noise_scale = NoiseScale { norm_squared, variance: variance * batch_size }.simple();
    [norm_squared, variance, snr, cosine, noise_scale]
}
