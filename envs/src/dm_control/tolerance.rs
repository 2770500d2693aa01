//! How near a number is to where it should be, 0 to 1: dm_control's `rewards.tolerance`.

use std::f64::consts::LN_10;

/// 1 at `distance` 0, falling as a bell to 0.1 at `margin`.
pub(super) fn gaussian(distance: f64, margin: f64) -> f64 {
    (-LN_10 * (distance / margin).powi(2)).exp()
}

/// 1 at `distance` 0, falling as a parabola to 0 at 1 and past it.
pub(super) fn quadratic(distance: f64) -> f64 {
    (1.0 - distance * distance).max(0.0)
}

/// 1 where it holds, 0 where not.
pub(super) fn indicator(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
