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
    entries: Vec<(&'a Entry, Pixel)>,
    /// How many entries found no room, and where that is said.
    more: Option<(String, Pixel)>,
    /// Where the axes may begin.
    pub(super) bottom: i32,
}

impl<'a> Header<'a> {
    /// Lays the header out in a picture of so many units: titles in at most `lines` lines each, entries from left to
    /// right in rows, none of them below `last_row`.
    pub(super) fn new(
        letters: &Lettering,
        width: i32,
        (title, subtitle): (&str, &str),
        entries: &'a [Entry],
        (lines, last_row): (usize, i32),
    ) -> Header<'a> {
        let em = |ems| letters.em(ems);
        let (left, room) = (em(0.9), width - em(1.8));
        let title = letters.wrap(title, 1.3, room, lines);
        let subtitle = letters.wrap(subtitle, 1.0, room, lines);
        let extra = em(1.75) * (title.len() as i32 - 1) + em(1.35) * (subtitle.len() as i32 - 1);
        let first = (left, em(4.3) + extra);
        if entries.is_empty() {
            return Header { title, subtitle, entries: Vec::new(), more: None, bottom: first.1 };
        }
        let (between, row) = (em(1.6), em(1.55));
        let mut at = first;
        let count = entries.len();
        let (mut placed, mut more) = (Vec::new(), None);
        for entry in entries {
            let width = em(SWATCH + GAP) + letters.width(&entry.text, 1.0);
            if at.0 > left && at.0 + width > left + room {
                at = (left, at.1 + row);
            }
            if at.1 > last_row.max(first.1) {
                more = Some((format!("and {} more", count - placed.len()), at));
                break;
            }
            placed.push((entry, at));
            at.0 += width + between;
        }
        Header { title, subtitle, entries: placed, more, bottom: at.1 + em(1.3) }
    }

    /// The header of a benchmark's picture: titles in as many lines as they need, and every entry.
    pub(super) fn of(letters: &Lettering, options: &PictureOptions, what: &str, entries: &'a [Entry]) -> Header<'a> {
        let (title, subtitle) = options.titles(what);
        Header::new(letters, in_units(options.width), (&title, &subtitle), entries, (4, i32::MAX))
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
        for (entry, at) in &self.entries {
            draw_swatch(paper, entry, *at)?;
            let start = (at.0 + em(SWATCH + GAP), at.1);
            paper.write(&entry.text, (1.0, TEXT), start, (HPos::Left, VPos::Center), left + room - start.0)?;
        }
        match &self.more {
            Some((text, at)) => paper.write(text, (1.0, FAINT), *at, (HPos::Left, VPos::Center), room),
            None => Ok(()),
        }
    }
}

/// Width of a swatch and of the gap after it, in text sizes.
const SWATCH: f64 = 1.8;
const GAP: f64 = 0.5;

fn draw_swatch(paper: &Paper<'_>, entry: &Entry, (x, y): Pixel) -> Result<(), PlotError> {
    let em = |ems| paper.em(ems);
    let (right, middle, line) = (x + em(SWATCH), x + em(SWATCH / 2.0), paper.letters.measure.line);
    match &entry.swatch {
        Swatch::Line { band } => {
            if *band {
                let half = em(0.42);
                paper.rectangle([(x, y - half), (right, y + half)], entry.colour.mix(BAND))?;
            }
            paper.line(&[(x, y), (right, y)], entry.colour, line, entry.dashes)
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
