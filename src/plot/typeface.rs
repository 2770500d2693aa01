//! The built-in typeface: how wide a text is and what its outlines are.

use ab_glyph::{Font, FontRef, OutlineCurve};
use tiny_skia::{Path, PathBuilder, Transform};

use super::PlotError;

/// Roboto, from the crate itself: a plot looks the same on every machine and needs no installed font.
/// Its licence is in `assets/Roboto-LICENSE.txt`.
static ROBOTO: &[u8] = include_bytes!("../../assets/Roboto-Regular.ttf");

/// A typeface; sizes are the height of its em square in the canvas's units.
pub(super) struct Typeface {
    font: FontRef<'static>,
    units_per_em: f32,
}

impl Typeface {
    /// The built-in one.
    pub(super) fn built_in() -> Result<Typeface, PlotError> {
        let font = FontRef::try_from_slice(ROBOTO).map_err(|_| PlotError::Font)?;
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
        for c in text.chars() {
            if let Some(glyph) = self.glyph(c, scale, x) {
                builder.push_path(&glyph);
            }
            x += self.advance(c) * size;
        }
        builder.finish()
    }

    fn advance(&self, c: char) -> f32 {
        self.font.h_advance_unscaled(self.font.glyph_id(c)) / self.units_per_em
    }

    fn glyph(&self, c: char, scale: f32, x: f32) -> Option<Path> {
        let mut builder = PathBuilder::new();
        let mut pen = None;
        for curve in self.font.outline(self.font.glyph_id(c))?.curves {
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
