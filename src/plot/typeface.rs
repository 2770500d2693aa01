//! The built-in typeface: how wide a text is and what its outlines are.

use std::{collections::BTreeSet, sync::LazyLock};

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve};
use tiny_skia::{Path, PathBuilder, Transform};

use super::{PlotError, picture::Format};

/// Roboto, from the crate itself: a plot looks the same on every machine and needs no installed font.
/// Its licence is in `assets/Roboto-LICENSE.txt`.
static ROBOTO: &[u8] = include_bytes!("../../assets/Roboto-Regular.ttf");

/// Its tables, found once.
static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| FontRef::try_from_slice(ROBOTO).ok());

/// The characters of a text that the built-in typeface lacks; what has no ink in any typeface is not among them.
pub(super) fn missing(text: &str) -> impl Iterator<Item = char> + '_ {
    let lacks = |c: &char| FONT.as_ref().is_some_and(|font| font.glyph_id(*c) == GlyphId(0));
    text.chars().filter(lacks).filter(|&c| !is_blank(c) && !is_invisible(c))
}

/// What is to be said of texts with characters that the built-in typeface lacks, in a PNG or an SVG.
pub(super) fn missing_note<'a>(texts: impl Iterator<Item = &'a str>, format: Format) -> Option<String> {
    /// Characters that the note names at most.
    const NAMED: usize = 12;
    let lacking: BTreeSet<char> = texts.flat_map(missing).collect();
    let mut named: Vec<String> = lacking.iter().take(NAMED).map(|c| format!("{c} ({})", number(*c))).collect();
    if lacking.len() > NAMED {
        named.push(format!("and {} more", lacking.len() - NAMED));
    }
    let shown = match format {
        Format::Png => "a .png shows their numbers, an .svg would show the characters themselves",
        Format::Svg => "an .svg shows them in a typeface of the viewer's",
    };
    (!named.is_empty()).then(|| format!("the built-in typeface lacks {}: {shown}", named.join(", ")))
}

/// Breaks of lines, tabs and the like.
fn is_blank(c: char) -> bool {
    c.is_control() || c.is_whitespace()
}

/// Joiners, directions and variants, which change others and are not seen themselves.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn number(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A typeface; sizes are the height of its em square in the canvas's units.
pub(super) struct Typeface {
    font: FontRef<'static>,
    units_per_em: f32,
}

impl Typeface {
    /// The built-in one.
    pub(super) fn built_in() -> Result<Typeface, PlotError> {
        let font = FONT.clone().ok_or(PlotError::Font)?;
        let units_per_em = font.units_per_em().filter(|&units| units > 0.0).ok_or(PlotError::Font)?;
        Ok(Typeface { font, units_per_em })
    }

    /// From the baseline to the top of the highest letters.
    pub(super) fn ascent(&self, size: f32) -> f32 {
        self.font.ascent_unscaled() / self.units_per_em * size
    }

    /// From the baseline to the bottom of the lowest letters; negative.
    pub(super) fn descent(&self, size: f32) -> f32 {
        self.font.descent_unscaled() / self.units_per_em * size
    }

    /// How far a line of text reaches to the right.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>() * size
    }

    /// The text, with an ellipsis for what does not fit into `room`.
    pub(super) fn fit(&self, text: &str, size: f32, room: f32) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let mut left = room - self.width("…", size);
        let kept = text.chars().take_while(|&c| {
            left -= self.advance(c) * size;
            left >= 0.0
        });
        format!("{}…", kept.collect::<String>().trim_end())
    }

    /// The outlines of a line of text that starts at the origin, on the baseline; `None` if it is all blank.
    pub(super) fn outlines(&self, text: &str, size: f32) -> Option<Path> {
        let scale = size / self.units_per_em;
        let mut builder = PathBuilder::new();
        let mut x = 0.0;
        for glyph in text.chars().flat_map(|c| self.glyphs(c)) {
            if let Some(outline) = self.outline(glyph, scale, x) {
                builder.push_path(&outline);
            }
            x += self.glyph_advance(glyph) * size;
        }
        builder.finish()
    }

    fn advance(&self, c: char) -> f32 {
        self.glyphs(c).into_iter().map(|glyph| self.glyph_advance(glyph)).sum()
    }

    fn glyph_advance(&self, glyph: GlyphId) -> f32 {
        self.font.h_advance_unscaled(glyph) / self.units_per_em
    }

    /// What is drawn for a character: its glyph, or `[U+4E16]` where there is none.
    fn glyphs(&self, c: char) -> Vec<GlyphId> {
        let glyph = |c| self.font.glyph_id(c);
        match c {
            c if glyph(c) != GlyphId(0) => vec![glyph(c)],
            c if is_blank(c) => vec![glyph(' ')],
            c if is_invisible(c) => Vec::new(),
            c => format!("[{}]", number(c)).chars().map(glyph).collect(),
        }
    }

    fn outline(&self, glyph: GlyphId, scale: f32, x: f32) -> Option<Path> {
        let mut builder = PathBuilder::new();
        let mut pen = None;
        for curve in self.font.outline(glyph)?.curves {
            // Curves come contour after contour; a new one begins where the last did not end.
            let (from, to) = match curve {
                OutlineCurve::Line(a, b) | OutlineCurve::Quad(a, _, b) | OutlineCurve::Cubic(a, _, _, b) => (a, b),
            };
            if pen != Some(from) {
                builder.move_to(from.x, from.y);
            }
            match curve {
                OutlineCurve::Line(_, b) => builder.line_to(b.x, b.y),
                OutlineCurve::Quad(_, c, b) => builder.quad_to(c.x, c.y, b.x, b.y),
                OutlineCurve::Cubic(_, c, d, b) => builder.cubic_to(c.x, c.y, d.x, d.y, b.x, b.y),
            }
            pen = Some(to);
        }
        // Fonts count upwards, the canvas downwards.
        builder.finish()?.transform(Transform::from_row(scale, 0.0, 0.0, -scale, x, 0.0))
    }
}
