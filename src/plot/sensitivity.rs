//! What the learning rate does: too small is slow, too large diverges.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Chart, Drawn, Interval, Look, Marker, PALETTE, Picture, PictureOptions, PlotError, Range, Style,
    Swatch, check, in_units, significant, with_minus,
};

const SCORE: RGBColor = PALETTE[0];
const BROKEN: RGBColor = PALETTE[1];
/// How much of its colour the ground has where every run broke.
const GROUND: f64 = 0.22;
/// Height of the strip for broken runs, in text sizes.
const STRIP: f64 = 1.4;

/// One learning rate of a [`LearningRateCurve`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRatePoint {
    /// The learning rate, above zero.
    pub lr: f64,
    /// The score there; `None` where no run has one.
    pub score: Option<Interval>,
    /// The share of runs that broke, 0 to 1: left the real numbers, or a policy that is no better than a random one.
    pub broken: f64,
}

/// What one optimizer makes of each learning rate.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRateCurve {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// Its learning rates, rising; at least one.
    pub points: Vec<LearningRatePoint>,
}

/// Draws how the score depends on the learning rate, on a logarithmic axis: a panel for each optimizer.
///
/// A line with a band is the score. In the strip below it stands at each learning rate the share of runs that broke
/// (collapsed or diverged); the ground behind is as much tinted, and the score has a cross where half of the runs or
/// more did.
/// Above each panel stands the best learning rate. `score` is what stands along the vertical axis. All panels share
/// both axes, so that optimizers can be compared.
///
/// # Errors
/// A [`PlotError`] if there is no curve, a curve has no points, learning rates are not above zero or do not rise, a
/// share is not 0 to 1, a number is not finite, no curve has a score, an option is out of range, or the height that
/// was asked for is too small for the panels.
///
/// ```
/// use uphill::plot::{LearningRateCurve, LearningRatePoint, PictureOptions, learning_rate_sensitivity};
/// use uphill::stats::Interval;
///
/// let at = |lr, point: f64, broken| LearningRatePoint {
///     lr,
///     score: Some(Interval { point, low: point - 0.1, high: point + 0.1 }),
///     broken,
/// };
/// let adam = LearningRateCurve {
///     label: "adam".into(),
///     points: vec![at(1e-4, 0.2, 0.0), at(1e-3, 0.9, 0.0), at(1e-2, 0.5, 0.1), at(1e-1, 0.0, 1.0)],
/// };
/// let options = PictureOptions::new("CartPole-v1", 10, "final score, 95% bootstrap intervals");
/// learning_rate_sensitivity(&[adam], "normalised score", &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn learning_rate_sensitivity(
    curves: &[LearningRateCurve],
    score: &str,
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    let ranges = checked(curves)?;
    let entries = [
        (Swatch::Band(Look::plain(SCORE)), "score"),
        (Swatch::Mark(Marker::Cross, BROKEN), "score where half or more of the runs broke"),
        (Swatch::Bar(BROKEN), "share of runs that collapsed or diverged (full strip: all)"),
        (Swatch::Mark(Marker::Disc, SCORE), "best"),
    ];
    let entries = entries.map(|(swatch, text)| (swatch, text.to_owned())).into();
    let axes = |_, (_, height)| axes(&style, ranges, height);
    let headings = curves.iter().map(|curve| (curve.label.clone(), best_note(curve))).collect();
    let header = ("Sensitivity to the learning rate", entries);
    let mut sheet = options.sheet(&style, header, ("learning rate", score), &axes);
    (sheet.headings, sheet.least) = (headings, style.em(11.0));
    let heights = ((sheet.chart_width() * 3 / 5).min(style.em(26.0)), style.em(6.0) + style.em(STRIP));
    options.draw(&sheet, heights, |i, chart| {
        draw_broken(chart, &curves[i])?;
        draw_score(chart, &curves[i])
    })
}

