//! Title, subtitle and legend: what stands above the axes.

use plotters::{
    element::Rectangle,
    style::{
        Color, RGBColor,
        text_anchor::{HPos, VPos},
    },
};

use super::{
    look::{BAND, Look, Marker},
    picture::{Area, Drawn},
    style::{FAINT, Style, TEXT},
};

/// Lines of a title at most.
const TITLE_LINES: usize = 4;
/// Lines of a name at most.
pub(super) const NAME_LINES: usize = 8;
/// From one line of a name to the next, in text sizes.
pub(super) const LINE: f64 = 1.25;
/// Width of a swatch and of the gap after it, in text sizes.
const SWATCH: f64 = 1.8;
const GAP: f64 = 0.5;

/// One line of the legend: how something is drawn, and what it is.
pub(super) struct Entry {
    pub(super) swatch: Swatch,
    pub(super) text: String,
}

/// What stands before an entry's text.
pub(super) enum Swatch {
    Line(Look),
    /// A line with a band around it.
    Band(Look),
    /// An area.
    Bar(RGBColor),
    Mark(Marker, RGBColor),
    /// What a point is called where its name has no room.
    Number(usize),
}

impl Entry {
    pub(super) fn new(swatch: Swatch, text: impl Into<String>) -> Entry {
        Entry { swatch, text: text.into() }
    }
}

/// The text above the axes, with every line and entry in its place.
pub(super) struct Header {
    title: Vec<String>,
    subtitle: Vec<String>,
    /// Each with the lines of its text.
    entries: Vec<(Entry, Vec<String>, (i32, i32))>,
    /// Where the axes may begin.
    pub(super) bottom: i32,
}

impl Header {
    /// Lays the header out in a picture of so many units: entries from left to right in rows, and one that needs more
    /// than a row, at most `lines` of them, below the others.
    pub(super) fn new(
        style: &Style,
        width: i32,
        (title, subtitle): (&str, &str),
        entries: Vec<Entry>,
        lines: usize,
    ) -> Header {
        let em = |ems| style.em(ems);
        let (left, right) = (em(0.9), width - em(0.9));
        let title = style.wrap(title, 1.3, right - left, TITLE_LINES);
        let subtitle = style.wrap(subtitle, 1.0, right - left, TITLE_LINES);
        let extra = em(1.75) * (title.len() as i32 - 1) + em(1.35) * (subtitle.len() as i32 - 1);
        let mut at = (left, em(4.3) + extra);
        if entries.is_empty() {
            return Header { title, subtitle, entries: Vec::new(), bottom: at.1 };
        }
        let place = |entry: Entry| {
            let lines = style.wrap(&entry.text, 1.0, right - left - em(SWATCH + GAP), lines);
            let (width, more) = (em(SWATCH + GAP) + style.widest(&lines), lines.len() as i32 - 1);
            if at.0 > left && (more > 0 || at.0 + width > right) {
                at = (left, at.1 + em(1.55));
            }
            let here = at;
            at = if more > 0 { (right, at.1 + em(LINE) * more) } else { (at.0 + width + em(1.6), at.1) };
            (entry, lines, here)
        };
        let entries = entries.into_iter().map(place).collect();
        Header { title, subtitle, entries, bottom: at.1 + em(1.3) }
    }

    pub(super) fn draw(&self, area: &Area<'_>, style: &Style) -> Drawn {
        let em = |ems| style.em(ems);
        let anchor = (HPos::Left, VPos::Top);
        let mut top = em(0.55);
        for line in &self.title {
            area.draw_text(line, &style.font(1.3, TEXT, anchor), (em(0.9), top))?;
            top += em(1.75);
        }
        for line in &self.subtitle {
            area.draw_text(line, &style.font(1.0, FAINT, anchor), (em(0.9), top))?;
            top += em(1.35);
        }
        for (entry, lines, (x, y)) in &self.entries {
            entry.swatch.draw(area, (*x, *y), style)?;
            for (line, below) in lines.iter().zip(0..) {
                let at = (x + em(SWATCH + GAP), y + em(LINE) * below);
                style.write(area, line, at, (HPos::Left, VPos::Center))?;
            }
        }
        Ok(())
    }
}

impl Swatch {
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32), style: &Style) -> Drawn {
        let (right, middle, half) = (x + style.em(SWATCH), (x + style.em(SWATCH / 2.0), y), style.em(0.42));
        let bar = [(x, y - half), (right, y + half)];
        match self {
            Swatch::Line(look) => {
                look.stroke(area, vec![(x, y), (right, y)], style.line, style)?;
                look.marker.map_or(Ok(()), |marker| marker.draw(area, middle, look.colour, style))
            }
            Swatch::Band(look) => {
                area.draw(&Rectangle::new(bar, look.colour.mix(BAND).filled()))?;
                Swatch::Line(*look).draw(area, (x, y), style)
            }
            Swatch::Bar(colour) => area.draw(&Rectangle::new(bar, colour.filled())),
            Swatch::Mark(marker, colour) => marker.draw(area, middle, *colour, style),
            Swatch::Number(number) => {
                let at = (x + style.em(SWATCH + 0.1), y);
                style.write(area, &number.to_string(), at, (HPos::Right, VPos::Center))
            }
        }
    }
}
