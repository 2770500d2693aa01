//! Names of rows.

use plotters::style::text_anchor::{HPos, VPos};

use super::{
    PlotError,
    header::ENTRY_LINES,
    lettering::Lettering,
    paper::{Paper, TEXT},
};

/// Names of rows, in a column at the picture's left edge.
pub(super) struct RowLabels {
    lines: Vec<Vec<String>>,
    /// Where the column ends.
    pub(super) right: i32,
    /// How high the highest name is.
    pub(super) height: i32,
}

impl RowLabels {
    /// Names in as many lines as they need, up to eight, that have so much room.
    pub(super) fn new<'a>(letters: &Lettering, room: i32, names: impl Iterator<Item = &'a str>) -> RowLabels {
        let left = letters.em(0.9);
        let lines: Vec<Vec<String>> = names.map(|name| letters.wrap(name, 1.0, room, ENTRY_LINES)).collect();
        let right = left + letters.widest(lines.iter().flatten());
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        RowLabels { lines, right, height: letters.em(1.25) * most as i32 }
    }

    /// Writes the so-manieth name around a height.
    pub(super) fn write(&self, paper: &Paper<'_>, row: usize, middle: i32) -> Result<(), PlotError> {
        let Some(lines) = self.lines.get(row) else { return Ok(()) };
        let step = paper.em(1.25);
        let mut y = middle - step * (lines.len() as i32 - 1) / 2;
        for line in lines {
            paper.write(line, (1.0, TEXT), (self.right, y), (HPos::Right, VPos::Center), self.right)?;
            y += step;
        }
        Ok(())
    }
}
