//! What numbers, labels and options must be to be drawn.

use uphill_envs::shown;

use super::{Interval, PlotError, drawable};

/// Pixels that no side of a picture exceeds.
pub(super) const MOST: u32 = 10_000;

/// From where to where numbers reach.
pub(super) type Range = (f64, f64);

/// The range that holds nothing yet.
pub(super) const NOWHERE: Range = (f64::INFINITY, f64::NEG_INFINITY);

/// Stretches the range to hold `low..=high` too.
pub(super) fn stretch(range: &mut Range, low: f64, high: f64) {
    *range = (range.0.min(low), range.1.max(high));
}

/// Stretches the range to hold an interval too, if that can be drawn.
pub(super) fn hold(what: &str, range: &mut Range, Interval { point, low, high }: Interval) -> Result<(), PlotError> {
    let reason = format!("its interval {point} [{low}, {high}] is not of finite numbers within 1e100 of zero");
    that([point, low, high].into_iter().all(drawable), what, reason)?;
    that(low <= high, what, format!("its interval [{low}, {high}] ends before it begins"))?;
    stretch(range, low.min(point), high.max(point));
    Ok(())
}

pub(super) fn refused(what: &str, reason: impl Into<String>) -> PlotError {
    PlotError::Picture { what: what.to_owned(), reason: reason.into() }
}

/// Refuses what does not hold.
pub(super) fn that(holds: bool, what: &str, reason: impl Into<String>) -> Result<(), PlotError> {
    if holds { Ok(()) } else { Err(refused(what, reason)) }
}

/// Labels of one thing or more, each of them there, and once: a reader could not tell the two apart.
pub(super) fn labels<'a>(what: &str, labels: impl IntoIterator<Item = &'a str>) -> Result<(), PlotError> {
    let mut seen = std::collections::BTreeSet::new();
    for label in labels {
        that(!label.trim().is_empty(), "the picture", "a label is blank")?;
        that(seen.insert(label), label, "the label is there twice")?;
    }
    that(!seen.is_empty(), "the picture", format!("it needs at least one {what}"))
}

/// One place or more along an axis, rising, which the range is stretched to hold too.
pub(super) fn rising(what: &str, range: &mut Range, places: impl Iterator<Item = f64>) -> Result<(), PlotError> {
    let mut before = f64::NEG_INFINITY;
    for place in places {
        that(drawable(place), what, format!("it has a point at {place}, which is not a finite number"))?;
        that(before < place, what, format!("its points do not rise along the axis: {place} follows {before}"))?;
        stretch(range, place, place);
        before = place;
    }
    that(before.is_finite(), what, "it has no points")
}

/// Refuses what is not far above zero: below 1e-100 no logarithm is exact, and nothing is measured.
pub(super) fn has_logarithm(what: &str, name: &str, value: f64) -> Result<(), PlotError> {
    that(value >= 1e-100, what, format!("its {name} {value} has no place on a logarithmic axis"))
}

pub(super) fn same_length(what: &str, found: usize, expected: usize, of: &str) -> Result<(), PlotError> {
    that(found == expected, what, format!("it has {found} {of} where {expected} belong"))
}

/// Refuses an option that is out of its range.
pub(super) fn option(holds: bool, name: &'static str, value: String, expected: &str) -> Result<(), PlotError> {
    if holds { Ok(()) } else { Err(PlotError::Option { name, value, expected: expected.to_owned() }) }
}

/// Refuses a side of so many pixels that has no room for what is drawn.
pub(super) fn room(side: &'static str, pixels: u32, least: u32) -> Result<(), PlotError> {
    if pixels < least { Err(PlotError::Size { side, pixels, least }) } else { Ok(()) }
}

/// The sides of a picture in pixels, each with the least that it may be where `scale` is 1.
pub(super) fn size(scale: f64, sides: &[(&'static str, u32, u32)]) -> Result<(), PlotError> {
    option((0.5..=8.0).contains(&scale), "scale", shown(scale), "0.5 to 8")?;
    sides.iter().try_for_each(|&(name, side, least)| {
        let expected = format!("at least {least} times `scale` and at most {MOST} pixels");
        option(f64::from(side) >= f64::from(least) * scale && side <= MOST, name, side.to_string(), &expected)
    })
}
