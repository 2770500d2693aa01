//! Sizes of text and lines, colours, and how much room a text takes.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Area, Drawn, picture::UNITS_PER_PIXEL, typeface};

pub(super) const TEXT: RGBColor = RGBColor(34, 34, 34);
/// Text and lines that are not the main thing.
pub(super) const FAINT: RGBColor = RGBColor(102, 102, 102);
pub(super) const AXIS: RGBColor = RGBColor(136, 136, 136);
pub(super) const GRID: RGBColor = RGBColor(230, 230, 230);

/// Lines of a name at most.
pub(super) const NAME_LINES: usize = 8;
/// From one line of a name to the next, in text sizes.
pub(super) const LINE: f64 = 1.25;

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

    /// Where the longest start of a text that fits into `room` ends.
    fn longest(&self, text: &str, size: f64, room: i32) -> usize {
        let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
        ends.take_while(|&end| self.width(text[..end].trim_end(), size) <= room).last().unwrap_or_default()
    }

    /// The text, with an ellipsis for what does not fit into `room`.
    pub(super) fn fit(&self, text: &str, size: f64, room: i32) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let kept = &text[..self.longest(text, size, room - self.width("…", size))];
        format!("{}…", kept.trim_end())
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
        let (mut wrapped, mut rest) = (Vec::new(), text);
        while wrapped.len() + 1 < lines && self.width(rest, size) > room {
            let one = rest.chars().next().map_or(0, char::len_utf8);
            let longest = self.longest(rest, size, room).max(one);
            let after = |breaks: &[char]| Some(rest[..longest].rfind(breaks)? + 1);
            let end = after(&[' ']).or_else(|| after(&['_', '(', ',', '|', '/'])).unwrap_or(longest);
            wrapped.push(rest[..end].trim_end().to_owned());
            rest = rest[end..].trim_start();
        }
        wrapped.push(self.fit(rest, size, room));
        wrapped
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
