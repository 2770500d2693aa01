//! Panels of one size, in rows and columns below a header.

use plotters::prelude::*;

use super::{
    Area, Axis, Chart, Drawn, FAINT, HPos, Header, NAME_LINES, Style, TEXT, VPos,
    chart::{MARGIN, NUMBERS},
};

/// Height of what a horizontal axis is called, in text sizes.
const FOOT: f64 = 1.8;

/// What is on a picture of so many units in width.
pub(super) struct Sheet<'a> {
    pub(super) style: &'a Style,
    pub(super) width: i32,
    pub(super) header: Header,
    /// What stands above each panel: its name, and a paler note below that.
    pub(super) headings: Vec<(String, String)>,
    /// What the axes are called.
    pub(super) names: (&'a str, &'a str),
    /// On which side the numbers of the horizontal axis are.
    pub(super) numbers: LabelAreaPosition,
    /// Room beside each row of panels.
    pub(super) left: i32,
    /// The least width of a chart.
    pub(super) least: i32,
    /// The axes of the so-manieth panel, if its chart has this width and height.
    pub(super) axes: &'a dyn Fn(usize, (i32, i32)) -> (Axis, Axis),
}

impl<'a> Sheet<'a> {
    /// One panel without a heading.
    pub(super) fn new(
        style: &'a Style,
        width: i32,
        header: Header,
        names: (&'a str, &'a str),
        axes: &'a dyn Fn(usize, (i32, i32)) -> (Axis, Axis),
    ) -> Sheet<'a> {
        let (headings, numbers) = (vec![Default::default()], LabelAreaPosition::Bottom);
        Sheet { style, width, header, headings, names, numbers, left: style.em(2.2), least: style.em(13.0), axes }
    }

    /// Room for numbers on the left of each chart.
    fn beside(&self) -> i32 {
        (self.axes)(0, (self.style.em(60.0), self.style.em(60.0))).1.room(self.style)
    }

    /// Rows and columns of panels, of which as many are side by side as have room, and the width of each chart.
    fn grid(&self) -> ((usize, usize), i32) {
        let room = self.width - self.left - self.style.em(0.4);
        let (around, count) = (self.beside() + self.style.em(MARGIN), self.headings.len().max(1));
        let most = (room / (self.least + around)).clamp(1, count as i32) as usize;
        let rows = count.div_ceil(most);
        let columns = count.div_ceil(rows);
        ((rows, columns), (room / columns as i32 - around).max(self.style.em(1.0)))
    }

    pub(super) fn chart_width(&self) -> i32 {
        self.grid().1
    }

    /// The lines above each panel, and how high the highest of them is.
    fn lines(&self) -> (Vec<Vec<(String, RGBColor)>>, i32) {
        let (style, width) = (self.style, self.chart_width());
        let lines = |(name, note): &(String, String)| {
            let name = style.wrap(name, 1.0, width, NAME_LINES).into_iter().map(|line| (line, TEXT));
            let note = [(style.fit(note, 1.0, width + style.em(1.0)), FAINT)];
            name.chain(note).filter(|(line, _)| !line.is_empty()).collect()
        };
        let lines: Vec<Vec<(String, RGBColor)>> = self.headings.iter().map(lines).collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or_default();
        (lines, if most > 0 { style.em(0.9) + style.em(1.3) * most as i32 } else { 0 })
    }

    /// How high the picture is if each chart is so high.
    pub(super) fn height(&self, chart: i32) -> i32 {
        let rows = self.grid().0.0 as i32;
        self.header.bottom + rows * (self.lines().1 + chart + self.style.em(NUMBERS)) + self.style.em(FOOT)
    }

    /// Draws the header and the panels on a picture, but for some room on the right and below, and on each chart what
    /// `draw` draws.
    pub(super) fn draw(
        &self,
        area: &Area<'_>,
        (right, below): (i32, i32),
        mut draw: impl FnMut(usize, &Chart<'_, '_>) -> Drawn,
    ) -> Drawn {
        let (style, em) = (self.style, |ems| self.style.em(ems));
        self.header.draw(area, style)?;
        let body = area.margin(self.header.bottom, below, 0, right);
        upright(&body, style, self.names.1, (em(0.7), VPos::Top))?;
        let (left, width) = (self.left + self.beside(), body.dim_in_pixel().0 as i32);
        let (name, right) = (self.names.0, width - em(1.6));
        let at = ((left + right) / 2, body.dim_in_pixel().1 as i32 - em(FOOT + 0.05));
        style.write(&body, &style.fit(name, 1.0, right - left), at, (HPos::Center, VPos::Top))?;
        let ((grid, chart_width), (lines, above)) = (self.grid(), self.lines());
        let cells = body.margin(0, em(FOOT), self.left, em(0.4)).split_evenly(grid);
        for (i, (cell, lines)) in cells.iter().zip(lines).enumerate() {
            let (top, panel) = cell.split_vertically(above);
            for ((line, colour), from_below) in lines.iter().zip((0..lines.len() as i32).rev()) {
                let at = (self.beside(), above - em(0.4) - em(1.3) * from_below);
                top.draw_text(line, &style.font(1.0, *colour, (HPos::Left, VPos::Bottom)), at)?;
            }
            let (x, y) = (self.axes)(i, (chart_width, panel.dim_in_pixel().1 as i32 - em(NUMBERS)));
            let axes = (x.with_names_apart(style, chart_width), y);
            draw(i, &Chart::with_axes(area, style, &panel, (self.beside(), self.numbers), axes)?)?;
        }
        Ok(())
    }
}

/// Writes text to be read from the right, around the middle of an area's height.
pub(super) fn upright(area: &Area<'_>, style: &Style, text: &str, (x, anchor): (i32, VPos)) -> Drawn {
    let font = style.font(1.0, TEXT, (HPos::Center, anchor)).transform(FontTransform::Rotate270);
    let height = area.dim_in_pixel().1 as i32;
    area.draw_text(&style.fit(text, 1.0, height), &font, (x, height / 2))
}
