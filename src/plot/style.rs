//! Sizes of text and lines, colours, and how much room a text takes.

use plotters::style::{
    IntoFont, RGBColor, TextStyle,
    text_anchor::{HPos, Pos, VPos},
};

use super::{
    picture::{Area, Drawn, UNITS_PER_PIXEL},
    typeface,
};

pub(super) const TEXT: RGBColor = RGBColor(34, 34, 34);
/// Text and lines that are not the main thing.
pub(super) const FAINT: RGBColor = RGBColor(102, 102, 102);
pub(super) const AXIS: RGBColor = RGBColor(136, 136, 136);
pub(super) const GRID: RGBColor = RGBColor(230, 230, 230);

/// All sizes in one picture, in plotters' units. They follow the text's size, and that the picture's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    text: f64,
    /// Width of a curve.
    pub(super) line: u32,
    /// Width of the thinnest line.
    pub(super) hair: u32,
}

impl Style {
    pub(super) fn new(width: u32, height: u32, scale: f64) -> Style {
        let (width, height) = (f64::from(width) / scale, f64::from(height) / scale);
        let unit = scale * f64::from(UNITS_PER_PIXEL);
        // 14 at 1000 x 600 and 11.5 at 600 x 360: smaller cannot be read, much larger looks like a poster.
        let text = (width / 70.0).min(height / 42.0).clamp(11.5, 18.0);
        let hair = (scale.round().max(1.0) * f64::from(UNITS_PER_PIXEL)) as u32;
        Style { text: text * unit, line: (text / 7.0 * unit).round() as u32, hair }
    }

    /// A length of so many text sizes.
    pub(super) fn em(&self, ems: f64) -> i32 {
        (self.text * ems).round() as i32
    }

    /// How many ticks an axis of such a length has room for, two at least, if each takes so many text sizes.
    pub(super) fn count(&self, room: i32, each: f64, most: f64) -> f64 {
        (f64::from(room) / self.text / each).clamp(2.0, most)
    }

    /// How wide a text of so many text sizes is.
    pub(super) fn width(&self, text: &str, size: f64) -> i32 {
        typeface::width(text, (self.text * size) as f32).ceil() as i32
    }

    /// The width of the widest.
    pub(super) fn widest<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> i32 {
        texts.into_iter().map(|text| self.width(text.as_ref(), 1.0)).max().unwrap_or_default()
    }

    /// The text, with an ellipsis for what does not fit into `room`.
    pub(super) fn fit(&self, text: &str, size: f64, room: i32) -> String {
        typeface::fit(text, (self.text * size) as f32, room as f32)
    }

    /// Text of so many text sizes.
    pub(super) fn font(&self, size: f64, colour: RGBColor, (across, down): (HPos, VPos)) -> TextStyle<'static> {
        ("", self.text * size).into_font().color(&colour).pos(Pos::new(across, down))
    }

    /// Writes a line of plain text.
    pub(super) fn write(&self, area: &Area<'_>, text: &str, at: (i32, i32), anchor: (HPos, VPos)) -> Drawn {
        area.draw_text(text, &self.font(1.0, TEXT, anchor), at)
    }

    /// The text in at most so many lines that fit into `room`, broken between words, and a word that is too long
    /// between the parts of its name, or anywhere if it has none; an ellipsis for what does not fit into the last.
    pub(super) fn wrap(&self, text: &str, size: f64, room: i32, lines: usize) -> Vec<String> {
        let words = text.split_inclusive(' ').flat_map(|word| {
            // Only a word that is too long for a line is broken within.
            let whole = self.width(word.trim_end(), size) <= room;
            let ends: &[char] = if whole { &[' '] } else { &['_', '(', ',', '|', '/', ' '] };
            word.split_inclusive(ends).flat_map(|part| self.pieces(part, size, room))
        });
        let mut wrapped = vec![String::new()];
        for part in words {
            let full = wrapped.len() >= lines;
            let Some(line) = wrapped.last_mut() else { continue };
            let longer = format!("{line}{part}");
            if full || line.is_empty() || self.width(longer.trim_end(), size) <= room {
                *line = longer;
            } else {
                wrapped.push(part.to_owned());
            }
        }
        wrapped.iter().map(|line| self.fit(line.trim_end(), size, room)).collect()
    }

    /// A part of a word in pieces that fit into `room`.
    fn pieces<'t>(&self, part: &'t str, size: f64, room: i32) -> Vec<&'t str> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for (end, c) in part.char_indices().skip(1) {
            let next = end + c.len_utf8();
            if self.width(part[start..next].trim_end(), size) > room && end > start {
                pieces.push(&part[start..end]);
                start = end;
            }
        }
        pieces.push(&part[start..]);
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn names_are_broken_between_their_parts_and_end_in_an_ellipsis() {
        let style = Style::new(500, 400, 1.0);
        let wrap = |text, ems, lines| style.wrap(text, 1.0, style.em(ems), lines);
        let name = "clip_by_global_norm(0.5) | lamb(lr=3e-3)";
        assert_eq!(wrap(name, 60.0, 2), [name]);
        assert_eq!(wrap(name, 14.0, 2), ["clip_by_global_norm(0.5) |", "lamb(lr=3e-3)"]);
        assert_eq!(wrap("schedule_free_adamw", 7.0, 2), ["schedule_free_", "adamw"]);
        let cut = wrap(name, 8.0, 2);
        assert!(cut.len() == 2 && cut[1].ends_with('…'), "{cut:?}");
        assert!(cut.iter().all(|line| style.width(line, 1.0) <= style.em(8.0)), "{cut:?}");
        assert_eq!(wrap("", 8.0, 2), [""]);
    }
}
