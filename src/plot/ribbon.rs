//! A line with the band of its intervals around it.

use plotters::style::{Color, RGBColor};

use super::{
    PlotError,
    look::{Dashes, Marker},
    paper::{BAND, Paper, Pixel},
};

/// Marks on a line at most.
const MARKERS: usize = 8;

/// A line, a colour it has, and the band's edges where it has a band.
pub(super) struct Ribbon {
    pub(super) line: Vec<Pixel>,
    pub(super) upper: Vec<Pixel>,
    pub(super) lower: Vec<Pixel>,
    pub(super) colour: RGBColor,
    pub(super) dashes: Dashes,
    pub(super) marker: Option<Marker>,
}

impl Ribbon {
    pub(super) fn draw_band(&self, paper: &Paper<'_>) -> Result<(), PlotError> {
        let band: Vec<Pixel> = self.upper.iter().chain(self.lower.iter().rev()).copied().collect();
        if let [upper, lower] = band.as_slice() {
            // A single place has a height and no width: a bar in place of a band.
            return paper.line(&[*upper, *lower], self.colour, paper.letters.measure.line, None);
        }
        paper.polygon(band, self.colour.mix(BAND))
    }

    pub(super) fn draw_line(&self, paper: &Paper<'_>) -> Result<(), PlotError> {
        // What has no length, as one point or on an axis that a far threshold stretches, would not be seen.
        let width = paper.letters.measure.line;
        let near = |a: Pixel, b: Pixel| a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)) <= width;
        if let Some(first) = self.line.first().filter(|first| self.line.iter().all(|point| near(**first, *point))) {
            paper.disc(*first, width as i32 * 2, self.colour)?;
        }
        paper.line(&self.line, self.colour, width, self.dashes)?;
        let Some(marker) = self.marker else { return Ok(()) };
        let count = self.line.len().min(MARKERS);
        let middle = |i: usize| (2 * i + 1) * self.line.len() / (2 * count);
        (0..count).try_for_each(|i| paper.marker(self.line[middle(i)], marker, self.colour))
    }
}
