//! Rows of marks under names, in panels side by side.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Chart, Drawn, Entry, HPos, Interval, NAME_LINES, Panels, Picture, PictureOptions, PlotError, Range,
    VPos, chart::MARGIN, in_pixels, in_units, style::LINE,
};

/// How much of its colour an interval's bar has.
const BAR: f64 = 0.45;
/// Every other row's ground.
const ZEBRA: RGBAColor = RGBAColor(0, 0, 0, 0.035);
/// Magnitudes below the largest by more than this factor are drawn at the axis's end.
const SMALLEST: f64 = 1e-6;

/// Rows of marks under names, in panels side by side.
pub(super) struct Rows<'a> {
    pub(super) labels: Vec<&'a str>,
    /// One a panel, as [`Panels`] has them.
    pub(super) headings: Vec<(String, String)>,
    /// On which side the numbers of the horizontal axis are.
    pub(super) numbers: LabelAreaPosition,
    /// Room for names.
    pub(super) room: i32,
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
        let em = |ems| style.em(ems);
        let (width, count) = (in_units(options.width), self.labels.len() as i32);
        let name = |name: &&str| style.wrap(name, 1.0, self.room, NAME_LINES);
        let names: Vec<Vec<String>> = self.labels.iter().map(name).collect();
        let left = em(0.9) + style.widest(names.iter().flatten());
        let name_height = em(LINE) * names.iter().map(Vec::len).max().unwrap_or(1) as i32;
        let gap = em(MARGIN) + Axis::bare().room(&style);
        let lacking = self.least - (width - left - gap - em(0.4));
        if lacking > 0 {
            // Of what is added, names may take their share.
            let least = options.width + in_pixels(lacking * 5 / 3);
            return Err(PlotError::Size { side: "width", pixels: options.width, least });
        }
        let panels = Panels {
            headings: self.headings,
            names: ("", ""),
            numbers: self.numbers,
            left,
            least: self.least,
            axes: &|i, (width, _)| ((self.axis)(i, width), Axis::bare()),
        };
        let heights = |_| (count * (name_height + em(0.6)), count * name_height.max(em(0.8)));
        options.draw(&style, header, panels, heights, |i, chart| {
            let [(start, top), (end, bottom)] = chart.place();
            // The first of a row of panels has none between the names and itself.
            let first = start - left < self.least;
            // The eye follows the stripe from a name to its marks, and from one panel's end to the next one's.
            let from = if first { em(0.9) } else { start - gap };
            let edge = |row: i32| top + (bottom - top) * row / count;
            for (row, name) in (0..count).zip(&names) {
                let middle = (edge(row) + edge(row + 1)) / 2;
                if row % 2 == 0 {
                    let stripe = [(from, edge(row)), (end, edge(row + 1))];
                    chart.area.draw(&Rectangle::new(stripe, ZEBRA.filled()))?;
                }
                for (line, i) in name.iter().zip(0..).filter(|_| first) {
                    let y = middle + em(LINE) * (2 * i + 1 - name.len() as i32) / 2;
                    style.write(chart.area, line, (left, y), (HPos::Right, VPos::Center))?;
                }
                mark(chart, i, &Row { number: row as usize, middle, height: (bottom - top) / count })?;
            }
            Ok(())
        })
    }
}

/// A panel of intervals.
pub(super) struct Estimates {
    pub(super) heading: (String, String),
    pub(super) logarithmic: bool,
    /// What the axis must hold.
    pub(super) range: Range,
    /// One a row; none where nothing is drawn.
    pub(super) marks: Vec<Option<(Interval, RGBColor)>>,
}

/// Draws estimates under the names of rows: a bar is the interval, the dark stroke on it the point.
pub(super) fn draw(
    options: &PictureOptions,
    header: (&str, Vec<Entry>),
    labels: Vec<&str>,
    panels: &[Estimates],
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    let axis = |i: usize, width| {
        let Estimates { logarithmic, range: (from, to), .. } = panels[i];
        if logarithmic {
            return Axis::logarithmic(from.max(to * SMALLEST), to);
        }
        let air = (to - from) * 0.06;
        Axis::new(from - air, to + air, style.count(width, 1.9, 6.0))
    };
    let headings = panels.iter().map(|panel| panel.heading.clone()).collect();
    let (numbers, room) = (LabelAreaPosition::Bottom, in_units(options.width) * 2 / 5);
    let rows = Rows { labels, headings, numbers, room, least: style.em(8.0), axis: &axis };
    rows.draw(options, header, |chart, i, row| {
        let (from, to) = chart.across();
        let at = |x: f64| chart.at(x.clamp(from, to), 0.0).0;
        if from < 0.0 && to > 0.0 {
            let zero = [row.middle - row.height / 2, row.middle + row.height / 2].map(|y| (at(0.0), y));
            chart.area.draw(&PathElement::new(zero, AXIS.stroke_width(style.hair)))?;
        }
        let Some((Interval { point, low, high }, colour)) = panels[i].marks[row.number] else { return Ok(()) };
        let half = (row.height * 3 / 10).min(style.em(0.5));
        let bar = [(at(low), row.middle - half), (at(high), row.middle + half)];
        chart.area.draw(&Rectangle::new(bar, colour.mix(BAR).filled()))?;
        let (thin, tall) = (style.line as i32 / 2, half + style.em(0.12));
        let stroke = [(at(point) - thin, row.middle - tall), (at(point) + thin, row.middle + tall)];
        let stroke = Rectangle::new(stroke, colour.filled());
        if (from..=to).contains(&point) { chart.area.draw(&stroke) } else { Ok(()) }
    })
}
