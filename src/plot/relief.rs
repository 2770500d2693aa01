//! A landscape in greys: bands between levels, contours on them, and their scale.

use plotters::prelude::*;
use tiny_skia::{PathBuilder, Rect};

use super::{
    AXIS, Area, Corners, Drawn, HPos, Landscape, Picture, Style, VPos, in_units, landscape::Goal, significant,
};

/// Bands of grey, of which fewer are drawn where the landscape is flat.
const BANDS: usize = 16;
/// Greys of the best and of the worst band: every colour of the palette is told from each of them.
const GREYS: [RGBColor; 2] = [RGBColor(252, 252, 252), RGBColor(176, 176, 176)];
/// How much darker than its band a contour is.
const CONTOUR: f64 = 0.82;

/// A landscape and the levels at which it is cut.
pub(super) struct Relief<'a> {
    landscape: &'a Landscape,
    levels: Vec<f64>,
}

impl<'a> Relief<'a> {
    pub(super) fn new(landscape: &'a Landscape) -> Self {
        Self { landscape, levels: landscape.levels(BANDS) }
    }

    /// The greys of bands and contours.
    pub(super) fn greys(&self) -> impl Iterator<Item = RGBColor> {
        let contours = (0..self.levels.len()).map(|level| self.contour_grey(level));
        (0..=self.levels.len()).map(|band| self.grey(band)).chain(contours)
    }

    /// Covers a rectangle with bands, on whole pixels, and contours.
    pub(super) fn draw(&self, picture: &mut Picture, [(left, top), (right, bottom)]: Corners, style: &Style) {
        let (x, y) = (self.landscape.x(), self.landscape.y());
        let (width, height) = (f64::from(right - left), f64::from(bottom - top));
        let pixel = in_units(1);
        let (columns, rows) = (left / pixel..right / pixel + 1, top / pixel..bottom / pixel + 1);
        let middle = |i: i32| f64::from(i * pixel + pixel / 2);
        let band = |column: i32, row: i32| {
            let (across, up) = ((middle(column) - f64::from(left)) / width, (f64::from(bottom) - middle(row)) / height);
            let value = self.landscape.value(x.0 + (x.1 - x.0) * across, y.0 + (y.1 - y.0) * up);
            self.levels.partition_point(|&level| level <= value)
        };
        let bands: Vec<Vec<usize>> =
            rows.clone().map(|row| columns.clone().map(|column| band(column, row)).collect()).collect();
        // Each band lies over the one below it, so that nothing shines through between them.
        for level in 0..=self.levels.len() {
            let mut area = PathBuilder::new();
            for (row, bands) in rows.clone().zip(&bands) {
                let mut from = columns.start;
                for run in bands.chunk_by(|a, b| (*a >= level) == (*b >= level)) {
                    let to = from + run.len() as i32;
                    let sides = [from, row, to, row + 1].map(|side| (side * pixel) as f32);
                    let strip = Rect::from_ltrb(sides[0], sides[1], sides[2], sides[3]);
                    strip.filter(|_| run[0] >= level).iter().for_each(|strip| area.push_rect(*strip));
                    from = to;
                }
            }
            picture.add(area.finish(), None, self.grey(level).to_backend_color());
        }
        let at = |(px, py): (f64, f64)| {
            let (across, up) = ((px - x.0) / (x.1 - x.0), (py - y.0) / (y.1 - y.0));
            ((f64::from(left) + width * across) as f32, (f64::from(bottom) - height * up) as f32)
        };
        for (i, &level) in self.levels.iter().enumerate() {
            let mut contour = PathBuilder::new();
            for [a, b] in self.landscape.contour(level) {
                let ((x0, y0), (x1, y1)) = (at(a), at(b));
                contour.move_to(x0, y0);
                contour.line_to(x1, y1);
            }
            picture.add(contour.finish(), Some(style.hair as f32), self.contour_grey(i).to_backend_color());
        }
    }

    /// The bands from bottom to top, with the values between them on their right.
    pub(super) fn draw_scale(&self, area: &Area<'_>, [(left, top), (right, bottom)]: Corners, style: &Style) -> Drawn {
        let bands = self.levels.len() + 1;
        let edge = |band: usize| bottom - (bottom - top) * band as i32 / bands as i32;
        for band in 0..bands {
            let corners = [(left, edge(band + 1)), (right, edge(band))];
            area.draw(&Rectangle::new(corners, self.grey(band).filled()))?;
        }
        area.draw(&Rectangle::new([(left, top), (right, bottom)], AXIS.stroke_width(style.hair)))?;
        let every = (1 + style.em(1.3) * bands as i32 / (bottom - top).max(1)) as usize;
        for (i, name) in self.level_names().iter().enumerate().step_by(every) {
            style.write(area, name, (right + style.em(0.5), edge(i + 1)), (HPos::Left, VPos::Center))?;
        }
        Ok(())
    }

    /// A band's grey: the best is the lightest.
    fn grey(&self, band: usize) -> RGBColor {
        let share = band as f64 / self.levels.len().max(1) as f64;
        let share = if self.landscape.goal() == Goal::Lowest { share } else { 1.0 - share };
        DerivedColorMap::new(&GREYS).get_color(share)
    }

    fn contour_grey(&self, level: usize) -> RGBColor {
        let darker = self.grey(level).0.min(self.grey(level + 1).0);
        let grey = (f64::from(darker) * CONTOUR).round() as u8;
        RGBColor(grey, grey, grey)
    }

    /// What the levels are called, in as few digits as tell each from the next.
    pub(super) fn level_names(&self) -> Vec<String> {
        let names = |digits| self.levels.iter().map(move |&level| significant(level, digits)).collect::<Vec<_>>();
        let told_apart = |names: &Vec<String>| names.windows(2).all(|pair| pair[0] != pair[1]);
        (2..6).map(names).find(told_apart).unwrap_or_else(|| names(6))
    }
}
