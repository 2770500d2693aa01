//! The built-in typeface: how wide a text is and what its outlines are. Sizes are the height of its em square.

use std::{collections::BTreeSet, sync::LazyLock};

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve};
use tiny_skia::{Path, PathBuilder};

/// Roboto, from the crate itself: a plot looks the same on every machine and needs no installed font.
/// Its licence is in `assets/Roboto-LICENSE.txt`.
static ROBOTO: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../assets/Roboto-Regular.ttf")).expect("the asset is a typeface")
});

/// The characters of a text that the typeface lacks; what has no ink in any typeface is not among them.
pub(super) fn missing(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|&c| glyph(c) == GlyphId(0) && !is_blank(c) && !is_invisible(c))
}

/// What is to be said of texts with characters that the typeface lacks, in an SVG or a PNG.
pub(super) fn missing_note<'a>(texts: impl Iterator<Item = &'a str>, svg: bool) -> Option<String> {
    /// Characters that the note names at most.
    const NAMED: usize = 12;
    let lacking: BTreeSet<char> = texts.flat_map(missing).collect();
    let mut named: Vec<String> = lacking.iter().take(NAMED).map(|c| format!("{c} ({})", number(*c))).collect();
    if lacking.len() > NAMED {
        named.push(format!("and {} more", lacking.len() - NAMED));
    }
    let shown = if svg {
        "an .svg shows them in a typeface of the viewer's"
    } else {
        "a .png shows their numbers, an .svg would show the characters themselves"
    };
    (!named.is_empty()).then(|| format!("the built-in typeface lacks {}: {shown}", named.join(", ")))
}

/// From the baseline to the top of the highest letters.
pub(super) fn ascent(size: f32) -> f32 {
    ROBOTO.ascent_unscaled() * per_unit(size)
}

/// From the baseline to the bottom of the lowest letters; negative.
pub(super) fn descent(size: f32) -> f32 {
    ROBOTO.descent_unscaled() * per_unit(size)
}

/// How far a line of text reaches to the right.
pub(super) fn width(text: &str, size: f32) -> f32 {
    text.chars().map(advance).sum::<f32>() * per_unit(size)
}

/// The outlines of a line of text that starts at the origin, on the baseline; `None` if it is all blank.
pub(super) fn outlines(text: &str, size: f32) -> Option<Path> {
    let (scale, mut left) = (per_unit(size), 0.0);
    let mut builder = PathBuilder::new();
    for glyph in text.chars().flat_map(glyphs) {
        // Fonts count upwards, pictures downwards.
        let at = |point: ab_glyph::Point| tiny_skia::Point::from_xy(left + point.x * scale, -point.y * scale);
        for curve in ROBOTO.outline(glyph).into_iter().flat_map(|outline| outline.curves) {
            let (OutlineCurve::Line(from, _) | OutlineCurve::Quad(from, ..) | OutlineCurve::Cubic(from, ..)) = curve;
            // Curves come contour after contour; a new one begins where the last did not end.
            if builder.last_point() != Some(at(from)) {
                builder.move_to(at(from).x, at(from).y);
            }
            match curve {
                OutlineCurve::Line(_, b) => builder.line_to(at(b).x, at(b).y),
                OutlineCurve::Quad(_, c, b) => builder.quad_to(at(c).x, at(c).y, at(b).x, at(b).y),
                OutlineCurve::Cubic(_, c, d, b) => {
                    builder.cubic_to(at(c).x, at(c).y, at(d).x, at(d).y, at(b).x, at(b).y);
                }
            }
        }
        left += ROBOTO.h_advance_unscaled(glyph) * scale;
    }
    builder.finish()
}

fn advance(c: char) -> f32 {
    glyphs(c).into_iter().map(|glyph| ROBOTO.h_advance_unscaled(glyph)).sum()
}

/// What is drawn for a character: its glyph, or `[U+4E16]` where there is none.
fn glyphs(c: char) -> Vec<GlyphId> {
    match c {
        c if glyph(c) != GlyphId(0) => vec![glyph(c)],
        c if is_blank(c) => vec![glyph(' ')],
        c if is_invisible(c) => Vec::new(),
        c => format!("[{}]", number(c)).chars().map(glyph).collect(),
    }
}

fn glyph(c: char) -> GlyphId {
    ROBOTO.glyph_id(c)
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

/// The size of the font's own unit in text of this size.
fn per_unit(size: f32) -> f32 {
    size / ROBOTO.units_per_em().unwrap_or(2048.0)
}
