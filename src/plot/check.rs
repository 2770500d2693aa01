//! What plain numbers and labels must be to be drawn.

use super::{PlotError, run::drawable};
use crate::stats::Interval;

/// The range that holds nothing yet.
pub(super) const NOWHERE: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

/// The range, stretched to hold `low..=high` too.
pub(super) fn stretch(range: (f64, f64), low: f64, high: f64) -> (f64, f64) {
    (range.0.min(low), range.1.max(high))
}

pub(super) fn refused(what: &str, reason: impl Into<String>) -> PlotError {
    PlotError::Picture { what: what.to_owned(), reason: reason.into() }
}

pub(super) fn some(what: &str, count: usize, reason: &str) -> Result<(), PlotError> {
    if count == 0 { Err(refused(what, reason)) } else { Ok(()) }
}

/// Labels that are there, and each of them once: a reader could not tell the two apart.
pub(super) fn labels<'a>(labels: impl Iterator<Item = &'a str>) -> Result<(), PlotError> {
    let mut seen = std::collections::BTreeSet::new();
    for label in labels {
        if label.trim().is_empty() {
            return Err(refused("the picture", "a label is blank"));
        }
        if !seen.insert(label) {
            return Err(refused(label, "the label is there twice"));
        }
    }
    Ok(())
}

pub(super) fn interval(what: &str, interval: &Interval) -> Result<(), PlotError> {
    let Interval { point, low, high } = *interval;
    if ![point, low, high].into_iter().all(drawable) {
        let reason = format!("its interval {point} [{low}, {high}] is not of finite numbers within 1e100 of zero");
        return Err(refused(what, reason));
    }
    if low > high {
        return Err(refused(what, format!("its interval [{low}, {high}] ends before it begins")));
    }
    Ok(())
}

pub(super) fn rising(what: &str, places: impl Iterator<Item = f64>) -> Result<(), PlotError> {
    let mut before = None;
    for place in places {
        if !drawable(place) {
            return Err(refused(what, format!("it has a point at {place}, which is not a finite number")));
        }
        if let Some(before) = before.filter(|before| *before >= place) {
            return Err(refused(what, format!("its points do not rise along the axis: {place} follows {before}")));
        }
        before = Some(place);
    }
    Ok(())
}

pub(super) fn same_length(what: &str, found: usize, expected: usize, of: &str) -> Result<(), PlotError> {
    if found == expected {
        return Ok(());
    }
    Err(refused(what, format!("it has {found} {of} where {expected} belong")))
}
