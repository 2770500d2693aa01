//! What more of something is worth: speed by ranks, steps by batch size.

use plotters::prelude::*;

use super::{
    Axis, Chart, Drawn, Interval, Look, Picture, PictureOptions, PlotError, Series, Swatch, check, look::Dashes,
};

/// Greys of [`Landmark`]s, with their dashes; they repeat.
const LANDMARKS: [(RGBColor, Dashes); 2] =
    [(RGBColor(60, 60, 60), Some((0.6, 0.4))), (RGBColor(140, 140, 140), Some((0.25, 0.3)))];
/// How much of its grey a band has.
const GROUND: f64 = 0.15;

/// One panel of [`scaling_panels`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingPanel {
    /// What stands above it; blank where there is one panel alone.
    pub name: String,
    /// Its curves; one of the same label in another panel looks the same.
    pub curves: Vec<Series>,
}

/// A place on the horizontal axis of [`scaling_panels`], drawn as an upright line in each of them, with its interval as a band.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmark {
    /// What is there; not blank.
    pub label: String,
    /// Where; above zero.
    pub at: Interval,
}

/// One curve of [`scaling`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingCurve {
    /// What it is called; not blank.
    pub label: String,
    /// Its points, rising along the first number, all above zero; at least one.
    pub points: Vec<(f64, f64)>,
}

/// Draws how one number goes with another, both on logarithmic axes: what goes as a power of the other is a straight line.
///
/// `title` is what stands above, and `names` are what stands along the axes, the horizontal one first, with their units.
///
/// # Errors
/// A [`PlotError`] if there is no curve, a curve has no points, numbers are not above zero and finite, points do not rise, or an option
/// is out of range.
///
/// ```
/// use uphill::plot::{PictureOptions, ScalingCurve, scaling};
///
/// let measured = ScalingCurve { label: "measured".into(), points: vec![(1.0, 1.0), (2.0, 1.9), (4.0, 3.2)] };
/// let options = PictureOptions::new("CartPole-v1", 1, "medians of 8 updates");
/// scaling("What ranks gain", &[measured], ("ranks", "times as fast as one"), &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn scaling(
    title: &str,
    curves: &[ScalingCurve],
    names: (&str, &str),
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let series = |curve: &ScalingCurve| Series {
        label: curve.label.clone(),
        points: curve.points.iter().map(|&(x, y)| (x, exactly(y))).collect(),
    };
    let panel = ScalingPanel { name: String::new(), curves: curves.iter().map(series).collect() };
    scaling_panels(title, &[panel], &[], names, options)
}

/// The same in several panels that share both axes, with intervals as bands, and with places that are marked in all of them.
///
/// # Errors
/// As [`scaling`], where ends of intervals are such numbers, too, and if there is no panel.
///
/// ```
/// use uphill::plot::{Landmark, PictureOptions, ScalingPanel, Series, scaling_panels};
/// use uphill::stats::Interval;
///
/// let around = |point: f64| Interval { point, low: point * 0.9, high: point * 1.2 };
/// let tuned = Series { label: "tuned".into(), points: vec![(512.0, around(2e4)), (2048.0, around(4e4))] };
/// let panel = ScalingPanel { name: "adam".into(), curves: vec![tuned] };
/// let noise = Landmark { label: "noise scale".into(), at: around(900.0) };
/// let options = PictureOptions::new("CartPole-v1", 10, "medians, 95% bootstrap intervals");
/// scaling_panels("Large batches", &[panel], &[noise], ("batch, steps", "steps"), &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn scaling_panels(
    title: &str,
    panels: &[ScalingPanel],
    landmarks: &[Landmark],
    names: (&str, &str),
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    check::that(!panels.is_empty(), "the picture", "it needs at least one panel")?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    let mut labels: Vec<&str> = Vec::new();
    for ScalingPanel { curves, .. } in panels {
        check::labels("curve", curves.iter().map(|curve| curve.label.as_str()))?;
        for Series { label, points } in curves {
            check::rising(label, &mut x, points.iter().map(|point| point.0))?;
            for &(at, interval) in points {
                check::has_logarithm(label, names.0, at)?;
                check::hold(label, &mut y, interval)?;
                [interval.point, interval.low].iter().try_for_each(|&y| check::has_logarithm(label, names.1, y))?;
            }
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
    }
    check::labels("curve", labels.iter().copied().chain(landmarks.iter().map(|landmark| landmark.label.as_str())))?;
    for Landmark { label, at } in landmarks {
        check::hold(label, &mut x, *at)?;
        check::has_logarithm(label, names.0, at.low)?;
    }
    let look = |label: &str| Look::of(labels.iter().position(|known| *known == label).unwrap_or_default());
    let mark = |i: usize| {
        let (colour, dashes) = LANDMARKS[i % LANDMARKS.len()];
        Look { dashes, ..Look::plain(colour) }
    };
    let lines = labels.iter().map(|label| (Swatch::Line(look(label)), label.to_string()));
    let marks = landmarks.iter().enumerate().map(|(i, landmark)| (Swatch::Line(mark(i)), landmark.label.clone()));
    let axes = |_, _| (Axis::logarithmic(x), Axis::logarithmic(y));
    let mut sheet = options.sheet(&style, (title, lines.chain(marks).collect()), names, &axes);
    sheet.headings = panels.iter().map(|panel| (panel.name.clone(), String::new())).collect();
    let share = if panels.len() > 1 { 16 } else { 11 };
    let heights = (sheet.chart_width() * share / 20, style.em(10.0));
    options.draw(&sheet, heights, |i, chart: &Chart<'_, '_>| {
        landmarks.iter().enumerate().try_for_each(|(i, landmark)| upright(chart, &mark(i), landmark.at))?;
        chart.curves(panels[i].curves.iter().map(|curve| (look(&curve.label), &*curve.points)))
    })
}

/// Draws a line from the bottom of a chart to its top, and a band around it.
fn upright(chart: &Chart<'_, '_>, look: &Look, at: Interval) -> Drawn {
    let [(_, top), (_, bottom)] = chart.place();
    let across = |x: f64| chart.at(x, 1.0).0;
    let (left, right) = (across(at.low), across(at.high));
    if left < right {
        chart.area.draw(&Rectangle::new([(left, top), (right, bottom)], look.colour.mix(GROUND).filled()))?;
    }
    look.stroke(chart.area, vec![(across(at.point), top), (across(at.point), bottom)], chart.style.line, chart.style)
}

fn exactly(point: f64) -> Interval {
    Interval { point, low: point, high: point }
}
