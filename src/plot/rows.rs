//! Rows of marks under names, in panels side by side.

use plotters::prelude::*;

use super::{
    Axis, Chart, Drawn, Entry, HPos, NAME_LINES, Picture, PictureOptions, PlotError, Sheet, VPos, chart::MARGIN, check,
    in_pixels, in_units, style::LINE,
};

/// Every other row's ground.
const ZEBRA: RGBAColor = RGBAColor(0, 0, 0, 0.035);

/// Rows of marks under names, in panels side by side.
pub(super) struct Rows<'a> {
    pub(super) labels: Vec<&'a str>,
    /// One a panel, as [`Sheet`] has them.
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

impl Rows<'_> {
    /// Draws the panels, and in each row of each what `mark` draws: of the so-manieth panel and row, from top to bottom.
    pub(super) fn draw(
        self,
        options: &PictureOptions,
        header: (&str, Vec<Entry>),
        mark: impl Fn(&Chart<'_, '_>, (usize, usize), (i32, i32)) -> Drawn,
    ) -> Result<Picture, PlotError> {
        let style = options.style()?;
        let em = |ems| style.em(ems);
        let (width, count) = (in_units(options.width), self.labels.len() as i32);
        let name = |name: &&str| style.wrap(name, 1.0, self.room, NAME_LINES);
        let names: Vec<Vec<String>> = self.labels.iter().map(name).collect();
        let left = em(0.9) + style.widest(names.iter().flatten());
        let name_height = em(LINE) * names.iter().map(Vec::len).max().unwrap_or(1) as i32;
        let gap = em(MARGIN) + Axis::bare().room(&style);
        // Of what is added to the width, names may take their share.
        let lacking = in_pixels((self.least - (width - left - gap - em(0.4))) * 5 / 3);
        check::room("width", options.width, options.width + lacking)?;
        let axes = |i, (width, _)| ((self.axis)(i, width), Axis::bare());
        let (headings, numbers, least) = (self.headings, self.numbers, self.least);
        let sheet = Sheet { headings, numbers, left, least, ..options.sheet(&style, header, ("", ""), &axes) };
        let heights = (count * (name_height + em(0.6)), count * name_height.max(em(0.8)));
        options.draw(&sheet, heights, |i, chart| {
            let [(start, top), (end, bottom)] = chart.place();
            // The first of a row of panels has none between the names and itself.
            let first = start - left < least;
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
                mark(chart, (i, row as usize), (edge(row), edge(row + 1)))?;
            }
            Ok(())
        })
    }
}
