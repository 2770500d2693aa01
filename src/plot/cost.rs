//! Quality against cost: which optimizers are worth what they take.

use plotters::style::{
    RGBColor,
    text_anchor::{HPos, VPos},
};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    check,
    grid::{Grid, Heading},
    header::Header,
    legend::{Entry, Swatch},
    lettering::Lettering,
    look::PALETTE,
    paper::{AXIS, Paper, Pixel, TEXT, in_units},
    placement::{Area, place},
    plane::Plane,
};
use crate::stats::Interval;

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
    options.check()?;
    let ranges = checked(points)?;
    let letters = options.lettering()?;
    let labels: Vec<String> = points.iter().map(|point| point.label.clone()).collect();
    let numbers: Vec<String> = (1..=points.len()).map(|number| number.to_string()).collect();
    let mut numbered = entries();
    numbered.extend(points.iter().enumerate().map(|(i, point)| Entry {
        colour: TEXT,
        dashes: None,
        swatch: Swatch::Number(i + 1),
        text: point.label.clone(),
    }));
    // Names if they fit beside the points, else numbers: near, farther from a crowd of points, and at last over bars.
    let attempts = [
        (&labels, &entries(), 1, true),
        (&numbers, &numbered, 1, true),
        (&numbers, &numbered, 6, true),
        (&numbers, &numbered, 1, false),
    ];
    for (texts, entries, first_ring, clear) in attempts {
        let header = Header::of(&letters, options, "Quality against cost", entries);
        let (grid, height) = layout(&letters, options, &header, ranges)?;
        let total = in_units(height) - header.bottom;
        let panel_height = grid.panel_height(total);
        let places = grid.places(header.bottom, panel_height);
        let Some(&[left_top, right_bottom]) = places.first() else { continue };
        let (x, y) = axes(&letters, ranges, (grid.panel_width, panel_height));
        let plane = Plane { left_top, right_bottom, x, y };
        let Some(areas) = room(&letters, &plane, points, texts, (first_ring, clear)) else { continue };
        let mut picture = Picture::new(options.width, height);
        let paper = Paper::new(&mut picture, &letters);
        header.draw(&paper)?;
        let planes = [plane];
        grid.draw_axes(&paper, &planes, names)?;
        let [plane] = &planes;
        draw_points(&paper, plane, points)?;
        for (area, point) in areas.iter().zip(points) {
            draw_way(&paper, plane.at(point.cost.point, point.quality.point), *area)?;
        }
        for (area, text) in areas.iter().zip(texts) {
            paper.write(text, (1.0, TEXT), area.centre(), (HPos::Center, VPos::Center), paper.width())?;
        }
        drop(paper);
        return Ok(picture);
    }
    Err(check::refused(
        "the picture",
        "its points lie too close for a number beside each; give it more width and height",
    ))
}

/// From where to where costs and qualities reach.
type Ranges = ((f64, f64), (f64, f64));

