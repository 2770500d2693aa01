//! A finished picture, kept as outlines and lines, so that PNG and SVG show the same.

use std::path::Path as FilePath;

use tiny_skia::Path;
use uphill_envs::Colour;

use super::{
    PlotError,
    backend::{Ink, Surface, UNITS_PER_PIXEL, Writing},
    encode, svg,
    typeface::missing_note,
};
use crate::{
    canvas::{Canvas, Point},
    whole_file,
};

/// A picture, to be written as PNG or as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) marks: Vec<Mark>,
}

/// What was drawn, in units of a pixel's `UNITS_PER_PIXEL`-th.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Fill {
        outline: Path,
        ink: Ink,
    },
    Text {
        writing: Writing,
        ink: Ink,
    },
    Stroke {
        points: Vec<Point>,
        width: f32,
        ink: Ink,
    },
    Strokes {
        lines: Vec<(Point, Point)>,
        width: f32,
        ink: Ink,
    },
    /// In whole pixels; `[rows, columns]`.
    Image {
        left_top: (u32, u32),
        columns: u32,
        colours: Vec<Colour>,
    },
}

/// What a picture's file is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Png,
    Svg,
}

impl Format {
    pub(super) fn of(path: &FilePath) -> Result<Format, PlotError> {
        let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("png") => Ok(Format::Png),
            Some("svg") => Ok(Format::Svg),
            _ => Err(PlotError::Format { path: path.to_owned(), expected: "of a picture must end in .png or .svg" }),
        }
    }
}

/// Whether a file can be written there, as far as can be told.
pub(super) fn writable(path: &FilePath) -> Result<(), PlotError> {
    whole_file::check(path).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

impl Picture {
    pub(super) fn new(width: u32, height: u32) -> Picture {
        Picture { width, height, marks: Vec::new() }
    }

    /// Whether a picture can be written to `path`, as far as can be told before there is one: for programs that work long
    /// for a picture.
    ///
    /// # Errors
    /// A [`PlotError`] if `path` ends in neither `.png` nor `.svg`, is a folder, or names a folder that is not there.
    pub fn check_path(path: impl AsRef<FilePath>) -> Result<(), PlotError> {
        let path = path.as_ref();
        Format::of(path)?;
        writable(path)
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
        let bytes = match Format::of(path)? {
            Format::Png => self.png()?,
            Format::Svg => self.svg().into_bytes(),
        };
        whole_file::write(path, &bytes).map_err(|source| PlotError::Write { path: path.to_owned(), source })
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    /// A [`PlotError`] if memory has no room for the pixels.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let canvas = self.canvas()?;
        encode(canvas.size(), canvas.pixels())
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
        let format = Format::of(path.as_ref()).ok()?;
        let texts = self.marks.iter().filter_map(|mark| match mark {
            Mark::Text { writing, .. } => Some(writing.text.as_str()),
            _ => None,
        });
        missing_note(texts, format)
    }

    fn canvas(&self) -> Result<Canvas, PlotError> {
        let mut canvas = blank(self.width, self.height)?;
        for mark in &self.marks {
            match mark {
                Mark::Fill { outline, ink } => canvas.fill(outline, *ink),
                Mark::Text { writing, ink } => canvas.fill(&writing.outlines, *ink),
                Mark::Stroke { points, width, ink } => Surface::stroke(&mut canvas, points, *width, *ink),
                Mark::Strokes { lines, width, ink } => Surface::stroke_all(&mut canvas, lines, *width, *ink),
                Mark::Image { left_top: (left, top), columns, colours } => {
                    let rows = colours.len() as u32 / columns.max(&1);
                    canvas.paint_pixels((*left, *top), (left + columns, top + rows), |x, y| {
                        let place = (y as u32 - top) * columns + (x as u32 - left);
                        colours.get(place as usize).copied().unwrap_or(Colour(255, 255, 255))
                    });
                }
            }
        }
        Ok(canvas)
    }
}

/// A white canvas of so many pixels.
///
/// # Errors
/// A [`PlotError`] if memory has no room for it.
pub(super) fn blank(width: u32, height: u32) -> Result<Canvas, PlotError> {
    let expected = "small enough for memory";
    let too_large = || PlotError::Option { name: "width", value: width.to_string(), expected };
    let unit = 1.0 / f32::from(UNITS_PER_PIXEL);
    Canvas::new(width, height, (unit, unit), Colour(255, 255, 255)).ok_or_else(too_large)
}

impl Surface for Picture {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn fill(&mut self, outline: &Path, ink: Ink) {
        self.marks.push(Mark::Fill { outline: outline.clone(), ink });
    }

    fn write(&mut self, writing: Writing, ink: Ink) {
        self.marks.push(Mark::Text { writing, ink });
    }

    fn stroke(&mut self, points: &[Point], width: f32, ink: Ink) {
        self.marks.push(Mark::Stroke { points: points.to_vec(), width, ink });
    }

    fn stroke_all(&mut self, lines: &[(Point, Point)], width: f32, ink: Ink) {
        self.marks.push(Mark::Strokes { lines: lines.to_vec(), width, ink });
    }

    fn image(&mut self, (left, top): (u32, u32), (right, bottom): (u32, u32), colour: &dyn Fn(f32, f32) -> Colour) {
        let centres = (top..bottom).flat_map(|y| (left..right).map(move |x| (x as f32 + 0.5, y as f32 + 0.5)));
        let colours = centres.map(|(x, y)| colour(x, y)).collect();
        self.marks.push(Mark::Image { left_top: (left, top), columns: right.saturating_sub(left), colours });
    }
}
