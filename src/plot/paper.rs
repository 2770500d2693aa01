//! What pictures draw with: lines, areas, marks and text on one surface.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    PlotError,
    backend::{Pen, Surface, UNITS_PER_PIXEL},
    dash::dashed,
    lettering::Lettering,
    look::{Dashes, Marker},
};

pub(super) const TEXT: RGBColor = RGBColor(34, 34, 34);
/// Text and lines that are not the main thing.
pub(super) const FAINT: RGBColor = RGBColor(102, 102, 102);
pub(super) const AXIS: RGBColor = RGBColor(136, 136, 136);
pub(super) const GRID: RGBColor = RGBColor(230, 230, 230);

/// How much of a curve's colour its band has.
pub(super) const BAND: f64 = 0.2;

/// Positions in plotters' units, sub-pixels.
pub(super) type Pixel = (i32, i32);

pub(super) fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw(error.to_string())
}

type Drawn = Result<(), PlotError>;

/// A surface, and the letters to write on it.
pub(super) struct Paper<'a> {
    pub(super) root: DrawingArea<Pen<'a>, Shift>,
    pub(super) letters: &'a Lettering,
}

impl<'a> Paper<'a> {
    pub(super) fn new(surface: &'a mut dyn Surface, letters: &'a Lettering) -> Paper<'a> {
        Paper { root: Pen { surface, typeface: &letters.typeface }.into_drawing_area(), letters }
    }

    /// A length of so many text sizes.
    pub(super) fn em(&self, ems: f64) -> i32 {
        self.letters.em(ems)
    }

    pub(super) fn width(&self) -> i32 {
        self.root.dim_in_pixel().0 as i32
    }

    pub(super) fn height(&self) -> i32 {
        self.root.dim_in_pixel().1 as i32
    }

    /// A line, solid or with dashes and gaps of so many text sizes.
    pub(super) fn line(&self, points: &[Pixel], colour: RGBColor, width: u32, dashes: Dashes) -> Drawn {
        let pieces = match dashes {
            None => vec![points.to_vec()],
            Some((on, off)) => dashed(points, on * self.letters.measure.text, off * self.letters.measure.text),
        };
        for piece in pieces {
            self.root.draw(&PathElement::new(piece, colour.stroke_width(width))).map_err(failed)?;
        }
        Ok(())
    }

    /// The thinnest line, in a colour that may be seen through.
    pub(super) fn faint_line(&self, points: Vec<Pixel>, colour: RGBAColor) -> Drawn {
        self.root.draw(&PathElement::new(points, colour.stroke_width(self.letters.measure.hair))).map_err(failed)
    }

    /// The thinnest line.
    pub(super) fn hair(&self, points: &[Pixel], colour: RGBColor) -> Drawn {
        self.line(points, colour, self.letters.measure.hair, None)
    }

    pub(super) fn polygon(&self, corners: Vec<Pixel>, colour: RGBAColor) -> Drawn {
        self.root.draw(&Polygon::new(corners, colour)).map_err(failed)
    }

    pub(super) fn rectangle(&self, corners: [Pixel; 2], colour: RGBAColor) -> Drawn {
        self.root.draw(&Rectangle::new(corners, colour.filled())).map_err(failed)
    }

    /// The four sides, each on whole pixels.
    pub(super) fn frame(&self, [(left, top), (right, bottom)]: [Pixel; 2], colour: RGBColor) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        corners.windows(2).try_for_each(|side| self.hair(side, colour))
    }

    pub(super) fn disc(&self, centre: Pixel, radius: i32, colour: RGBColor) -> Drawn {
        self.root.draw(&Circle::new(centre, radius.unsigned_abs(), colour.filled())).map_err(failed)
    }

    pub(super) fn cross(&self, (x, y): Pixel, arm: i32, colour: RGBColor) -> Drawn {
        let line = self.letters.measure.line;
        self.line(&[(x - arm, y - arm), (x + arm, y + arm)], colour, line, None)?;
        self.line(&[(x - arm, y + arm), (x + arm, y - arm)], colour, line, None)
    }

    /// What stands on a line here and there.
    pub(super) fn marker(&self, (x, y): Pixel, marker: Marker, colour: RGBColor) -> Drawn {
        let arm = self.em(0.34);
        match marker {
            Marker::Disc => self.disc((x, y), arm, colour),
            Marker::Square => self.rectangle([(x - arm, y - arm), (x + arm, y + arm)], colour.into()),
            Marker::Triangle => self.polygon(vec![(x - arm, y + arm), (x + arm, y + arm), (x, y - arm)], colour.into()),
            Marker::Ring => {
                self.disc((x, y), arm, colour)?;
                self.disc((x, y), arm / 2, WHITE)
            }
            Marker::Cross => self.cross((x, y), arm, colour),
        }
    }

    /// Text of so many text sizes, with an ellipsis for what does not fit into `room`.
    pub(super) fn write(
        &self,
        text: &str,
        (size, colour): (f64, RGBColor),
        at: Pixel,
        anchor: (HPos, VPos),
        room: i32,
    ) -> Drawn {
        let style = self.style(size, colour, anchor);
        self.root.draw_text(&self.letters.fit(text, size, room), &style, at).map_err(failed)
    }

    /// The name of a vertical axis, to be read from the right.
    pub(super) fn write_upright(&self, text: &str, at: Pixel, vertical: VPos, room: i32) -> Drawn {
        let style = self.style(1.0, TEXT, (HPos::Center, vertical)).transform(FontTransform::Rotate270);
        self.root.draw_text(&self.letters.fit(text, 1.0, room), &style, at).map_err(failed)
    }

    fn style(&self, size: f64, colour: RGBColor, (horizontal, vertical): (HPos, VPos)) -> TextStyle<'static> {
        let size = self.letters.measure.text * size;
        ("", size).into_font().color(&colour).pos(Pos::new(horizontal, vertical))
    }
}

pub(super) fn in_units(pixels: u32) -> i32 {
    pixels as i32 * i32::from(UNITS_PER_PIXEL)
}
