//! What more of something is worth: speed by ranks, steps by batch size.

use super::{Axis, Chart, Interval, Look, Picture, PictureOptions, PlotError, Swatch, check};

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
    let style = options.style()?;
    check::labels("curve", curves.iter().map(|curve| curve.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for ScalingCurve { label, points } in curves {
        check::rising(label, &mut x, points.iter().map(|point| point.0))?;
        for &(at, value) in points {
            check::has_logarithm(label, names.0, at)?;
            check::has_logarithm(label, names.1, value)?;
            check::hold(label, &mut y, exactly(value))?;
        }
    }
    let entries =
        curves.iter().enumerate().map(|(i, curve)| (Swatch::Line(Look::of(i)), curve.label.clone())).collect();
    let axes = |_, _| (Axis::logarithmic(x), Axis::logarithmic(y));
    let sheet = options.sheet(&style, (title, entries), names, &axes);
    let heights = (sheet.chart_width() * 11 / 20, style.em(10.0));
    options.draw(&sheet, heights, |_, chart: &Chart<'_, '_>| {
        let values = |curve: &ScalingCurve| curve.points.iter().map(|&(x, y)| (x, exactly(y))).collect::<Vec<_>>();
        let values: Vec<Vec<(f64, Interval)>> = curves.iter().map(values).collect();
        chart.curves(values.iter().enumerate().map(|(i, values)| (Look::of(i), &values[..])))
    })
}

fn exactly(point: f64) -> Interval {
    Interval { point, low: point, high: point }
}
