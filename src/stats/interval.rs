//! A number and how sure one is of it.

use serde::Serialize;

use super::{StatsError, error::check_option};

/// A point estimate and the ends of its confidence interval.
///
/// An end, or all three, may be infinite where the quantity is: half of all seeds never reach a threshold, say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub point: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Interval {
    /// The percentile interval of an estimate from its bootstrap replicates, which are sorted on the way:
    ///
    /// ```text
    ///   low = Q((1 − c) / 2),   high = Q((1 + c) / 2),   c = confidence_level
    /// ```
    ///
    /// `Q(q)` interpolates linearly between the order statistics around rank `q·(reps − 1)`, as
    /// `numpy.percentile` and thereby rliable and arch do.
    ///
    /// Efron and Tibshirani 1993, section 13.3; Hyndman and Fan 1996, definition 7.
    ///
    /// # Errors
    /// A [`StatsError`] if there are no replicates, one is NaN, or `confidence_level` is not between 0 and 1.
    pub fn percentile(point: f64, replicates: &mut [f64], confidence_level: f64) -> Result<Interval, StatsError> {
        check_confidence_level(confidence_level)?;
        if let Some(replicate) = replicates.iter().position(|value| value.is_nan()) {
            return Err(StatsError::Undefined { place: 0, replicate: Some(replicate) });
        }
        replicates.sort_unstable_by(f64::total_cmp);
        let at = |q| quantile(replicates, q).ok_or(StatsError::Empty { what: "replicates" });
        let tail = (1.0 - confidence_level) / 2.0;
        Ok(Interval { point, low: at(tail)?, high: at(1.0 - tail)? })
    }
}

pub(super) fn check_confidence_level(level: f64) -> Result<(), StatsError> {
    check_option("confidence_level", level, level > 0.0 && level < 1.0, "a share between 0 and 1, such as 0.95")
}

/// The quantile of sorted values that lies at share `q`, in `[0, 1]`.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = q * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(rank.floor() as usize)?;
    let above = *sorted.get(rank.ceil() as usize)?;
    // Between equal neighbours, and next to an infinite one, interpolation could take infinity from infinity.
    Some(if below == above || below.is_infinite() { below } else { below + (above - below) * rank.fract() })
}