/// From where to where the learning rates and the scores reach.
fn checked(curves: &[LearningRateCurve]) -> Result<(Range, Range), PlotError> {
    check::labels("curve", curves.iter().map(|curve| curve.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for LearningRateCurve { label, points } in curves {
        check::rising(label, &mut x, points.iter().map(|point| point.lr))?;
        for LearningRatePoint { lr, score, broken } in points {
            check::has_logarithm(label, "learning rate", *lr)?;
            let reason = format!("{broken} is no share of broken runs, 0 to 1");
            check::that((0.0..=1.0).contains(broken), label, reason)?;
            score.map_or(Ok(()), |score| check::hold(label, &mut y, score))?;
        }
    }
    check::that(y != check::NOWHERE, "the picture", "no learning rate has a score")?;
    Ok((x, y))
}

/// The point with the highest score; the first of equals, which is the smaller learning rate.
fn best(curve: &LearningRateCurve) -> Option<(f64, f64)> {
    let scored = curve.points.iter().filter_map(|point| point.score.map(|score| (point.lr, score.point)));
    scored.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

fn best_note(curve: &LearningRateCurve) -> String {
    match best(curve) {
        Some((lr, _)) if lr < 1.0 => with_minus(format!("best at {lr:.1e}").replace(".0e", "e")),
        Some((lr, _)) => format!("best at {}", significant(lr, 2)),
        None => "no score".to_owned(),
    }
}

/// The shared axes. The vertical one has room for the strip below the lowest score.
fn axes(style: &Style, (x, y): (Range, Range), height: i32) -> (Axis, Axis) {
    let strip = f64::from(style.em(STRIP)) / f64::from((height - style.em(STRIP)).max(1));
    let mut y = Axis::new(y, 0.06, style.count(height, 2.6, 5.0));
    y.from -= (y.to - y.from) * strip;
    (Axis::logarithmic(x), y)
}

/// The tint of each learning rate, and its bar in the strip.
fn draw_broken(chart: &Chart<'_, '_>, curve: &LearningRateCurve) -> Drawn {
    let Chart { area, style, .. } = chart;
    let [(left, top), (right, bottom)] = chart.place();
    let at: Vec<i32> = curve.points.iter().map(|point| chart.at(point.lr, 0.0).0).collect();
    let nearest = at.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(i32::MAX);
    let half = (nearest / 10 * 3).clamp(style.hair as i32, style.em(0.5));
    // On whole pixels: between two tints there would be a seam.
    let middles = at.windows(2).map(|pair| (pair[0] + pair[1]) / 2 / in_units(1) * in_units(1));
    let edges: Vec<i32> = std::iter::once(left).chain(middles).chain([right]).collect();
    for ((point, x), edge) in curve.points.iter().zip(at).zip(edges.windows(2)).filter(|((p, _), _)| p.broken > 0.0) {
        let tint = BROKEN.mix(GROUND * point.broken);
        area.draw(&Rectangle::new([(edge[0], top), (edge[1], bottom)], tint.filled()))?;
        let high = (f64::from(style.em(STRIP)) * point.broken).round() as i32;
        area.draw(&Rectangle::new([(x - half, bottom - high), (x + half, bottom)], BROKEN.filled()))?;
    }
    let strip = bottom - style.em(STRIP);
    area.draw(&PathElement::new([(left, strip), (right, strip)], AXIS.stroke_width(style.hair)))
}

fn draw_score(chart: &Chart<'_, '_>, curve: &LearningRateCurve) -> Drawn {
    // A learning rate without a score is a gap in the line.
    for piece in curve.points.split(|point| point.score.is_none()).filter(|piece| !piece.is_empty()) {
        let values = piece.iter().filter_map(|point| Some((point.lr, point.score?)));
        let values: Vec<(f64, Interval)> = values.collect();
        chart.curves(std::iter::once((Look::plain(SCORE), &*values)))?;
    }
    let broken = curve.points.iter().filter(|point| point.broken >= 0.5);
    for (lr, score) in broken.filter_map(|point| Some((point.lr, point.score?))) {
        Marker::Cross.draw(chart.area, chart.at(lr, score.point), BROKEN, chart.style)?;
    }
    best(curve).map_or(Ok(()), |best| chart.plot.draw(&Circle::new(best, chart.style.line * 2, SCORE.filled())))
}
