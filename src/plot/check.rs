//! What numbers, labels and options must be to be drawn.

use uphill_envs::shown;

use super::{PlotError, recorded_run::drawable};
use crate::stats::Interval;

/// Pixels that no side of a picture exceeds.
pub(super) const MOST: u32 = 10_000;

/// The range that holds nothing yet.
pub(super) const NOWHERE: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

/// The range, stretched to hold `low..=high` too.
pub(super) fn stretch(range: (f64, f64), low: f64, high: f64) -> (f64, f64) {
    (range.0.min(low), range.1.max(high))
}

/// The range, stretched to hold an interval too, if that can be drawn.
pub(super) fn hold(what: &str, range: (f64, f64), interval: &Interval) -> Result<(f64, f64), PlotError> {
    let Interval { point, low, high } = *interval;
    if ![point, low, high].into_iter().all(drawable) {
        let reason = format!("its interval {point} [{low}, {high}] is not of finite numbers within 1e100 of zero");
        return Err(refused(what, reason));
    }
    if low > high {
        return Err(refused(what, format!("its interval [{low}, {high}] ends before it begins")));
    }
    Ok(stretch(range, low.min(point), high.max(point)))
}

pub(super) fn refused(what: &str, reason: impl Into<String>) -> PlotError {
    PlotError::Picture { what: what.to_owned(), reason: reason.into() }
}

/// Refuses what does not hold.
pub(super) fn that(holds: bool, what: &str, reason: impl Into<String>) -> Result<(), PlotError> {
    if holds { Ok(()) } else { Err(refused(what, reason)) }
}

/// Labels that are there, and each of them once: a reader could not tell the two apart.
pub(super) fn labels<'a>(labels: impl Iterator<Item = &'a str>) -> Result<(), PlotError> {
    let mut seen = std::collections::BTreeSet::new();
    for label in labels {
        that(!label.trim().is_empty(), "the picture", "a label is blank")?;
        that(seen.insert(label), label, "the label is there twice")?;
    }
    Ok(())
}

pub(super) fn rising(what: &str, places: impl Iterator<Item = f64>) -> Result<(), PlotError> {
    let mut before = f64::NEG_INFINITY;
    for place in places {
        that(drawable(place), what, format!("it has a point at {place}, which is not a finite number"))?;
        that(before < place, what, format!("its points do not rise along the axis: {place} follows {before}"))?;
        before = place;
    }
    Ok(())
}

/// Refuses what is not far above zero: below 1e-100 no logarithm is exact, and nothing is measured.
pub(super) fn has_logarithm(what: &str, name: &str, value: f64) -> Result<(), PlotError> {
    that(value >= 1e-100, what, format!("its {name} {value} has no place on a logarithmic axis"))
}

pub(super) fn same_length(what: &str, found: usize, expected: usize, of: &str) -> Result<(), PlotError> {
    that(found == expected, what, format!("it has {found} {of} where {expected} belong"))
}

/// Refuses an option that is out of its range.
pub(super) fn option(holds: bool, name: &'static str, value: String, expected: &'static str) -> Result<(), PlotError> {
    if holds { Ok(()) } else { Err(PlotError::Option { name, value, expected }) }
}

pub(super) fn scale(scale: f64) -> Result<(), PlotError> {
    option((0.5..=8.0).contains(&scale), "scale", shown(scale), "0.5 to 8")
}

/// A side of a picture, in pixels.
pub(super) fn side(name: &'static str, side: u32, least: f64, expected: &'static str) -> Result<(), PlotError> {
    option(f64::from(side) >= least && side <= MOST, name, side.to_string(), expected)
}
