//! Panels of one size, in rows and columns below a header.

use plotters::prelude::*;

use super::{
    Area, Axis, Chart, Drawn, FAINT, HPos, Header, NAME_LINES, Style, TEXT, VPos,
    chart::{MARGIN, NUMBERS},
};

/// Height of what a horizontal axis is called, in text sizes.
const FOOT: f64 = 1.8;

/// What the panels have in common.
pub(super) struct Panels<'a> {
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

impl<'a> Panels<'a> {
    /// One panel without a heading.
    pub(super) fn new(
        style: &Style,
        names: (&'a str, &'a str),
        axes: &'a dyn Fn(usize, (i32, i32)) -> (Axis, Axis),
    ) -> Panels<'a> {
        let (headings, numbers) = (vec![Default::default()], LabelAreaPosition::Bottom);
        Panels { headings, names, numbers, left: style.em(2.2), least: style.em(13.0), axes }
    }
}

/// Where everything is on a picture.
pub(super) struct Sheet<'a> {
    style: &'a Style,
    header: Header,
    panels: Panels<'a>,
    /// The lines above each panel.
    headings: Vec<Vec<(String, RGBColor)>>,
    /// How high the highest of them is.
    above: i32,
    /// Room for numbers on the left of each chart.
    numbers: i32,
    columns: usize,
    pub(super) chart_width: i32,
}

impl<'a> Sheet<'a> {
    /// The panels in as many columns as they have room for in a picture of so many units.
    pub(super) fn new(style: &'a Style, width: i32, header: Header, panels: Panels<'a>) -> Sheet<'a> {
        let em = |ems| style.em(ems);
        let numbers = (panels.axes)(0, (em(60.0), em(60.0))).1.room(style);
        let (room, around) = (width - panels.left - em(0.4), numbers + em(MARGIN));
        let count = panels.headings.len().max(1);
        let most = (room / (panels.least + around)).clamp(1, count as i32) as usize;
        let columns = count.div_ceil(count.div_ceil(most));
        let chart_width = (room / columns as i32 - around).max(em(1.0));
        let lines = |(name, note): &(String, String)| {
            let name = style.wrap(name, 1.0, chart_width, NAME_LINES).into_iter().map(|line| (line, TEXT));
            let note = [(style.fit(note, 1.0, chart_width + em(1.0)), FAINT)];
            name.chain(note).filter(|(line, _)| !line.is_empty()).collect()
        };
        let headings: Vec<Vec<(String, RGBColor)>> = panels.headings.iter().map(lines).collect();
        let above = match headings.iter().map(Vec::len).max() {
            None | Some(0) => 0,
            Some(lines) => em(0.9) + em(1.3) * lines as i32,
        };
        Sheet { style, header, panels, headings, above, numbers, columns, chart_width }
    }

    /// How high the picture is if each chart is so high.
    pub(super) fn height(&self, chart: i32) -> i32 {
        let rows = self.headings.len().div_ceil(self.columns) as i32;
        self.header.bottom + rows * (self.above + chart + self.style.em(NUMBERS)) + self.style.em(FOOT)
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
        upright(&body, style, self.panels.names.1, (em(0.7), VPos::Top))?;
        let (left, width) = (self.panels.left + self.numbers, body.dim_in_pixel().0 as i32);
        let (name, right) = (self.panels.names.0, width - em(1.6));
        let at = ((left + right) / 2, body.dim_in_pixel().1 as i32 - em(FOOT + 0.05));
        style.write(&body, &style.fit(name, 1.0, right - left), at, (HPos::Center, VPos::Top))?;
        let rows = self.headings.len().div_ceil(self.columns);
        let cells = body.margin(0, em(FOOT), self.panels.left, em(0.4)).split_evenly((rows, self.columns));
        for (i, (cell, lines)) in cells.iter().zip(&self.headings).enumerate() {
            let (top, panel) = cell.split_vertically(self.above);
            for ((line, colour), i) in lines.iter().zip(1..) {
                let at = (self.numbers, self.above - em(0.4) - em(1.3) * (lines.len() as i32 - i));
                top.draw_text(line, &style.font(1.0, *colour, (HPos::Left, VPos::Bottom)), at)?;
            }
            let height = panel.dim_in_pixel().1 as i32 - em(NUMBERS);
            let (x, y) = (self.panels.axes)(i, (self.chart_width, height));
            let axes = (x.with_names_apart(style, self.chart_width), y);
            draw(i, &Chart::with_axes(area, style, &panel, (self.numbers, self.panels.numbers), axes)?)?;
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
