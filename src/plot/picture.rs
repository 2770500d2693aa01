//! A finished picture, kept as outlines and lines, so that PNG and SVG show the same.

use std::{fmt::Write as _, path::Path as FilePath};

use tiny_skia::{Path, PathSegment};
use uphill_envs::Colour;

use super::{
    PlotError,
    backend::{Surface, UNITS_PER_PIXEL},
    encode,
};
use crate::{
    canvas::{Canvas, Point},
    whole_file,
};

/// A picture of a benchmark, to be written as PNG or as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    marks: Vec<Mark>,
}

/// What was drawn, in units of a pixel's `UNITS_PER_PIXEL`-th.
#[derive(Debug, Clone, PartialEq)]
enum Mark {
    Fill { outline: Path, ink: (Colour, f32), text: Option<String> },
    Stroke { points: Vec<Point>, width: f32, ink: (Colour, f32) },
}

impl Picture {
    pub(super) fn new(width: u32, height: u32) -> Picture {
        Picture { width, height, marks: Vec::new() }
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
        let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        let bytes = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("png") => self.png()?,
            Some("svg") => self.svg().into_bytes(),
            _ => return Err(PlotError::Format { path: path.to_owned() }),
        };
        whole_file::write(path, &bytes).map_err(|source| PlotError::Write { path: path.to_owned(), source })
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    /// A [`PlotError`] if memory has no room for the pixels.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        encode(&self.canvas()?)
    }

    fn canvas(&self) -> Result<Canvas, PlotError> {
        let expected = "small enough for memory";
        let too_large = || PlotError::Option { name: "width", value: self.width.to_string(), expected };
        let unit = 1.0 / f32::from(UNITS_PER_PIXEL);
        let white = Colour(255, 255, 255);
        let mut canvas = Canvas::new(self.width, self.height, (unit, unit), white).ok_or_else(too_large)?;
        for mark in &self.marks {
            match mark {
                Mark::Fill { outline, ink: (colour, alpha), .. } => canvas.fill_path(outline, *colour, *alpha),
                Mark::Stroke { points, width, ink: (colour, alpha) } => canvas.stroke(points, *width, *colour, *alpha),
            }
        }
        Ok(canvas)
    }

    /// The picture as an SVG file's text.
    ///
    /// It refers to no font: letters are outlines, and what they spell is their `aria-label`.
    #[must_use]
    pub fn svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        for mark in &self.marks {
            match mark {
                Mark::Fill { outline, ink, text } => {
                    let label = text.as_deref().map(|text| format!(" role=\"img\" aria-label=\"{}\"", escaped(text)));
                    let ink = attributes("fill", *ink);
                    push(&mut svg, format_args!("<path{}{ink} d=\"", label.unwrap_or_default()));
                    outline.segments().for_each(|segment| push_segment(&mut svg, segment));
                    svg.push_str("\"/>\n");
                }
                Mark::Stroke { points, width, ink } => {
                    let (ink, width) = (attributes("stroke", *ink), pixels(*width));
                    push(
                        &mut svg,
                        format_args!(
                            "<polyline fill=\"none\"{ink} stroke-width=\"{width}\" stroke-linejoin=\"round\" points=\""
                        ),
                    );
                    for (i, point) in points.iter().enumerate() {
                        svg.push_str(if i == 0 { "" } else { " " });
                        push_point(&mut svg, *point);
                    }
                    svg.push_str("\"/>\n");
                }
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Surface for Picture {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn fill(&mut self, outline: &Path, ink: (Colour, f32), text: Option<&str>) {
        self.marks.push(Mark::Fill { outline: outline.clone(), ink, text: text.map(str::to_owned) });
    }

    fn stroke(&mut self, points: &[Point], width: f32, ink: (Colour, f32)) {
        self.marks.push(Mark::Stroke { points: points.to_vec(), width, ink });
    }
}

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String fails only where memory does.
    let _ = svg.write_fmt(text);
}

fn push_segment(svg: &mut String, segment: PathSegment) {
    let (letter, points): (char, &[tiny_skia::Point]) = match &segment {
        PathSegment::MoveTo(to) => ('M', std::slice::from_ref(to)),
        PathSegment::LineTo(to) => ('L', std::slice::from_ref(to)),
        PathSegment::QuadTo(by, to) => ('Q', &[*by, *to]),
        PathSegment::CubicTo(by, and_by, to) => ('C', &[*by, *and_by, *to]),
        PathSegment::Close => ('Z', &[]),
    };
    svg.push(letter);
    for (i, point) in points.iter().enumerate() {
        svg.push_str(if i == 0 { "" } else { " " });
        push_point(svg, (point.x, point.y));
    }
}

fn push_point(svg: &mut String, (x, y): Point) {
    push(svg, format_args!("{},{}", pixels(x), pixels(y)));
}

/// A length in pixels, to a hundredth.
fn pixels(units: f32) -> f64 {
    (f64::from(units) / f64::from(UNITS_PER_PIXEL) * 100.0).round() / 100.0
}

fn attributes(name: &str, (Colour(red, green, blue), alpha): (Colour, f32)) -> String {
    let opacity = if alpha < 1.0 { format!(" {name}-opacity=\"{alpha:.2}\"") } else { String::new() };
    format!(" {name}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

/// Text as XML has it in an attribute; characters that XML has not become a blank.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
