//! Numbers in messages.

use std::fmt::{Display, LowerExp};

/// So many of something, whose plural ends in `s`.
///
/// ```
/// use uphill_envs::counted;
/// assert_eq!([0, 1, 2].map(|count| counted(count, "step")), ["0 steps", "1 step", "2 steps"]);
/// ```
#[must_use]
pub fn counted(count: impl Display, one: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {one}{ending}")
}

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
