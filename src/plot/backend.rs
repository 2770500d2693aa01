//! plotters' commands, carried out on a [`Surface`].
//!
//! plotters' own bitmap backend places glyphs on whole pixels without their side bearings, and fills the self-crossing
//! outline of a noisy thick line with holes. Here paths and letters are filled as outlines, with sub-pixel positions.

use std::convert::Infallible;

use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use plotters_backend::{
    FontTransform,
    text_anchor::{HPos, VPos},
};
use tiny_skia::{Path, PathBuilder, Transform};
use uphill_envs::Colour;

use super::typeface::Typeface;
use crate::canvas::{Canvas, Point, path_through};

/// plotters counts in whole numbers, so each pixel is this many of its units wide and high.
pub(super) const UNITS_PER_PIXEL: u16 = 8;

/// How something is inked: its colour, and how much of it there is, 0 to 1.
pub(super) type Ink = (Colour, f32);

/// What a pen draws on. Its unit is a pixel's `UNITS_PER_PIXEL`-th.
pub(super) trait Surface {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);

    /// Fills an outline.
    fn fill(&mut self, outline: &Path, ink: Ink);

    /// Fills the outlines of letters.
    fn write(&mut self, writing: Writing, ink: Ink);

    /// Draws a line of so many units through `points`.
    fn stroke(&mut self, points: &[Point], width: f32, ink: Ink);

    /// Draws separate lines of so many units as one shape: where they meet they are no darker.
    fn stroke_all(&mut self, lines: &[(Point, Point)], width: f32, ink: Ink);

    /// Gives every pixel from `left_top` up to `right_bottom`, both in pixels, the colour of its centre.
    fn image(&mut self, left_top: (u32, u32), right_bottom: (u32, u32), colour: &dyn Fn(f32, f32) -> Colour);

    /// Fills a disc; a radius that is not above zero paints nothing.
    fn disc(&mut self, (x, y): Point, radius: f32, ink: Ink) {
        if let Some(disc) = PathBuilder::from_circle(x, y, radius) {
            self.fill(&disc, ink);
        }
    }
}

/// A line of text in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Writing {
    /// What it says.
    pub(super) text: String,
    /// Its letters, where they are.
    pub(super) outlines: Path,
    /// The height of their em square.
    pub(super) size: f32,
    /// From the point that it is anchored at, unturned, to the picture.
    pub(super) turn: Transform,
    /// How far below that point its baseline is.
    pub(super) baseline: f32,
    /// Which part of it stands at that point.
    pub(super) anchor: Anchor,
}

/// The start, the middle or the end of a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Surface for Canvas {
    fn size(&self) -> (u32, u32) {
        Canvas::size(self)
    }

    fn fill(&mut self, outline: &Path, (colour, alpha): Ink) {
        self.fill_path(outline, colour, alpha);
    }

    fn write(&mut self, writing: Writing, ink: Ink) {
        self.fill(&writing.outlines, ink);
    }

    fn stroke(&mut self, points: &[Point], width: f32, (colour, alpha): Ink) {
        Canvas::stroke(self, points, width, colour, alpha);
    }

    fn stroke_all(&mut self, lines: &[(Point, Point)], width: f32, (colour, alpha): Ink) {
        Canvas::stroke_all(self, lines, width, colour, alpha);
    }

    fn image(&mut self, left_top: (u32, u32), right_bottom: (u32, u32), colour: &dyn Fn(f32, f32) -> Colour) {
        self.paint_pixels(left_top, right_bottom, colour);
    }
}

