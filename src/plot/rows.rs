//! Interval estimates, one row an optimizer, one panel a metric.

use plotters::style::{Color, RGBColor};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    check,
    grid::{Grid, Heading},
    header::Header,
    lettering::Lettering,
    look::PALETTE,
    paper::{Paper, Pixel, in_units},
    plane::Plane,
    row_labels::RowLabels,
};
use crate::stats::Interval;

/// How much of its colour an interval's bar has.
const BAR: f64 = 0.45;
/// Every other row's ground.
const ZEBRA: RGBColor = RGBColor(246, 246, 246);

/// One row of [`interval_rows`].
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// One interval a metric, in the metrics' order.
    pub intervals: Vec<Interval>,
}

/// Draws interval estimates: a panel for each metric, such as IQM, mean, median and optimality gap, and in each a row
/// for each optimizer, the highest of the first metric at the top.
///
/// A bar is the interval, the dark stroke on it the point estimate. The picture grows with the number of rows.
///
/// As figure 9 of Agarwal et al. 2021, <https://arxiv.org/abs/2108.13264>.
///
/// # Errors
/// A [`PlotError`] if there is no metric or no row, a row has another number of intervals than there are metrics, a
/// number is not finite, an option is out of range, or the height that was asked for is too small for the rows.
///
/// ```
/// use uphill::plot::{IntervalRow, PictureOptions, interval_rows};
/// use uphill::stats::Interval;
///
/// let row = |label: &str, point: f64| IntervalRow {
///     label: label.into(),
///     intervals: vec![Interval { point, low: point - 0.05, high: point + 0.05 }; 2],
/// };
/// let options = PictureOptions::new("7 tasks", 30, "95% stratified bootstrap intervals");
/// let rows = [row("sgd", 0.4), row("adam", 0.8)];
/// interval_rows(&["IQM", "mean"], &rows, &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn interval_rows(metrics: &[&str], rows: &[IntervalRow], options: &PictureOptions) -> Result<Picture, PlotError> {
    options.check()?;
    let sorted = checked(metrics, rows)?;
    let letters = options.lettering()?;
    let em = |ems| letters.em(ems);
    let header = Header::of(&letters, options, "Scores", &[]);
    let labels = RowLabels::new(&letters, in_units(options.width) * 2 / 5, sorted.iter().map(|row| row.label.as_str()));
    let headings: Vec<Heading> =
        metrics.iter().map(|metric| Heading { name: (*metric).to_owned(), ..Heading::default() }).collect();
    let grid = Grid::new(&letters, in_units(options.width), &headings, labels.right + em(0.6), em(8.0));
    let count = sorted.len() as i32;
    let (natural, least) = (labels.height + em(0.6), labels.height.max(em(0.8)));
    let height =
        options.height(header.bottom + grid.height(natural * count), header.bottom + grid.height(least * count))?;
    let mut picture = Picture::new(options.width, height);
    let paper = Paper::new(&mut picture, &letters);
    let places = grid.draw_headings(&paper, &header)?;
    for (i, &[left_top, right_bottom]) in places.iter().enumerate() {
        let intervals: Vec<&Interval> = sorted.iter().filter_map(|row| row.intervals.get(i)).collect();
        let plane = Plane { left_top, right_bottom, ..plane(&letters, grid.panel_width, &intervals) };
        let (top, bottom) = (left_top.1, right_bottom.1);
        let edge = |row: usize| top + (bottom - top) * row as i32 / count;
        let first = i % grid.columns == 0;
        for row in (0..sorted.len()).step_by(2) {
            // From the labels on: the eye follows the stripe from a name to its bars.
            let left = if first { em(0.9) } else { left_top.0 - em(2.6) };
            paper.rectangle([(left, edge(row)), (right_bottom.0, edge(row + 1))], ZEBRA.into())?;
        }
        if first {
            for row in 0..sorted.len() {
                labels.write(&paper, row, (edge(row) + edge(row + 1)) / 2)?;
            }
        }
        plane.vertical_grid(&paper)?;
        plane.x_axis(&paper)?;
        for (row, interval) in intervals.iter().enumerate() {
            draw_interval(&paper, &plane, interval, (edge(row), edge(row + 1)))?;
        }
    }
    drop(paper);
    Ok(picture)
}

/// The rows, the best of the first metric first.
fn checked<'a>(metrics: &[&str], rows: &'a [IntervalRow]) -> Result<Vec<&'a IntervalRow>, PlotError> {
    check::some("the picture", metrics.len(), "it needs at least one metric")?;
    check::labels(metrics.iter().copied())?;
    check::some("the picture", rows.len(), "it needs at least one row")?;
    check::labels(rows.iter().map(|row| row.label.as_str()))?;
    for row in rows {
        check::same_length(&row.label, row.intervals.len(), metrics.len(), "intervals")?;
        row.intervals.iter().try_for_each(|interval| check::interval(&row.label, interval))?;
    }
    let score = |row: &IntervalRow| row.intervals.first().map_or(0.0, |interval| interval.point);
    let mut sorted: Vec<&IntervalRow> = rows.iter().collect();
    sorted.sort_by(|a, b| score(b).total_cmp(&score(a)));
    Ok(sorted)
}

/// Axes that hold the intervals, at no place yet.
fn plane(letters: &Lettering, width: i32, intervals: &[&Interval]) -> Plane {
    let range = intervals.iter().fold(check::NOWHERE, |range, interval| {
        check::stretch(range, interval.low.min(interval.point), interval.high.max(interval.point))
    });
    let air = (range.1 - range.0) * 0.06;
    let x = Axis::new(Quantity::Metric, range.0 - air, range.1 + air, letters.count(width, 1.9, 6.0));
    Plane { left_top: (0, 0), right_bottom: (0, 0), x, y: Axis::new(Quantity::Metric, 0.0, 1.0, 2.0) }
}

fn draw_interval(
    paper: &Paper<'_>,
    plane: &Plane,
    interval: &Interval,
    (top, bottom): (i32, i32),
) -> Result<(), PlotError> {
    let (middle, line) = ((top + bottom) / 2, paper.letters.measure.line as i32);
    let half = ((bottom - top) * 3 / 10).min(paper.em(0.5));
    let (low, high) = (plane.across(interval.low), plane.across(interval.high));
    paper.rectangle([(low, middle - half), (high, middle + half)], PALETTE[0].mix(BAR))?;
    let (x, tall): (i32, i32) = (plane.across(interval.point), half + paper.em(0.12));
    let stroke: [Pixel; 2] = [(x - line / 2, middle - tall), (x + line / 2, middle + tall)];
    paper.rectangle(stroke, PALETTE[0].into())
}
