//! Quality against cost: which optimizers are worth what they take.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Chart, Corners, Drawn, Entry, HPos, Interval, Marker, PALETTE, Panels, Picture, PictureOptions,
    PlotError, Swatch, VPos, check, distance,
    placement::{around, nearest, place},
};

const BEST: RGBColor = PALETTE[0];
const DOMINATED: RGBColor = PALETTE[4];

/// One point of [`quality_against_cost`].
#[derive(Debug, Clone, PartialEq)]
pub struct CostPoint {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// What it takes, above zero, such as microseconds an update. Where it is known exactly, all three are the same.
    pub cost: Interval,
    /// What it gives.
    pub quality: Interval,
}

/// Draws quality against cost, on a logarithmic axis: a point with error bars for each optimizer, and its name beside it.
///
/// `names` are what stands along the axes, cost first, with their units. Points that no other beats in both have the
/// first colour. Where the names have no room beside the points they stand above the picture, and numbers beside the
/// points.
///
/// # Errors
/// A [`PlotError`] if there is no point, a cost is not above zero, a number is not finite, an option is out of range, or
/// even numbers find no room beside the points.
///
/// ```
/// use uphill::plot::{CostPoint, PictureOptions, quality_against_cost};
/// use uphill::stats::Interval;
///
/// let exactly = |point| Interval { point, low: point, high: point };
/// let point = |label: &str, cost, point: f64| CostPoint {
///     label: label.into(),
///     cost: exactly(cost),
///     quality: Interval { point, low: point - 0.05, high: point + 0.05 },
/// };
/// let options = PictureOptions::new("7 tasks", 30, "IQM, 95% stratified bootstrap intervals");
/// let names = ("microseconds an update", "normalised score");
/// let picture = quality_against_cost(&[point("sgd", 9.0, 0.4), point("adam", 22.0, 0.8)], names, &options)?;
/// assert!(picture.svg().contains("aria-label=\"adam\""));
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn quality_against_cost(
    points: &[CostPoint],
    names: (&str, &str),
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    check::labels("point", points.iter().map(|point| point.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for CostPoint { label, cost, quality } in points {
        check::hold(label, &mut x, *cost)?;
        check::hold(label, &mut y, *quality)?;
        check::has_logarithm(label, "cost", cost.low.min(cost.point))?;
    }
    let air = (y.1 - y.0) * 0.08;
    let axes = |height| (Axis::logarithmic(x.0, x.1), Axis::new(y.0 - air, y.1 + air, style.count(height, 4.5, 6.0)));
    // Names if they fit beside the points, else numbers: near, farther from a crowd of points, and at last over bars.
    for (numbered, first_ring, clear) in [(false, 1, true), (true, 1, true), (true, 6, true), (true, 1, false)] {
        let text = |(point, i): (&CostPoint, usize)| if numbered { i.to_string() } else { point.label.clone() };
        let texts: Vec<String> = points.iter().zip(1..).map(text).collect();
        let header = ("Quality against cost", entries(points, numbered));
        let axes = |_, (_, height)| axes(height);
        let panels = Panels::new(&style, names, &axes);
        let mut fits = false;
        let heights = |width| (width * 11 / 20, style.em(10.0));
        let picture = options.draw(&style, header, panels, heights, |_, chart| {
            draw_points(chart, points)?;
            let Some(places) = places(chart, points, &texts, (first_ring, clear)) else { return Ok(()) };
            fits = true;
            draw_texts(chart, points, &texts, &places)
        })?;
        if fits {
            return Ok(picture);
        }
    }
    let reason = "its points lie too close for a number beside each; give it more width and height";
    Err(check::refused("the picture", reason))
}

/// What the colours mean, and the points' names where they are numbered.
fn entries(points: &[CostPoint], numbered: bool) -> Vec<Entry> {
    let best = (Swatch::Mark(Marker::Disc, BEST), "no other is both cheaper and better".to_owned());
    let dominated = (Swatch::Mark(Marker::Disc, DOMINATED), "another is".to_owned());
    let number = |(point, i): (&CostPoint, usize)| (Swatch::Number(i), point.label.clone());
    let numbers = points.iter().zip(1..).filter(|_| numbered).map(number);
    [best, dominated].into_iter().chain(numbers).collect()
}

/// Each point with its error bars, in the colour of those that no other beats in both or in that of the others.
fn draw_points(chart: &Chart<'_, '_>, points: &[CostPoint]) -> Drawn {
    let style = chart.style;
    let beaten = |point: &CostPoint| {
        points.iter().any(|other| {
            let (cost, quality) = (other.cost.point, other.quality.point);
            let as_good = cost <= point.cost.point && quality >= point.quality.point;
            as_good && (cost < point.cost.point || quality > point.quality.point)
        })
    };
    for point in points {
        let pen = if beaten(point) { DOMINATED } else { BEST }.stroke_width(style.hair);
        let (Interval { point: x, low: left, high: right }, Interval { point: y, low, high }) =
            (point.cost, point.quality);
        chart.draw(&ErrorBar::new_horizontal(y, left, x, right, pen, style.line * 3))?;
        chart.draw(&ErrorBar::new_vertical(x, low, y, high, pen.filled(), style.line * 4))?;
    }
    Ok(())
}

/// The texts in their places, each with a line to its point if it is not beside it.
fn draw_texts(chart: &Chart<'_, '_>, points: &[CostPoint], texts: &[String], places: &[Corners]) -> Drawn {
    let Chart { area, style, .. } = chart;
    for (&place, point) in places.iter().zip(points) {
        let point = chart.at(point.cost.point, point.quality.point);
        let near = nearest(place, point);
        if distance(point, near) > f64::from(style.em(1.2)) {
            area.draw(&PathElement::new([point, near], AXIS.stroke_width(style.hair)))?;
        }
    }
    places.iter().zip(texts).try_for_each(|(&[(left, top), (right, bottom)], text)| {
        style.write(area, text, ((left + right) / 2, (top + bottom) / 2), (HPos::Center, VPos::Center))
    })
}

/// The places of texts beside the points, clear of error bars and of each other's lines or not, if there is room for all.
fn places(
    chart: &Chart<'_, '_>,
    points: &[CostPoint],
    texts: &[String],
    (first_ring, clear): (i32, bool),
) -> Option<Vec<Corners>> {
    let em = |ems| chart.style.em(ems);
    let obstacles = |CostPoint { cost, quality, .. }: &CostPoint| {
        let ((left, y), (right, _)) = (chart.at(cost.low, quality.point), chart.at(cost.high, quality.point));
        let ((x, bottom), (_, top)) = (chart.at(cost.point, quality.low), chart.at(cost.point, quality.high));
        let wide = em(0.25);
        let across = [(left - wide, y - wide), (right + wide, y + wide)];
        let down = [(x - wide, top - wide), (x + wide, bottom + wide)];
        let bars = if clear { vec![across, down] } else { Vec::new() };
        bars.into_iter().chain([around((x, y), em(0.28), em(0.28))])
    };
    let obstacles: Vec<Corners> = points.iter().flat_map(obstacles).collect();
    let [(left, top), (right, bottom)] = chart.place();
    let bounds = [(left + em(0.2), top), (right + em(1.2), bottom - em(0.1))];
    let text = |(point, text): (&CostPoint, &String)| {
        (chart.at(point.cost.point, point.quality.point), chart.style.width(text, 1.0) + em(0.3))
    };
    let texts: Vec<((i32, i32), i32)> = points.iter().zip(texts).map(text).collect();
    place(&texts, em(1.25), &obstacles, bounds, (first_ring, em(0.55)), clear)
}
