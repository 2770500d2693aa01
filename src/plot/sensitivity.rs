//! What the learning rate does: too small is slow, too large diverges.

use plotters::style::{Color, RGBColor};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity, significant},
    check,
    grid::{Grid, Heading},
    header::Header,
    legend::{Entry, Swatch},
    lettering::Lettering,
    look::PALETTE,
    paper::{AXIS, Paper, Pixel, in_units},
    plane::Plane,
    ribbon::Ribbon,
};
use crate::stats::Interval;

const SCORE: RGBColor = PALETTE[0];
const BROKEN: RGBColor = PALETTE[1];
/// How much of its colour the ground has where every run broke.
const GROUND: f64 = 0.22;

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
    options.check()?;
    let ranges = checked(curves)?;
    let letters = options.lettering()?;
    let em = |ems| letters.em(ems);
    let entries = entries();
    let header = Header::of(&letters, options, "Sensitivity to the learning rate", &entries);
    let headings: Vec<Heading> =
        curves.iter().map(|curve| Heading { name: curve.label.clone(), note: best(curve) }).collect();
    let left = axes(&letters, ranges, (em(60.0), em(60.0))).1.room(&letters);
    let grid = Grid::new(&letters, in_units(options.width), &headings, left, em(11.0));
    let least = em(6.0) + em(STRIP);
    let (natural, least) = (grid.height((grid.panel_width * 3 / 5).clamp(least, em(26.0))), grid.height(least));
    let height = options.height(header.bottom + natural, header.bottom + least)?;
    let mut picture = Picture::new(options.width, height);
    let paper = Paper::new(&mut picture, &letters);
    let places = grid.draw_headings(&paper, &header)?;
    let plane = |&[left_top, right_bottom]: &[Pixel; 2]| {
        let (x, y) = axes(&letters, ranges, (grid.panel_width, right_bottom.1 - left_top.1));
        Plane { left_top, right_bottom, x, y }
    };
    let planes: Vec<Plane> = places.iter().map(plane).collect();
    for (plane, curve) in planes.iter().zip(curves) {
        draw_ground(&paper, plane, curve)?;
    }
    grid.draw_axes(&paper, &planes, ("learning rate", score))?;
    for (plane, curve) in planes.iter().zip(curves) {
        draw_score(&paper, plane, curve)?;
    }
    drop(paper);
    Ok(picture)
}

/// Height of the strip for broken runs, in text sizes.
const STRIP: f64 = 1.4;

/// From where to where the learning rates and the scores reach.
type Ranges = ((f64, f64), (f64, f64));

