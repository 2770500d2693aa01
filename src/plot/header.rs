//! Title, subtitle and legend: what stands above the axes.

use plotters::prelude::*;

use super::{Area, Drawn, FAINT, HPos, Look, Marker, Style, TEXT, VPos, look::BAND, style::LINE};

/// Lines of a title at most.
const TITLE_LINES: usize = 4;
/// Width of a swatch and of the gap after it, in text sizes.
const SWATCH: f64 = 1.8;
const GAP: f64 = 0.5;

/// What stands before an entry of the legend.
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

/// One line of the legend: how something is drawn, and what it is.
pub(super) type Entry = (Swatch, String);

/// The text above the axes, with every line and swatch in its place.
pub(super) struct Header {
    texts: Vec<(String, TextStyle<'static>, (i32, i32))>,
    swatches: Vec<(Swatch, (i32, i32))>,
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
        let (mut texts, mut swatches, mut top) = (Vec::new(), Vec::new(), em(0.55));
        for (text, size, colour, step) in [(title, 1.3, TEXT, 1.75), (subtitle, 1.0, FAINT, 1.35)] {
            for line in style.wrap(text, size, right - left, TITLE_LINES) {
                texts.push((line, style.font(size, colour, (HPos::Left, VPos::Top)), (left, top)));
                top += em(step);
            }
        }
        let mut at = (left, top + em(0.65));
        let below = if entries.is_empty() { 0 } else { em(1.3) };
        for (swatch, text) in entries {
            let indent = em(SWATCH + GAP);
            let lines = style.wrap(&text, 1.0, right - left - indent, lines);
            let (width, more) = (indent + style.widest(&lines), lines.len() as i32 - 1);
            if at.0 > left && (more > 0 || at.0 + width > right) {
                at = (left, at.1 + em(1.55));
            }
            swatches.push((swatch, at));
            let font = style.font(1.0, TEXT, (HPos::Left, VPos::Center));
            let place = |(line, i)| (line, font.clone(), (at.0 + indent, at.1 + em(LINE) * i));
            texts.extend(lines.into_iter().zip(0..).map(place));
            at = if more > 0 { (right, at.1 + em(LINE) * more) } else { (at.0 + width + em(1.6), at.1) };
        }
        Header { texts, swatches, bottom: at.1 + below }
    }

    pub(super) fn draw(&self, area: &Area<'_>, style: &Style) -> Drawn {
        self.texts.iter().try_for_each(|(line, font, at)| area.draw_text(line, font, *at))?;
        self.swatches.iter().try_for_each(|(swatch, at)| swatch.draw(area, *at, style))
    }
}

impl Swatch {
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32), style: &Style) -> Drawn {
        let (right, middle, half) = (x + style.em(SWATCH), (x + style.em(SWATCH / 2.0), y), style.em(0.42));
        let bar = |ink: RGBAColor| Rectangle::new([(x, y - half), (right, y + half)], ink.filled());
        match self {
            Swatch::Line(look) => {
                look.stroke(area, vec![(x, y), (right, y)], style.line, style)?;
                look.marker.map_or(Ok(()), |marker| marker.draw(area, middle, look.colour, style))
            }
            Swatch::Band(look) => {
                area.draw(&bar(look.colour.mix(BAND)))?;
                Swatch::Line(*look).draw(area, (x, y), style)
            }
            Swatch::Bar(colour) => area.draw(&bar(colour.mix(1.0))),
            Swatch::Mark(marker, colour) => marker.draw(area, middle, *colour, style),
            Swatch::Number(number) => style.write(area, &number.to_string(), (right, y), (HPos::Right, VPos::Center)),
        }
    }
}
