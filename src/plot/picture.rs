//! A finished picture, kept as outlines, so that PNG and SVG show the same.

use std::{convert::Infallible, path::Path as FilePath};

use plotters::{coord::Shift, prelude::*};
use tiny_skia::{Path, Transform};
use uphill_envs::Colour;

use super::{PlotError, check, svg, typeface};
use crate::{canvas::Canvas, whole_file};

/// plotters counts in whole numbers, so each pixel is this many of its units wide and high.
pub(super) const UNITS_PER_PIXEL: u16 = 8;

pub(super) fn in_units(pixels: u32) -> i32 {
    pixels as i32 * i32::from(UNITS_PER_PIXEL)
}

/// The pixels that so many units need.
pub(super) fn in_pixels(units: i32) -> u32 {
    units.max(0).unsigned_abs().div_ceil(UNITS_PER_PIXEL.into())
}

/// A picture, to be written as PNG or as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) shapes: Vec<Shape>,
}

/// An outline, in plotters' units, filled or drawn with a pen of some width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) outline: Path,
    pub(super) pen: Option<f32>,
    pub(super) colour: Colour,
    pub(super) alpha: f32,
    /// What the outline spells.
    pub(super) writing: Option<Writing>,
}

/// A line of text in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Writing {
    pub(super) text: String,
    pub(super) size: f32,
    /// From the point on its baseline that it is anchored at, unturned, to the picture.
    pub(super) turn: Transform,
    /// Which part of it stands at that point: `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
}

/// A rectangle: left and top, right and bottom.
pub(super) type Corners = [(i32, i32); 2];
/// How far apart two points are.
pub(super) fn distance(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(a.0 - b.0).hypot(f64::from(a.1 - b.1))
}

/// Where plotters draws: all of a picture or a part of it.
pub(super) type Area<'p> = DrawingArea<&'p mut Picture, Shift>;
/// What drawing comes to.
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<Infallible>>;

/// Whether a picture's file is SVG; else it is PNG.
fn is_svg(path: &FilePath) -> Result<bool, PlotError> {
    match path.extension().map(|ending| ending.to_ascii_lowercase()) {
        Some(ending) if ending == "png" => Ok(false),
        Some(ending) if ending == "svg" => Ok(true),
        _ => Err(PlotError::Format { path: path.to_owned(), expected: "of a picture must end in .png or .svg" }),
    }
}

/// Whether a file can be written there, as far as can be told.
pub(super) fn writable(path: &FilePath) -> Result<(), PlotError> {
    whole_file::check(path).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

/// Writes a file, whole or not at all.
pub(super) fn write(path: &FilePath, bytes: &[u8]) -> Result<(), PlotError> {
    whole_file::write(path, bytes).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

/// What is to be said of a text that a picture will have, if the built-in typeface lacks some of its characters: as
/// [`Picture::note`] of that picture.
#[must_use]
pub fn note_on(text: &str, path: impl AsRef<FilePath>) -> Option<String> {
    typeface::missing_note(std::iter::once(text), is_svg(path.as_ref()).ok()?)
}

impl Picture {
    pub(super) fn blank(width: u32, height: u32) -> Picture {
        Picture { width, height, shapes: Vec::new() }
    }

    /// Lets plotters draw on it.
    pub(super) fn with(mut self, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<Picture, PlotError> {
        let drawn = draw(&(&mut self).into_drawing_area());
        drawn.map_err(|error| check::refused("the chart", error.to_string()))?;
        Ok(self)
    }

    /// Whether a picture can be written to `path`, as far as can be told before there is one: for programs that work long
    /// for a picture.
    ///
    /// # Errors
    /// A [`PlotError`] if `path` ends in neither `.png` nor `.svg`, is a folder, or names a folder that is not there.
    pub fn check_path(path: impl AsRef<FilePath>) -> Result<(), PlotError> {
        is_svg(path.as_ref())?;
        writable(path.as_ref())
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Writes the picture to `path`, as PNG or as SVG, whichever its name ends in.
    ///
    /// The same picture gives the same bytes. The file is whole or, if the program is killed, not there.
    ///
    /// # Errors
    /// A [`PlotError`] if `path` ends in neither `.png` nor `.svg`, or cannot be written.
    pub fn save(&self, path: impl AsRef<FilePath>) -> Result<(), PlotError> {
        let path = path.as_ref();
        write(path, &if is_svg(path)? { self.svg().into_bytes() } else { self.png()? })
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    /// A [`PlotError`] if memory has no room for the pixels.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        let rgb: Vec<u8> = self.canvas()?.pixels().flat_map(|Colour(red, green, blue)| [red, green, blue]).collect();
        writer.write_image_data(&rgb)?;
        writer.finish()?;
        Ok(bytes)
    }

    /// The picture as an SVG file's text.
    ///
    /// It refers to no font: letters are outlines, and what they spell is their `aria-label`. Text with characters that
    /// the built-in typeface lacks is text, in a typeface of the viewer's.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::of(self)
    }

    /// What is to be said of a picture written to `path`, PNG or SVG, whose text has characters that the built-in typeface
    /// lacks: which they are, and what is seen of them. Nothing of a path that ends in neither.
    #[must_use]
    pub fn note(&self, path: impl AsRef<FilePath>) -> Option<String> {
        let writings = self.shapes.iter().filter_map(|shape| shape.writing.as_ref());
        typeface::missing_note(writings.map(|writing| &*writing.text), is_svg(path.as_ref()).ok()?)
    }

    /// The picture on a white canvas.
    pub(super) fn canvas(&self) -> Result<Canvas, PlotError> {
        let value = self.width.to_string();
        let too_large = PlotError::Option { name: "width", value, expected: "small enough for memory".into() };
        let unit = 1.0 / f32::from(UNITS_PER_PIXEL);
        let mut canvas = Canvas::new(self.width, self.height, (unit, unit), Colour(255, 255, 255)).ok_or(too_large)?;
        self.paint(&mut canvas);
        Ok(canvas)
    }

    /// Paints the picture over what a canvas of its size shows.
    pub(super) fn paint(&self, canvas: &mut Canvas) {
        for Shape { outline, pen, colour, alpha, .. } in &self.shapes {
            match pen {
                None => canvas.fill(outline, *colour, *alpha),
                Some(width) => canvas.stroke(outline, *width, *colour, *alpha),
            }
        }
    }
}
