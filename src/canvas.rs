//! A picture in memory: anti-aliased shapes on an opaque background. What plots and rendered frames are painted on.

use std::ops::Range;

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use uphill_envs::{Colour, Picture, Stretch};

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

    /// Lays a picture over the pixels nearest to the rectangle between two corners; each becomes the mean of what comes to lie in it.
    pub(crate) fn lay(&mut self, picture: &Picture, from: Point, to: Point) {
        let Transform { sx, sy, .. } = self.transform;
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let (columns, across) = covered((from.0 * sx, to.0 * sx), width, picture.width());
        let (rows, down) = covered((from.1 * sy, to.1 * sy), height, picture.height());
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        let means = picture.means(&across, &down);
        let pixels = self.pixmap.pixels_mut();
        for (row, means) in rows.zip(means.chunks_exact(columns.len())) {
            let first = row * width as usize;
            let line = &mut pixels[first + columns.start..first + columns.end];
            for (pixel, &mean) in line.iter_mut().zip(means) {
                *pixel = opaque(mean).premultiply().to_color_u8();
            }
        }
    }

    /// The pixels row by row, from the top left.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = Colour> + '_ {
        // The background is opaque, so alpha is 255 everywhere and "premultiplied" changes nothing.
        self.pixmap.pixels().iter().map(|pixel| Colour(pixel.red(), pixel.green(), pixel.blue()))
    }
}

/// Which of `pixels` lie between two places, and what of `length` comes to lie in each.
fn covered((from, to): Stretch, pixels: u32, length: usize) -> (Range<usize>, Vec<Stretch>) {
    let (from, to) = (from.round(), to.round());
    let end = pixels as f32;
    let inside = from.clamp(0.0, end) as usize..to.clamp(0.0, end) as usize;
    let place = |i: usize| (i as f32 - from) * length as f32 / (to - from);
    let stretches = inside.clone().map(|i| (place(i), place(i + 1))).collect();
    (inside, stretches)
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
