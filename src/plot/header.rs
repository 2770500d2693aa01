//! Title, subtitle and legend: what stands above the axes.

use plotters::style::{
    Color,
    text_anchor::{HPos, VPos},
};

use super::{
    PictureOptions, PlotError,
    legend::{Entry, Swatch},
    lettering::Lettering,
    paper::{BAND, FAINT, Paper, Pixel, TEXT, in_units},
};

/// The text above the axes, with every line and entry in its place.
pub(super) struct Header<'a> {
    title: Vec<String>,
    subtitle: Vec<String>,
    /// Each with the lines of its text.
    entries: Vec<(&'a Entry, Vec<String>, Pixel)>,
    /// Where the axes may begin.
    pub(super) bottom: i32,
}

impl<'a> Header<'a> {
    /// Lays the header out in a picture of so many units: title and subtitle in at most `lines` lines each, entries from
    /// left to right in rows, and one that needs more than a row, at most `entry_lines` of them, below the others.
    pub(super) fn new(
        letters: &Lettering,
        width: i32,
        (title, subtitle): (&str, &str),
        entries: &'a [Entry],
        (lines, entry_lines): (usize, usize),
    ) -> Header<'a> {
        let em = |ems| letters.em(ems);
        let (left, room) = (em(0.9), width - em(1.8));
        let title = letters.wrap(title, 1.3, room, lines);
        let subtitle = letters.wrap(subtitle, 1.0, room, lines);
        let extra = em(1.75) * (title.len() as i32 - 1) + em(1.35) * (subtitle.len() as i32 - 1);
        let first = (left, em(4.3) + extra);
        if entries.is_empty() {
            return Header { title, subtitle, entries: Vec::new(), bottom: first.1 };
        }
        let (between, row, swatch) = (em(1.6), em(1.55), em(SWATCH + GAP));
        let mut at = first;
        let mut placed = Vec::new();
        for entry in entries {
            let lines = letters.wrap(&entry.text, 1.0, room - swatch, entry_lines);
            let width = swatch + letters.widest(&lines);
            if at.0 > left && (lines.len() > 1 || at.0 + width > left + room) {
                at = (left, at.1 + row);
            }
            let below = em(LINE) * (lines.len() as i32 - 1);
            placed.push((entry, lines, at));
            at.0 += width + between;
            if below > 0 {
                at = (left + room, at.1 + below);
            }
        }
        Header { title, subtitle, entries: placed, bottom: at.1 + em(1.3) }
    }

    /// The header of a benchmark's picture: titles in as many lines as they need, and every entry.
    pub(super) fn of(letters: &Lettering, options: &PictureOptions, what: &str, entries: &'a [Entry]) -> Header<'a> {
        let (title, subtitle) = options.titles(what);
        Header::new(letters, in_units(options.width), (&title, &subtitle), entries, (TITLE_LINES, ENTRY_LINES))
    }

    pub(super) fn draw(&self, paper: &Paper<'_>) -> Result<(), PlotError> {
        let em = |ems| paper.em(ems);
        let (left, room) = (em(0.9), paper.width() - em(1.8));
        let mut top = em(0.55);
        for line in &self.title {
            paper.write(line, (1.3, TEXT), (left, top), (HPos::Left, VPos::Top), room)?;
            top += em(1.75);
        }
        for line in &self.subtitle {
            paper.write(line, (1.0, FAINT), (left, top), (HPos::Left, VPos::Top), room)?;
            top += em(1.35);
        }
        for (entry, lines, at) in &self.entries {
            draw_swatch(paper, entry, *at)?;
            let start = at.0 + em(SWATCH + GAP);
            for (line, below) in lines.iter().zip(0..) {
                let place = (start, at.1 + em(LINE) * below);
                paper.write(line, (1.0, TEXT), place, (HPos::Left, VPos::Center), left + room - start)?;
            }
        }
        Ok(())
    }
}

/// Lines of a title at most.
pub(super) const TITLE_LINES: usize = 4;
/// Lines of an entry's text at most.
pub(super) const ENTRY_LINES: usize = 8;
/// From one line of an entry's text to the next, in text sizes.
const LINE: f64 = 1.25;
/// Width of a swatch and of the gap after it, in text sizes.
const SWATCH: f64 = 1.8;
const GAP: f64 = 0.5;

fn draw_swatch(paper: &Paper<'_>, entry: &Entry, (x, y): Pixel) -> Result<(), PlotError> {
    let em = |ems| paper.em(ems);
    let (right, middle, line) = (x + em(SWATCH), x + em(SWATCH / 2.0), paper.letters.measure.line);
    match &entry.swatch {
        Swatch::Line { band, marker } => {
            if *band {
                let half = em(0.42);
                paper.rectangle([(x, y - half), (right, y + half)], entry.colour.mix(BAND))?;
            }
            paper.line(&[(x, y), (right, y)], entry.colour, line, entry.dashes)?;
            marker.map_or(Ok(()), |marker| paper.marker((middle, y), marker, entry.colour))
        }
        Swatch::Bar => paper.rectangle([(x, y - em(0.42)), (right, y + em(0.42))], entry.colour.into()),
        Swatch::Disc => paper.disc((middle, y), line as i32 * 2, entry.colour),
        Swatch::Cross => paper.cross((middle, y), em(0.35), entry.colour),
        Swatch::Number(number) => {
            let end = (x + em(SWATCH + 0.1), y);
            paper.write(&number.to_string(), (1.0, TEXT), end, (HPos::Right, VPos::Center), em(4.0))
        }
    }
}
