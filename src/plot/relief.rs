//! A landscape in greys: bands between levels, contours on them, and their names.

use super::{Landscape, axis::significant, backend::Surface, landscape::Goal, trace::Place};
use crate::canvas::Point;
use uphill_envs::Colour;

/// Bands of colour, of which fewer are drawn where the landscape is flat.
const BANDS: usize = 16;
/// Greys of the best and of the worst band: every colour of the palette is told from each of them.
const GREYS: (f64, f64) = (252.0, 176.0);
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

    /// How many bands there are: one more than levels.
    pub(super) fn bands(&self) -> usize {
        self.levels.len() + 1
    }

    /// The colours of bands and contours.
    pub(super) fn colours(&self) -> impl Iterator<Item = Colour> {
        (0..self.bands()).map(|band| self.grey(band)).chain((0..self.levels.len()).map(|i| self.contour_grey(i)))
    }

    /// Paints bands and contours, these of so many units.
    pub(super) fn paint(&self, surface: &mut dyn Surface, place: &Place, hair: f32) {
        let (x, y) = (self.landscape.x(), self.landscape.y());
        let (left, top) = (f64::from(place.left_top.0), f64::from(place.left_top.1));
        let (right, bottom) = (f64::from(place.right_bottom.0), f64::from(place.right_bottom.1));
        surface.image(place.left_top, place.right_bottom, &|px, py| {
            let across = (f64::from(px) - left) / (right - left);
            let up = (bottom - f64::from(py)) / (bottom - top);
            let value = self.landscape.value(x.0 + across * (x.1 - x.0), y.0 + up * (y.1 - y.0));
            self.grey(self.levels.partition_point(|&level| level <= value))
        });
        for (i, &level) in self.levels.iter().enumerate() {
            let pieces = self.landscape.contour(level);
            let lines: Vec<(Point, Point)> = pieces.into_iter().map(|[a, b]| (place.at(a), place.at(b))).collect();
            surface.stroke_all(&lines, hair, (self.contour_grey(i), 1.0));
        }
    }

    /// A band's grey: the best is the lightest.
    pub(super) fn grey(&self, band: usize) -> Colour {
        let share = band as f64 / self.levels.len().max(1) as f64;
        let share = if self.landscape.goal() == Goal::Lowest { share } else { 1.0 - share };
        let grey = (GREYS.0 + (GREYS.1 - GREYS.0) * share).round() as u8;
        Colour(grey, grey, grey)
    }

    fn contour_grey(&self, level: usize) -> Colour {
        let darker = self.grey(level).0.min(self.grey(level + 1).0);
        let grey = (f64::from(darker) * CONTOUR).round() as u8;
        Colour(grey, grey, grey)
    }

    /// What the levels are called, in as few digits as tell each from the next.
    pub(super) fn level_names(&self) -> Vec<String> {
        let names = |digits| self.levels.iter().map(move |&level| significant(level, digits)).collect::<Vec<_>>();
        let told_apart = |names: &Vec<String>| names.windows(2).all(|pair| pair[0] != pair[1]);
        (2..6).map(names).find(told_apart).unwrap_or_else(|| names(6))
    }
}