fn checked(curves: &[LearningRateCurve]) -> Result<Ranges, PlotError> {
    check::some("the picture", curves.len(), "it needs at least one curve")?;
    check::labels(curves.iter().map(|curve| curve.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for LearningRateCurve { label, points } in curves {
        check::some(label, points.len(), "it has no points")?;
        check::rising(label, points.iter().map(|point| point.lr))?;
        for &LearningRatePoint { lr, score, broken } in points {
            // Far below any that is used, and its logarithm is still exact.
            if lr < 1e-100 {
                return Err(check::refused(
                    label,
                    format!("its learning rate {lr} has no place on a logarithmic axis"),
                ));
            }
            if !(0.0..=1.0).contains(&broken) {
                return Err(check::refused(label, format!("{broken} is no share of broken runs, 0 to 1")));
            }
            x = check::stretch(x, lr, lr);
            if let Some(interval) = score {
                check::interval(label, &interval)?;
                y = check::stretch(y, interval.low.min(interval.point), interval.high.max(interval.point));
            }
        }
    }
    if y == check::NOWHERE {
        return Err(check::refused("the picture", "no learning rate has a score"));
    }
    Ok((x, y))
}

fn entries() -> [Entry; 4] {
    let entry = |colour, swatch, text: &str| Entry { colour, dashes: None, swatch, text: text.to_owned() };
    [
        entry(SCORE, Swatch::Line { band: true, marker: None }, "score"),
        entry(BROKEN, Swatch::Cross, "score where half or more of the runs broke"),
        entry(BROKEN, Swatch::Bar, "share of runs that collapsed or diverged (full strip: all)"),
        entry(SCORE, Swatch::Disc, "best"),
    ]
}

/// The point with the highest score.
fn best_point(curve: &LearningRateCurve) -> Option<(f64, f64)> {
    let scored = curve.points.iter().filter_map(|point| point.score.map(|score| (point.lr, score.point)));
    // The first of equals: the smaller learning rate.
    scored.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

fn best(curve: &LearningRateCurve) -> String {
    match best_point(curve) {
        Some((lr, _)) if lr < 1.0 => format!("best at {lr:.1e}").replace(".0e", "e").replace('-', "−"),
        Some((lr, _)) => format!("best at {}", significant(lr, 2)),
        None => "no score".to_owned(),
    }
}

/// The shared axes. The vertical one has room for the strip below the lowest score.
fn axes(letters: &Lettering, (x, y): Ranges, (_, height): (i32, i32)) -> (Axis, Axis) {
    let air = if y.1 > y.0 { (y.1 - y.0) * 0.06 } else { y.1.abs().max(1.0) * 0.05 };
    let (from, to) = (y.0 - air, y.1 + air);
    let strip = f64::from(letters.em(STRIP)) / f64::from((height - letters.em(STRIP)).max(1));
    let y = Axis::new(Quantity::Metric, from, to, letters.count(height, 2.6, 5.0));
    (Axis::logarithmic(x.0, x.1), y.with_room_below(strip))
}

/// The tint of each learning rate, and its bar in the strip.
fn draw_ground(paper: &Paper<'_>, plane: &Plane, curve: &LearningRateCurve) -> Result<(), PlotError> {
    let (top, bottom) = (plane.left_top.1, plane.right_bottom.1);
    let at: Vec<i32> = curve.points.iter().map(|point| plane.across(point.lr)).collect();
    let nearest = at.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(i32::MAX);
    let half = (nearest / 10 * 3).clamp(paper.letters.measure.hair as i32, paper.em(0.5));
    for (i, point) in curve.points.iter().enumerate().filter(|(_, point)| point.broken > 0.0) {
        let left = i.checked_sub(1).and_then(|i| at.get(i)).map_or(plane.left_top.0, |before| (before + at[i]) / 2);
        let right = at.get(i + 1).map_or(plane.right_bottom.0, |after| (at[i] + after) / 2);
        // On whole pixels: between two tints there would be a seam.
        let whole = |x: i32| x / in_units(1) * in_units(1);
        paper.rectangle([(whole(left), top), (whole(right), bottom)], BROKEN.mix(GROUND * point.broken))?;
        let high = (f64::from(paper.em(STRIP)) * point.broken).round() as i32;
        paper.rectangle([(at[i] - half, bottom - high), (at[i] + half, bottom)], BROKEN.into())?;
    }
    let strip = bottom - paper.em(STRIP);
    paper.hair(&[(plane.left_top.0, strip), (plane.right_bottom.0, strip)], AXIS)
}

fn draw_score(paper: &Paper<'_>, plane: &Plane, curve: &LearningRateCurve) -> Result<(), PlotError> {
    // A learning rate without a score is a gap in the line.
    for piece in curve.points.split(|point| point.score.is_none()).filter(|piece| !piece.is_empty()) {
        let through = |value: fn(&Interval) -> f64| {
            let scored = piece.iter().filter_map(|point| point.score.map(|score| (point.lr, score)));
            scored.map(|(lr, score)| plane.at(lr, value(&score))).collect::<Vec<Pixel>>()
        };
        let (line, upper, lower) = (through(|i| i.point), through(|i| i.high), through(|i| i.low));
        let ribbon = Ribbon { line, upper, lower, colour: SCORE, dashes: None, marker: None };
        ribbon.draw_band(paper)?;
        ribbon.draw_line(paper)?;
    }
    for point in curve.points.iter().filter(|point| point.broken >= 0.5) {
        if let Some(score) = point.score {
            paper.cross(plane.at(point.lr, score.point), paper.em(0.35), BROKEN)?;
        }
    }
    match best_point(curve) {
        Some((lr, score)) => paper.disc(plane.at(lr, score), paper.letters.measure.line as i32 * 2, SCORE),
        None => Ok(()),
    }
}
