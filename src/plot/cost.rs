//! Quality against cost: which optimizers are worth what they take.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Chart, Corners, Drawn, Entry, HPos, Interval, Marker, PALETTE, Picture, PictureOptions, PlotError,
    Swatch, VPos, check, distance,
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
    let axes = |_, (_, height)| (Axis::logarithmic(x), Axis::new(y, 0.08, style.count(height, 4.5, 6.0)));
    // Names if they fit beside the points, else numbers: near, farther from a crowd of points, and at last over bars.
    for (numbered, first_ring, clear) in [(false, 1, true), (true, 1, true), (true, 6, true), (true, 1, false)] {
        let text = |(point, i): (&CostPoint, usize)| if numbered { i.to_string() } else { point.label.clone() };
        let texts: Vec<String> = points.iter().zip(1..).map(text).collect();
        let header = ("Quality against cost", entries(points, numbered));
        let sheet = options.sheet(&style, header, names, &axes);
        let mut fits = false;
        let heights = (sheet.chart_width() * 11 / 20, style.em(10.0));
        let picture = options.draw(&sheet, heights, |_, chart| {
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
        chart.plot.draw(&ErrorBar::new_horizontal(y, left, x, right, pen, style.line * 3))?;
        chart.plot.draw(&ErrorBar::new_vertical(x, low, y, high, pen.filled(), style.line * 4))?;
    }
    Ok(())
}

/// The texts in their places, each with a line to its point if it is not beside it.
fn draw_texts(chart: &Chart<'_, '_>, points: &[CostPoint], texts: &[String], places: &[Corners]) -> Drawn {
    let Chart { area, style, .. } = chart;
    for (&place, point) in places.iter().zip(points) {
        let point = at(chart, point);
        let near = nearest(place, point);
        if distance(point, near) > f64::from(style.em(1.2)) {
            area.draw(&PathElement::new([point, near], AXIS.stroke_width(style.hair)))?;
        }
    }
    places.iter().zip(texts).try_for_each(|(&[(left, top), (right, bottom)], text)| {
        style.write(area, text, ((left + right) / 2, (top + bottom) / 2), (HPos::Center, VPos::Center))
    })
}

fn at(chart: &Chart<'_, '_>, point: &CostPoint) -> (i32, i32) {
    chart.at(point.cost.point, point.quality.point)
}

/// The places of texts beside the points, clear of error bars and of each other's lines or not, if there is room for all.
fn places(
    chart: &Chart<'_, '_>,
    points: &[CostPoint],
    texts: &[String],
    (first_ring, clear): (i32, bool),
) -> Option<Vec<Corners>> {
    let em = |ems| chart.style.em(ems);
    let obstacles = |point: &CostPoint| {
        let (x, y) = at(chart, point);
        let ([left, right], [top, bottom]) = (
            [point.cost.low, point.cost.high].map(|cost| chart.at(cost, point.quality.point).0),
            [point.quality.high, point.quality.low].map(|quality| chart.at(point.cost.point, quality).1),
        );
        let wide = em(0.25);
        let across = [(left - wide, y - wide), (right + wide, y + wide)];
        let down = [(x - wide, top - wide), (x + wide, bottom + wide)];
        [around((x, y), em(0.28), em(0.28)), across, down].into_iter().take(if clear { 3 } else { 1 })
    };
    let obstacles: Vec<Corners> = points.iter().flat_map(obstacles).collect();
    let [(left, top), (right, bottom)] = chart.place();
    let bounds = [(left + em(0.2), top), (right + em(1.2), bottom - em(0.1))];
    let widths = texts.iter().map(|text| chart.style.width(text, 1.0) + em(0.3));
    let texts: Vec<((i32, i32), i32)> = points.iter().map(|point| at(chart, point)).zip(widths).collect();
    place(&texts, em(1.25), &obstacles, bounds, (first_ring, em(0.55)), clear)
}

/// So far around a point in each direction.
fn around((x, y): (i32, i32), across: i32, down: i32) -> Corners {
    [(x - across, y - down), (x + across, y + down)]
}

/// The point of a rectangle that is nearest to another.
fn nearest([(left, top), (right, bottom)]: Corners, (x, y): (i32, i32)) -> (i32, i32) {
    (x.clamp(left, right), y.clamp(top, bottom))
}

fn meet([a, b]: Corners, [c, d]: Corners) -> bool {
    a.0 < d.0 && c.0 < b.0 && a.1 < d.1 && c.1 < b.1
}

fn holds([a, b]: Corners, [c, d]: Corners) -> bool {
    a.0 <= c.0 && a.1 <= c.1 && b.0 >= d.0 && b.1 >= d.1
}

/// The places of texts of these widths beside their points, within `bounds`; `None` if one finds none.
///
/// Each text, in order, takes the first place that is free on rings around its point, from the `first`-th on, which are
/// `step` apart: right, left, above, below, and between. It is free if it meets none of the `obstacles` and no text that
/// has its place and, if `clear_ways`, if neither crosses the way of the other to its point.
fn place(
    texts: &[((i32, i32), i32)],
    height: i32,
    obstacles: &[Corners],
    bounds: Corners,
    (first, step): (i32, i32),
    clear_ways: bool,
) -> Option<Vec<Corners>> {
    // Eighths of a turn: right first, for that is where reading goes on; at last all around, for crowds.
    const SIDES: [f64; 8] = [0.0, 4.0, 2.0, 6.0, 1.0, 7.0, 3.0, 5.0];
    let turns: Vec<f64> = SIDES.into_iter().chain((0..48u8).map(|i| f64::from(i) / 6.0)).collect();
    let (mut placed, mut ways): (Vec<Corners>, Vec<Corners>) = (Vec::new(), Vec::new());
    for &((x, y), width) in texts {
        let mut places = (first..first + 24).flat_map(|ring| turns.iter().map(move |turn| (ring, turn)));
        let (text, way) = places.find_map(|(ring, turn)| {
            let (up, across) = (turn * std::f64::consts::FRAC_PI_4).sin_cos();
            let along = |part: f64, half: i32| (part * f64::from(step * ring + half)).round() as i32;
            let text = around((x + along(across, width / 2), y - along(up, height / 2)), width / 2, height / 2);
            let way = way((x, y), nearest(text, (x, y)), step / 4);
            let meets = |one: Corners, others: &[Corners]| others.iter().any(|&other| meet(one, other));
            let crossed = || meets(text, &ways) || way.iter().any(|&piece| meets(piece, &placed));
            let taken = !holds(bounds, text) || meets(text, obstacles) || meets(text, &placed);
            (!(taken || clear_ways && crossed())).then_some((text, way))
        })?;
        placed.push(text);
        ways.extend(way);
    }
    Some(placed)
}

/// Small pieces, so far apart, that cover the straight way between two points.
fn way(from: (i32, i32), to: (i32, i32), apart: i32) -> Vec<Corners> {
    let count = distance(from, to) as i32 / apart.max(1) + 1;
    let at = |i: i32| (from.0 + (to.0 - from.0) * i / count, from.1 + (to.1 - from.1) * i / count);
    (0..=count).map(|i| around(at(i), 1, 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Corners, holds, meet, place};

    const BOUNDS: Corners = [(0, 0), (1000, 1000)];

    #[test]
    fn a_text_stands_on_the_right_and_moves_where_that_is_taken() {
        let alone = |at, obstacles: &[Corners]| place(&[(at, 100)], 20, obstacles, BOUNDS, (1, 10), true);
        assert_eq!(alone((500, 500), &[]), Some(vec![[(510, 490), (610, 510)]]));
        assert_eq!(alone((950, 500), &[]), Some(vec![[(840, 490), (940, 510)]]));
        assert_eq!(alone((500, 500), &[[(505, 0), (530, 1000)]]), Some(vec![[(390, 490), (490, 510)]]));
    }

    #[test]
    fn many_texts_of_one_point_do_not_meet_and_too_many_find_no_place() {
        let texts = [((500, 500), 60); 9];
        let places = place(&texts, 20, &[], BOUNDS, (6, 10), true).expect("places");
        for (i, a) in places.iter().enumerate() {
            assert!(holds(BOUNDS, *a) && places[..i].iter().all(|b| !meet(*a, *b)), "{places:?}");
        }
        assert_eq!(place(&[((500, 500), 900); 60], 20, &[], BOUNDS, (1, 10), true), None);
        assert_eq!(place(&[((500, 500), 1100)], 20, &[], BOUNDS, (1, 10), true), None);
    }
}
