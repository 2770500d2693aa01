//! Lines with intervals: learning curves and performance profiles.

use plotters::prelude::*;

use super::{
    Axis, Interval, Look, PALETTE, Picture, PictureOptions, PlotError, Range, Style, Swatch, check, look::Dashes,
};

/// Lines in one panel at most: more are not told apart, so each gets a panel, with the others behind it.
const TOLD_APART: usize = 6;
/// Dashes of those lines: where the colour-blind take two of their colours for one, their dashes differ.
const DASHES: [Dashes; TOLD_APART] = [None, None, Some((1.1, 0.35)), Some((0.3, 0.3)), None, None];
/// The lines behind.
const BEHIND: RGBColor = RGBColor(205, 205, 205);

/// A labelled line with an interval at each of its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// Where on the horizontal axis, rising, and the value there. At least one point.
    pub points: Vec<(f64, Interval)>,
}

/// Draws learning curves: a score against environment steps, with its intervals as bands.
///
/// `score` is what stands along the vertical axis, with its unit. Up to six curves share a panel; of more each has one
/// of its own, and the others are pale lines behind it.
///
/// # Errors
/// A [`PlotError`] if there is no curve, a curve has no points, steps that do not rise or are below zero, or numbers
/// that are not finite, or an option is out of range.
///
/// ```
/// use uphill::plot::{PictureOptions, Series, learning_curves};
/// use uphill::stats::Interval;
///
/// let learnt = |i: u32| {
///     let point = f64::from(i) / 10.0;
///     (f64::from(i) * 1e4, Interval { point, low: point * 0.8, high: point * 1.1 })
/// };
/// let adam = Series { label: "adam".into(), points: (0..=10).map(learnt).collect() };
/// let options = PictureOptions::new("CartPole-v1", 30, "mean return, 95% bootstrap intervals");
/// let picture = learning_curves(&[adam], "normalised return", &options)?;
/// assert!(picture.svg().starts_with("<svg"));
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn learning_curves(curves: &[Series], score: &str, options: &PictureOptions) -> Result<Picture, PlotError> {
    let (x, y) = checked(curves, options)?;
    check::that(x.0 >= 0.0, "the learning curves", "environment steps are counted from zero up")?;
    let axes = |style: &Style, (width, height)| {
        let (wide, high) = (style.count(width, 5.0, 9.0), style.count(height, 2.6, 6.0));
        (Axis::env_steps(x, wide), Axis::new(y, 0.04, high))
    };
    draw(curves, options, "Learning curves", ("environment steps", score), axes)
}

/// Draws performance profiles: the share of runs that score above τ, against τ, with its intervals as bands.
///
/// `score` is what τ is compared with. Lines and panels are as [`learning_curves`] has them.
///
/// Agarwal et al. 2021, section 4.2, <https://arxiv.org/abs/2108.13264>.
///
/// # Errors
/// As [`learning_curves`], where τ is in the place of steps; it may be below zero.
///
/// ```
/// use uphill::plot::{PictureOptions, Series, performance_profiles};
/// use uphill::stats::Interval;
///
/// let above = |i: u32| {
///     let tau = f64::from(i) / 10.0;
///     (tau, Interval { point: 1.0 - tau, low: (0.9 - tau).max(0.0), high: (1.1 - tau).min(1.0) })
/// };
/// let adam = Series { label: "adam".into(), points: (0..=10).map(above).collect() };
/// let options = PictureOptions::new("7 tasks", 30, "final scores, 95% bootstrap intervals");
/// let picture = performance_profiles(&[adam], "normalised score", &options)?;
/// assert_eq!(picture.width(), 1000);
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn performance_profiles(profiles: &[Series], score: &str, options: &PictureOptions) -> Result<Picture, PlotError> {
    let (x, y) = checked(profiles, options)?;
    let axes = |style: &Style, (width, height)| {
        let (wide, high) = (style.count(width, 5.0, 9.0), style.count(height, 2.6, 6.0));
        (Axis::new(x, 0.0, wide), Axis::new((y.0.min(0.0), y.1.max(1.0)), 0.0, high))
    };
    let names = (format!("{score} τ"), format!("share of runs with {score} > τ"));
    draw(profiles, options, "Performance profiles", (&names.0, &names.1), axes)
}

/// From where to where the points of all series reach, in both directions.
fn checked(series: &[Series], options: &PictureOptions) -> Result<(Range, Range), PlotError> {
    options.style()?;
    check::labels("line", series.iter().map(|one| one.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for Series { label, points } in series {
        check::rising(label, &mut x, points.iter().map(|point| point.0))?;
        points.iter().try_for_each(|(_, interval)| check::hold(label, &mut y, *interval))?;
    }
    Ok((x, y))
}

/// Draws the lines in one panel or in many, with axes that follow from a panel's width and height.
fn draw(
    series: &[Series],
    options: &PictureOptions,
    what: &str,
    names: (&str, &str),
    axes: impl Fn(&Style, (i32, i32)) -> (Axis, Axis),
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    let together = series.len() <= TOLD_APART;
    let look = |i: usize| Look { dashes: DASHES[i % TOLD_APART], ..Look::plain(PALETTE[i % PALETTE.len()]) };
    let labels = || series.iter().map(|one| one.label.clone());
    let entries = labels().enumerate().filter(|_| together).map(|(i, label)| (Swatch::Band(look(i)), label)).collect();
    let axes = |_, size| axes(&style, size);
    let mut sheet = options.sheet(&style, (what, entries), names, &axes);
    if !together {
        sheet.headings = labels().map(|label| (label, String::new())).collect();
    }
    let heights = (sheet.chart_width() * 3 / 5, style.em(6.0));
    options.draw(&sheet, heights, |i, chart| {
        let (own, others) = if together { (series, &[][..]) } else { (&series[i..=i], series) };
        for other in others.iter().filter(|other| other.label != series[i].label) {
            let line: Vec<(f64, f64)> = other.points.iter().map(|(x, interval)| (*x, interval.point)).collect();
            chart.plot.draw(&PathElement::new(line, BEHIND.stroke_width(style.hair)))?;
        }
        chart.curves(own.iter().enumerate().map(|(i, one)| (look(i), &*one.points)))
    })
}
