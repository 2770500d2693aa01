//! Numbers in messages.

use std::fmt::{Display, LowerExp};

/// A number as a message shows it: in as few characters as tell it apart, so never in hundreds of zeros.
///
/// ```
/// use uphill_envs::shown;
/// assert_eq!([0.1, 2.0, -500_000.0, 1e300, 2.5e-300].map(shown), ["0.1", "2", "-500000", "1e300", "2.5e-300"]);
/// ```
#[must_use]
pub fn shown<T: Copy + Display + LowerExp + Into<f64>>(x: T) -> String {
    match x.into().abs() {
        // Infinity is in none of these ranges, and NaN below no number.
        size if (1e-9..1e16).contains(&size) || size == 0.0 || !size.is_finite() => x.to_string(),
        _ => format!("{x:e}"),
    }
}