/// Draws on a surface.
pub(super) struct Pen<'a> {
    pub(super) surface: &'a mut dyn Surface,
    pub(super) typeface: &'a Typeface,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Pen<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let (width, height) = self.surface.size();
        (width * u32::from(UNITS_PER_PIXEL), height * u32::from(UNITS_PER_PIXEL))
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)];
        if fill {
            self.fill_polygon(corners, style)
        } else {
            self.draw_path(corners.into_iter().chain([(x0, y0)]), style)
        }
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let mut points: Vec<Point> = path.into_iter().map(point).collect();
        let mut width = style.stroke_width() as f32;
        if let [from, to] = points.as_mut_slice() {
            width = snap(from, to, width);
        }
        self.surface.stroke(&points, width, ink(style.color()));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let (x, y) = point(centre);
        if fill {
            self.surface.disc((x, y), radius as f32, ink(style.color()));
        } else {
            let turn = (0..=64u8).map(|i| f32::from(i) / 64.0 * std::f32::consts::TAU);
            let points: Vec<Point> =
                turn.map(|angle| (x + radius as f32 * angle.cos(), y + radius as f32 * angle.sin())).collect();
            self.surface.stroke(&points, style.stroke_width() as f32, ink(style.color()));
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        let points: Vec<Point> = corners.into_iter().map(point).collect();
        if let Some(polygon) = path_through(&points, true) {
            self.surface.fill(&polygon, ink(style.color()));
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let size = style.size() as f32;
        let Some(outlines) = self.typeface.outlines(text, size) else { return Ok(()) };
        let width = self.typeface.width(text, size);
        let (anchor, x) = match style.anchor().h_pos {
            HPos::Left => (Anchor::Start, 0.0),
            HPos::Center => (Anchor::Middle, -width / 2.0),
            HPos::Right => (Anchor::End, -width),
        };
        let (ascent, descent) = (self.typeface.ascent(size), self.typeface.descent(size));
        let baseline = match style.anchor().v_pos {
            VPos::Top => ascent,
            // The middle of digits and capitals, which is where the eye puts it.
            VPos::Center => ascent * 0.385,
            VPos::Bottom => descent,
        };
        let (at_x, at_y) = point(at);
        // Row by row (x', y') = (sx·x + kx·y + tx, ky·x + sy·y + ty): a quarter turn swaps the axes.
        let turn = match style.transform() {
            FontTransform::None => Transform::from_row(1.0, 0.0, 0.0, 1.0, at_x, at_y),
            FontTransform::Rotate90 => Transform::from_row(0.0, 1.0, -1.0, 0.0, at_x, at_y),
            FontTransform::Rotate180 => Transform::from_row(-1.0, 0.0, 0.0, -1.0, at_x, at_y),
            FontTransform::Rotate270 => Transform::from_row(0.0, -1.0, 1.0, 0.0, at_x, at_y),
        };
        if let Some(placed) = outlines.transform(turn.pre_translate(x, baseline)) {
            let writing = Writing { text: text.to_owned(), outlines: placed, size, turn, baseline, anchor };
            self.surface.write(writing, ink(style.color()));
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size() as f32;
        let height = self.typeface.ascent(size) - self.typeface.descent(size);
        Ok((self.typeface.width(text, size).ceil() as u32, height.ceil() as u32))
    }
}

fn point((x, y): BackendCoord) -> Point {
    (x as f32, y as f32)
}

fn ink(color: BackendColor) -> Ink {
    let (red, green, blue) = color.rgb;
    (Colour(red, green, blue), color.alpha as f32)
}

/// Puts a horizontal or vertical line on whole pixels: between two it would be wider and paler. Returns its width,
/// which is whole pixels then too.
fn snap(from: &mut Point, to: &mut Point, width: f32) -> f32 {
    let pixel = f32::from(UNITS_PER_PIXEL);
    let pixels = (width / pixel).round().max(1.0);
    let onto =
        |at: f32| if pixels % 2.0 == 1.0 { ((at / pixel).floor() + 0.5) * pixel } else { (at / pixel).round() * pixel };
    if from.0 == to.0 {
        (from.0, to.0) = (onto(from.0), onto(to.0));
    } else if from.1 == to.1 {
        (from.1, to.1) = (onto(from.1), onto(to.1));
    } else {
        return width;
    }
    pixels * pixel
}