fn checked(points: &[CostPoint]) -> Result<Ranges, PlotError> {
    check::some("the picture", points.len(), "it needs at least one point")?;
    check::labels(points.iter().map(|point| point.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for CostPoint { label, cost, quality } in points {
        check::interval(label, cost)?;
        check::interval(label, quality)?;
        let least = cost.low.min(cost.point);
        // Far below any that is measured, and its logarithm is still exact.
        if least < 1e-100 {
            return Err(check::refused(label, format!("its cost {least} has no place on a logarithmic axis")));
        }
        x = check::stretch(x, least, cost.high.max(cost.point));
        y = check::stretch(y, quality.low.min(quality.point), quality.high.max(quality.point));
    }
    Ok((x, y))
}

fn entries() -> Vec<Entry> {
    let entry = |colour, text: &str| Entry { colour, dashes: None, swatch: Swatch::Disc, text: text.to_owned() };
    vec![entry(BEST, "no other is both cheaper and better"), entry(DOMINATED, "another is")]
}

/// One panel, and the picture's height in pixels.
fn layout(
    letters: &Lettering,
    options: &PictureOptions,
    header: &Header<'_>,
    ranges: Ranges,
) -> Result<(Grid, u32), PlotError> {
    let em = |ems| letters.em(ems);
    let left = axes(letters, ranges, (em(60.0), em(60.0))).1.room(letters);
    let grid = Grid::new(letters, in_units(options.width), &[Heading::default()], left, em(13.0));
    let natural = grid.height((grid.panel_width * 11 / 20).max(em(10.0)));
    let height = options.height(header.bottom + natural, header.bottom + grid.height(em(10.0)))?;
    Ok((grid, height))
}

fn axes(letters: &Lettering, (x, y): Ranges, (_, height): (i32, i32)) -> (Axis, Axis) {
    let air = (y.1 - y.0) * 0.08;
    let y = Axis::new(Quantity::Metric, y.0 - air, y.1 + air, letters.count(height, 4.5, 6.0));
    (Axis::logarithmic(x.0, x.1), y)
}

fn radius(letters: &Lettering) -> i32 {
    letters.measure.line as i32 * 2
}

/// The two bars of a point.
fn bars(plane: &Plane, point: &CostPoint) -> [[Pixel; 2]; 2] {
    let (cost, quality) = (&point.cost, &point.quality);
    [
        [plane.at(cost.low, quality.point), plane.at(cost.high, quality.point)],
        [plane.at(cost.point, quality.low), plane.at(cost.point, quality.high)],
    ]
}

/// The places of texts beside the points, clear of error bars and of each other's lines or not, if there is room for all.
fn room(
    letters: &Lettering,
    plane: &Plane,
    points: &[CostPoint],
    texts: &[String],
    (first_ring, clear): (i32, bool),
) -> Option<Vec<Area>> {
    let em = |ems| letters.em(ems);
    let at = |point: &CostPoint| plane.at(point.cost.point, point.quality.point);
    let mut obstacles: Vec<Area> =
        points.iter().map(|point| Area::around(at(point), radius(letters), radius(letters))).collect();
    if clear {
        // Their caps, too.
        let wide = em(0.25);
        let span = |[(x0, y0), (x1, y1)]: [Pixel; 2]| Area {
            left: x0.min(x1) - wide,
            top: y0.min(y1) - wide,
            right: x0.max(x1) + wide,
            bottom: y0.max(y1) + wide,
        };
        obstacles.extend(points.iter().flat_map(|point| bars(plane, point).map(span)));
    }
    let ((left, top), (right, bottom)) = (plane.left_top, plane.right_bottom);
    let bounds = Area { left: left + em(0.2), top, right: right + em(1.2), bottom: bottom - em(0.1) };
    let labels: Vec<(Pixel, i32)> =
        points.iter().zip(texts).map(|(point, text)| (at(point), letters.width(text, 1.0) + em(0.3))).collect();
    place(&labels, em(1.25), &obstacles, bounds, (first_ring, em(0.55)), clear)
}

fn draw_points(paper: &Paper<'_>, plane: &Plane, points: &[CostPoint]) -> Result<(), PlotError> {
    let beaten = |point: &CostPoint| {
        points.iter().any(|other| {
            let (cost, quality) = (other.cost.point, other.quality.point);
            let as_good = cost <= point.cost.point && quality >= point.quality.point;
            as_good && (cost < point.cost.point || quality > point.quality.point)
        })
    };
    let cap = paper.em(0.2);
    for point in points {
        let colour = if beaten(point) { DOMINATED } else { BEST };
        for (bar, (across, down)) in bars(plane, point).into_iter().zip([(0, cap), (cap, 0)]) {
            paper.hair(&bar, colour)?;
            // Caps: bars of points that cost the same lie over each other.
            for (x, y) in bar {
                paper.hair(&[(x - across, y - down), (x + across, y + down)], colour)?;
            }
        }
        paper.disc(plane.at(point.cost.point, point.quality.point), radius(paper.letters), colour)?;
    }
    Ok(())
}

/// A line from a point to its text, if that is not beside it.
fn draw_way(paper: &Paper<'_>, point: Pixel, area: Area) -> Result<(), PlotError> {
    let near = area.nearest(point);
    let distance = f64::from(near.0 - point.0).hypot(f64::from(near.1 - point.1));
    if distance > f64::from(paper.em(1.2)) { paper.hair(&[point, near], AXIS) } else { Ok(()) }
}
