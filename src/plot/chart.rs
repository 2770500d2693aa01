//! plotters' charts with our axes, and what is drawn on them.

use plotters::prelude::*;

use super::{
    AXIS, Area, Axis, Corners, Drawn, HPos, Interval, Look, Picture, Style, TEXT, VPos, distance, look::BAND,
    style::GRID,
};

/// Height of a horizontal axis's numbers, in text sizes.
pub(super) const NUMBERS: f64 = 1.8;
/// Room on the right of a chart, where the last number may reach, in text sizes.
pub(super) const MARGIN: f64 = 1.2;
/// Marks on a curve at most.
const MARKS: usize = 8;

/// Where numbers lie on a picture.
pub(super) struct Chart<'a, 'p> {
    /// All of the picture.
    pub(super) area: &'a Area<'p>,
    pub(super) style: &'a Style,
    /// What plotters draws on in the chart's numbers.
    pub(super) plot: DrawingArea<&'p mut Picture, Cartesian2d<Axis, Axis>>,
}

impl<'a, 'p> Chart<'a, 'p> {
    /// A chart that fills a rectangle, without axes.
    pub(super) fn bare(area: &'a Area<'p>, style: &'a Style, place: Corners, (x, y): (Axis, Axis)) -> Drawn<Self> {
        let [(left, top), (right, bottom)] = place;
        let inside = area.clone().shrink((left, top), (right - left, bottom - top));
        let context = ChartBuilder::on(&inside).build_cartesian_2d(x, y)?;
        Ok(Chart { area, style, plot: context.plotting_area().clone() })
    }

    /// A chart in a panel with its axes, with `left` for numbers on its left, and with a grid across the vertical axis, or
    /// across the horizontal one where the vertical one has no ticks. The horizontal one is on the chart's `side`.
    pub(super) fn with_axes(
        area: &'a Area<'p>,
        style: &'a Style,
        panel: &Area<'p>,
        (left, side): (i32, LabelAreaPosition),
        (x, y): (Axis, Axis),
    ) -> Drawn<Self> {
        let flat = y.ticks.is_empty();
        let (margin, left) = if flat { (left, 0) } else { (0, left) };
        let mut context = ChartBuilder::on(panel)
            .margin_left(margin)
            .margin_right(style.em(MARGIN))
            .set_label_area_size(LabelAreaPosition::Left, left)
            .set_label_area_size(side, style.em(NUMBERS))
            .build_cartesian_2d(x, y)?;
        let mut mesh = context.configure_mesh();
        mesh.bold_line_style(GRID.stroke_width(style.hair))
            .axis_style(AXIS.stroke_width(style.hair))
            .label_style(style.font(1.0, TEXT, (HPos::Left, VPos::Top)))
            .set_all_tick_mark_size(style.em(0.25));
        if flat { mesh.disable_y_mesh().disable_y_axis() } else { mesh.disable_x_mesh() }.draw()?;
        Ok(Chart { area, style, plot: context.plotting_area().clone() })
    }

    /// Where it is.
    pub(super) fn place(&self) -> Corners {
        let (x, y) = self.plot.get_pixel_range();
        [(x.start, y.start), (x.end, y.end)]
    }

    /// Where a point is on the picture.
    pub(super) fn at(&self, x: f64, y: f64) -> (i32, i32) {
        self.plot.map_coordinate(&(x, y))
    }

    /// Draws a line of so many units.
    pub(super) fn stroke(&self, look: &Look, points: Vec<(f64, f64)>, width: u32) -> Drawn {
        let points = points.into_iter().map(|(x, y)| self.at(x, y)).collect();
        look.stroke(self.area, points, width, self.style)
    }

    /// Draws curves: all bands first and all lines last, so that no band hides another curve's line.
    pub(super) fn curves<'c>(&self, curves: impl Iterator<Item = (Look, &'c [(f64, Interval)])> + Clone) -> Drawn {
        curves.clone().try_for_each(|(look, values)| self.band(&look, values))?;
        curves.into_iter().try_for_each(|(look, values)| self.curve(&look, values))
    }

    /// Draws a line through values.
    fn curve(&self, look: &Look, values: &[(f64, Interval)]) -> Drawn {
        let points: Vec<(i32, i32)> = values.iter().map(|&(x, interval)| self.at(x, interval.point)).collect();
        let Some(&first) = points.first() else { return Ok(()) };
        let (width, count) = (self.style.line, points.len().min(MARKS));
        // What has no length, as one point or on an axis that a far threshold stretches, would not be seen.
        if points.iter().all(|point| distance(first, *point) <= f64::from(width)) {
            self.area.draw(&Circle::new(first, width * 2, look.colour.filled()))?;
        }
        let marks: Vec<(i32, i32)> = (0..count).map(|i| points[(2 * i + 1) * points.len() / (2 * count)]).collect();
        look.stroke(self.area, points, width, self.style)?;
        let Some(marker) = look.marker else { return Ok(()) };
        marks.into_iter().try_for_each(|at| marker.draw(self.area, at, look.colour, self.style))
    }

    /// Draws the band of intervals, where they have a width.
    fn band(&self, look: &Look, values: &[(f64, Interval)]) -> Drawn {
        match *values {
            // A single place has a height and no width: a bar in place of a band.
            [(x, Interval { low, high, .. })] => {
                self.stroke(&Look::plain(look.colour), vec![(x, low), (x, high)], self.style.line)
            }
            _ if values.iter().all(|(_, interval)| interval.low == interval.high) => Ok(()),
            _ => {
                let upper = values.iter().map(|&(x, interval)| (x, interval.high));
                let lower = values.iter().rev().map(|&(x, interval)| (x, interval.low));
                self.plot.draw(&Polygon::new(upper.chain(lower).collect::<Vec<_>>(), look.colour.mix(BAND)))
            }
        }
    }
}
