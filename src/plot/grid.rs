//! Panels of one size in rows and columns.

use plotters::style::text_anchor::{HPos, VPos};

use super::{
    PlotError,
    header::{ENTRY_LINES, Header},
    lettering::Lettering,
    paper::{FAINT, Paper, Pixel, TEXT},
    plane::{Plane, x_name, y_name},
};

/// What stands above a panel.
#[derive(Default)]
pub(super) struct Heading {
    pub(super) name: String,
    /// A paler line below the name.
    pub(super) note: String,
}

/// Lines of a panel's name at most.
const LINES: usize = ENTRY_LINES;

/// Where panels are: names above each, room for an axis's numbers below each and on the left of the first column.
pub(super) struct Grid {
    names: Vec<Vec<String>>,
    notes: Vec<String>,
    pub(super) columns: usize,
    left: i32,
    gap: i32,
    pub(super) panel_width: i32,
    /// Room above each row of panels.
    above: Vec<i32>,
    below: i32,
    foot: i32,
}

impl Grid {
    /// As many columns as leave each panel `least` wide, in a picture of so many units with `left` before the first.
    pub(super) fn new(letters: &Lettering, width: i32, headings: &[Heading], left: i32, least: i32) -> Grid {
        let em = |ems| letters.em(ems);
        // Half of the last number below one panel, and half of the first below the next.
        let (gap, room) = (em(2.6), width - left - em(1.6));
        let count = headings.len().max(1);
        let most = ((room + gap) / (least + gap)).clamp(1, count as i32) as usize;
        let columns = count.div_ceil(count.div_ceil(most));
        let panel_width = ((room + gap) / columns as i32 - gap).max(em(1.0));
        let names: Vec<Vec<String>> =
            headings.iter().map(|heading| letters.wrap(&heading.name, 1.0, panel_width, LINES)).collect();
        let notes: Vec<String> = headings.iter().map(|heading| heading.note.clone()).collect();
        let lines =
            |i: usize| names[i].iter().filter(|line| !line.is_empty()).count() + usize::from(!notes[i].is_empty());
        let indices: Vec<usize> = (0..headings.len()).collect();
        let above = indices.chunks(columns).map(|row| match row.iter().map(|&i| lines(i)).max() {
            None | Some(0) => em(0.3),
            Some(lines) => em(0.9) + em(1.3) * lines as i32,
        });
        let above = above.collect();
        Grid { names, notes, columns, left, gap, panel_width, above, below: em(1.8), foot: em(2.0) }
    }

    /// How high all of it is if each panel is `panel` high.
    pub(super) fn height(&self, panel: i32) -> i32 {
        self.above.iter().map(|above| above + panel + self.below).sum::<i32>() + self.foot
    }

    /// How high each panel is if all of it is `height` high.
    pub(super) fn panel_height(&self, height: i32) -> i32 {
        (height - self.height(0)) / (self.above.len() as i32).max(1)
    }

    /// Draws the header and what stands above each panel; gives the panels' corners, row by row.
    pub(super) fn draw_headings(&self, paper: &Paper<'_>, header: &Header<'_>) -> Result<Vec<[Pixel; 2]>, PlotError> {
        header.draw(paper)?;
        let places = self.places(header.bottom, self.panel_height(paper.height() - header.bottom));
        self.write_headings(paper, &places)?;
        Ok(places)
    }

    /// The panels' corners, row by row from `top` on.
    pub(super) fn places(&self, top: i32, panel_height: i32) -> Vec<[Pixel; 2]> {
        let mut places = Vec::with_capacity(self.names.len());
        let mut top = top;
        for above in &self.above {
            top += above;
            for column in (0..self.columns as i32).take(self.names.len() - places.len()) {
                let left = self.left + column * (self.panel_width + self.gap);
                places.push([(left, top), (left + self.panel_width, top + panel_height)]);
            }
            top += panel_height + self.below;
        }
        places
    }

    /// What stands above each panel.
    fn write_headings(&self, paper: &Paper<'_>, places: &[[Pixel; 2]]) -> Result<(), PlotError> {
        let em = |ems| paper.em(ems);
        for ((&[(left, top), _], name), note) in places.iter().zip(&self.names).zip(&self.notes) {
            let room = self.panel_width + em(1.0);
            let lines = name.iter().map(|line| (line, TEXT)).chain((!note.is_empty()).then_some((note, FAINT)));
            let count = name.len() as i32 + i32::from(!note.is_empty());
            for (i, (line, colour)) in (1..).zip(lines) {
                let bottom = top - em(0.4) - em(1.3) * (count - i);
                paper.write(line, (1.0, colour), (left, bottom), (HPos::Left, VPos::Bottom), room)?;
            }
        }
        Ok(())
    }

    /// Axes, grid and names around panels that share both axes.
    pub(super) fn draw_axes(&self, paper: &Paper<'_>, planes: &[Plane], (x, y): (&str, &str)) -> Result<(), PlotError> {
        for (i, plane) in planes.iter().enumerate() {
            plane.horizontal_grid(paper)?;
            plane.x_axis(paper)?;
            plane.y_axis(paper, i % self.columns == 0)?;
        }
        let (Some(first), Some(last)) = (planes.first(), planes.last()) else { return Ok(()) };
        let (top, bottom) = (first.left_top.1, last.right_bottom.1);
        let right = paper.width() - paper.em(1.6);
        x_name(paper, x, (first.left_top.0, right), bottom)?;
        y_name(paper, y, (top, bottom))
    }
}
