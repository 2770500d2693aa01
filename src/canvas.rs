//! A picture in memory: anti-aliased shapes on an opaque background. What plots and rendered frames are painted on.

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use uphill_envs::Colour;

/// A point of the canvas, in its units: x to the right, y downwards.
pub(crate) type Point = (f32, f32);

/// `width` x `height` pixels, painted on in units of its own.
#[derive(Clone)]
pub(crate) struct Canvas {
    pixmap: Pixmap,
    transform: Transform,
}

impl Canvas {
    /// An empty canvas on which one unit is `across` pixels wide and `down` pixels high.
    ///
    /// `None` if a side is zero or the picture is too large to address.
    pub(crate) fn new(width: u32, height: u32, (across, down): (f32, f32), background: Colour) -> Option<Canvas> {
        let mut pixmap = Pixmap::new(width, height)?;
        pixmap.fill(opaque(background));
        Some(Canvas { pixmap, transform: Transform::from_scale(across, down) })
    }

    /// Fills the polygon through `corners`; fewer than three make no area and paint nothing.
    pub(crate) fn fill_polygon(&mut self, corners: &[Point], colour: Colour, alpha: f32) {
        if let Some(path) = path_through(corners, true) {
            self.fill(&path, colour, alpha);
        }
    }

    /// Fills a disc; a radius that is not above zero paints nothing.
    pub(crate) fn fill_disc(&mut self, (x, y): Point, radius: f32, colour: Colour, alpha: f32) {
        if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            self.fill(&path, colour, alpha);
        }
    }

    /// Fills any outline.
    pub(crate) fn fill(&mut self, path: &Path, colour: Colour, alpha: f32) {
        self.pixmap.fill_path(path, &paint(colour, alpha), FillRule::Winding, self.transform, None);
    }

    /// Draws lines of `width` units as one shape, with round joins: a noisy curve has no spikes then.
    pub(crate) fn stroke(&mut self, path: &Path, width: f32, colour: Colour, alpha: f32) {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint(colour, alpha), &stroke, self.transform, None);
    }

    /// The pixels row by row, from the top left.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = Colour> + '_ {
        // The background is opaque, so alpha is 255 everywhere and "premultiplied" changes nothing.
        self.pixmap.pixels().iter().map(|pixel| Colour(pixel.red(), pixel.green(), pixel.blue()))
    }
}

/// A line through `points`, or the outline of a polygon; `None` if there is no point.
pub(crate) fn path_through(points: &[Point], close: bool) -> Option<Path> {
    let (&(x, y), rest) = points.split_first()?;
    let mut builder = PathBuilder::new();
    builder.move_to(x, y);
    for &(x, y) in rest {
        builder.line_to(x, y);
    }
    if close {
        builder.close();
    }
    builder.finish()
}

fn opaque(Colour(red, green, blue): Colour) -> Color {
    Color::from_rgba8(red, green, blue, 255)
}

fn paint(colour: Colour, alpha: f32) -> Paint<'static> {
    let mut color = opaque(colour);
    color.apply_opacity(alpha);
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color);
    paint
}
