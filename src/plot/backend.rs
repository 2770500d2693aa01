//! plotters' commands, recorded as a picture's outlines.
//!
//! plotters' own bitmap backend places glyphs on whole pixels without their side bearings, and fills the self-crossing
//! outline of a noisy thick line with holes. Here paths and letters are outlines with sub-pixel positions.

use std::convert::Infallible;

use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
    text_anchor::{HPos, VPos},
};
use tiny_skia::{Path, PathBuilder, Transform};
use uphill_envs::Colour;

use super::{
    Picture,
    picture::{Shape, UNITS_PER_PIXEL, Writing},
    typeface,
};
use crate::canvas::{Point, path_through};

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl Picture {
    /// Records an outline, if there is one.
    pub(super) fn add(&mut self, outline: Option<Path>, pen: Option<f32>, color: BackendColor) {
        self.spell(outline, pen, color, None);
    }

    fn spell(&mut self, outline: Option<Path>, pen: Option<f32>, color: BackendColor, writing: Option<Writing>) {
        let BackendColor { rgb: (red, green, blue), alpha } = color;
        let (colour, alpha) = (Colour(red, green, blue), alpha as f32);
        self.shapes.extend(outline.map(|outline| Shape { outline, pen, colour, alpha, writing }));
    }
}

impl DrawingBackend for &mut Picture {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width * u32::from(UNITS_PER_PIXEL), self.height * u32::from(UNITS_PER_PIXEL))
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Done {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
        if fill {
            return self.fill_polygon(corners.into_iter().take(4), style);
        }
        corners.windows(2).try_for_each(|side| self.draw_path(side.iter().copied(), style))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let mut points: Vec<Point> = path.into_iter().map(point).collect();
        let width = snap(&mut points, style.stroke_width() as f32);
        self.add(path_through(&points, false), Some(width), style.color());
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        let (x, y) = point(centre);
        let pen = (!fill).then(|| style.stroke_width() as f32);
        self.add(PathBuilder::from_circle(x, y, radius as f32), pen, style.color());
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        let points: Vec<Point> = corners.into_iter().map(point).collect();
        self.add(path_through(&points, true), None, style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let size = style.size() as f32;
        let width = typeface::width(text, size);
        let (anchor, x) = match style.anchor().h_pos {
            HPos::Left => ("start", 0.0),
            HPos::Center => ("middle", -width / 2.0),
            HPos::Right => ("end", -width),
        };
        let baseline = match style.anchor().v_pos {
            VPos::Top => typeface::ascent(size),
            // The middle of digits and capitals, which is where the eye puts it.
            VPos::Center => typeface::ascent(size) * 0.385,
            VPos::Bottom => typeface::descent(size),
        };
        // Row by row (x', y') = (sx·x + kx·y + tx, ky·x + sy·y + ty): a quarter turn swaps the axes.
        let (sx, ky, kx, sy) = match style.transform() {
            FontTransform::None => (1.0, 0.0, 0.0, 1.0),
            FontTransform::Rotate90 => (0.0, 1.0, -1.0, 0.0),
            FontTransform::Rotate180 => (-1.0, 0.0, 0.0, -1.0),
            FontTransform::Rotate270 => (0.0, -1.0, 1.0, 0.0),
        };
        let (at_x, at_y) = point(at);
        let turn = Transform::from_row(sx, ky, kx, sy, at_x, at_y).pre_translate(0.0, baseline);
        let outline = typeface::outlines(text, size).and_then(|path| path.transform(turn.pre_translate(x, 0.0)));
        self.spell(outline, None, style.color(), Some(Writing { text: text.to_owned(), size, turn, anchor }));
        Ok(())
    }
}

fn point((x, y): BackendCoord) -> Point {
    (x as f32, y as f32)
}

/// Puts a horizontal or vertical line on whole pixels: between two it would be wider and paler. Returns its width,
/// which is whole pixels then too.
fn snap(points: &mut [Point], width: f32) -> f32 {
    let pixel = f32::from(UNITS_PER_PIXEL);
    let pixels = (width / pixel).round().max(1.0);
    let onto =
        |at: f32| if pixels % 2.0 == 1.0 { ((at / pixel).floor() + 0.5) * pixel } else { (at / pixel).round() * pixel };
    if points.windows(2).all(|pair| pair[0].0 == pair[1].0) {
        points.iter_mut().for_each(|(x, _)| *x = onto(*x));
    } else if points.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        points.iter_mut().for_each(|(_, y)| *y = onto(*y));
    } else {
        return width;
    }
    pixels * pixel
}
