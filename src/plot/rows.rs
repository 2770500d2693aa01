//! Interval estimates, one row an optimizer, one panel a metric.

use plotters::{
    element::Rectangle,
    style::{
        Color, RGBAColor,
        text_anchor::{HPos, VPos},
    },
};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    chart::{Chart, MARGIN},
    check,
    header::{Entry, LINE, NAME_LINES},
    look::PALETTE,
    picture::{Area, Drawn, in_units},
    sheet::{Heading, Panels},
    style::Style,
};
use crate::stats::Interval;

/// How much of its colour an interval's bar has.
pub(super) const BAR: f64 = 0.45;
/// Every other row's ground.
const ZEBRA: RGBAColor = RGBAColor(0, 0, 0, 0.035);

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
    let style = options.style()?;
    check::that(!metrics.is_empty(), "the picture", "it needs at least one metric")?;
    check::labels(metrics.iter().copied())?;
    check::that(!rows.is_empty(), "the picture", "it needs at least one row")?;
    check::labels(rows.iter().map(|row| row.label.as_str()))?;
    let mut ranges = vec![check::NOWHERE; metrics.len()];
    for IntervalRow { label, intervals } in rows {
        check::same_length(label, intervals.len(), metrics.len(), "intervals")?;
        for (range, interval) in ranges.iter_mut().zip(intervals) {
            *range = check::hold(label, *range, interval)?;
        }
    }
    let mut sorted: Vec<&IntervalRow> = rows.iter().collect();
    sorted.sort_by(|a, b| b.intervals[0].point.total_cmp(&a.intervals[0].point));
    let axis = |(from, to): (f64, f64), width| {
        let air = (to - from) * 0.06;
        Axis::new(Quantity::Metric, from - air, to + air, style.count(width, 1.9, 6.0))
    };
    let rows = Rows {
        labels: sorted.iter().map(|row| row.label.as_str()).collect(),
        headings: metrics.iter().map(|metric| Heading::new(metric)).collect(),
        least: style.em(8.0),
        axis: &|i, width| axis(ranges[i], width),
    };
    rows.draw(options, ("Scores", Vec::new()), |chart, i, row| {
        let Interval { point, low, high } = sorted[row.number].intervals[i];
        let at = |x| chart.at(x, 0.0).0;
        let (y, half) = (row.middle, (row.height * 3 / 10).min(style.em(0.5)));
        let bar = [(at(low), y - half), (at(high), y + half)];
        chart.area.draw(&Rectangle::new(bar, PALETTE[0].mix(BAR).filled()))?;
        let (line, tall) = (style.line as i32 / 2, half + style.em(0.12));
        let stroke = [(at(point) - line, y - tall), (at(point) + line, y + tall)];
        chart.area.draw(&Rectangle::new(stroke, PALETTE[0].filled()))
    })
}

/// Rows of marks under names, in panels side by side.
pub(super) struct Rows<'a> {
    pub(super) labels: Vec<&'a str>,
    /// One a panel.
    pub(super) headings: Vec<Heading>,
    /// The least width of a chart.
    pub(super) least: i32,
    /// The horizontal axis of the so-manieth panel, if its chart is so wide.
    pub(super) axis: &'a dyn Fn(usize, i32) -> Axis,
}

/// One row of a panel: where its middle is, and how high it is.
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) middle: i32,
    pub(super) height: i32,
}

impl Rows<'_> {
    /// Draws the panels, and in each row of each what `mark` draws.
    pub(super) fn draw(
        self,
        options: &PictureOptions,
        header: (&str, Vec<Entry>),
        mark: impl Fn(&Chart<'_, '_>, usize, &Row) -> Drawn,
    ) -> Result<Picture, PlotError> {
        let style = options.style()?;
        let count = self.labels.len() as i32;
        let names = RowNames::new(&style, in_units(options.width) * 2 / 5, self.labels.into_iter());
        let heights = |_| (count * (names.height + style.em(0.6)), count * names.height.max(style.em(0.8)));
        let panels = Panels {
            headings: self.headings,
            names: ("", ""),
            left: names.right,
            least: self.least,
            axes: &|i, (width, _)| ((self.axis)(i, width), Axis::bare(0.0, 1.0)),
        };
        let gap = style.em(MARGIN) + Axis::bare(0.0, 1.0).room(&style);
        options.draw(&style, header, panels, heights, |i, chart| {
            let [(left, top), (right, bottom)] = chart.place();
            // The first of a row of panels has none between the names and itself.
            let first = left - names.right < self.least;
            // The eye follows the stripe from a name to its marks, and from one panel's end to the next one's.
            let from = if first { style.em(0.9) } else { left - gap };
            let edge = |row: i32| top + (bottom - top) * row / count;
            (0..count).try_for_each(|row| {
                let (number, middle) = (row as usize, (edge(row) + edge(row + 1)) / 2);
                if row % 2 == 0 {
                    let stripe = [(from, edge(row)), (right, edge(row + 1))];
                    chart.area.draw(&Rectangle::new(stripe, ZEBRA.filled()))?;
                }
                if first {
                    names.write(chart.area, &style, number, middle)?;
                }
                mark(chart, i, &Row { number, middle, height: (bottom - top) / count })
            })
        })
    }
}

/// Names of rows, in a column at the picture's left edge.
pub(super) struct RowNames {
    lines: Vec<Vec<String>>,
    /// Where the column ends.
    pub(super) right: i32,
    /// How high the highest name is.
    pub(super) height: i32,
}

impl RowNames {
    /// Names in as many lines as they need that have so much room.
    pub(super) fn new<'a>(style: &Style, room: i32, names: impl Iterator<Item = &'a str>) -> RowNames {
        let lines: Vec<Vec<String>> = names.map(|name| style.wrap(name, 1.0, room, NAME_LINES)).collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1) as i32;
        RowNames { right: style.em(0.9) + style.widest(lines.iter().flatten()), height: style.em(LINE) * most, lines }
    }

    /// Writes the so-manieth name around a height.
    pub(super) fn write(&self, area: &Area<'_>, style: &Style, row: usize, middle: i32) -> Drawn {
        let (lines, step) = (&self.lines[row], style.em(LINE));
        let first = middle - step * (lines.len() as i32 - 1) / 2;
        let write = |(line, i): (&String, i32)| {
            style.write(area, line, (self.right, first + step * i), (HPos::Right, VPos::Center))
        };
        lines.iter().zip(0..).try_for_each(write)
    }
}
